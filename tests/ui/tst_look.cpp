#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollBar>
#include <QSet>
#include <QSpinBox>

#include "tests/ui/stage.h"
#include "ui/elided.h"
#include "ui/error_text.h"

using namespace polyptych;
using tests::Stage;
using ui::GalleryModel;

/// What the window looks like: places, colours, words cut short, languages.
class TestLook : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void placeholdersAreReadable() {
    for (const auto kind : {ui::ThemeKind::Light, ui::ThemeKind::Dark}) {
      ui::applyTheme(*qApp, kind);
      Stage stage({tests::cpuDevice()}, QString(QLatin1String("")));
      const auto t = ui::currentTokens();
      const QWidgetList fields{stage.find<QPlainTextEdit>("prompts"), stage.find<QLineEdit>("seed"),
                               stage.find<QComboBox>("model")->lineEdit()};
      for (const QWidget* field : fields) {
        QCOMPARE(field->palette().color(QPalette::PlaceholderText), t.faint);
        QCOMPARE(field->palette().color(QPalette::Text), t.text);
      }
    }
  }

  void fieldsBesideEachOtherAreInLine() {
    Stage stage;
    auto* size = stage.find<QComboBox>("size");
    auto* scheduler = stage.find<QComboBox>("scheduler");
    for (const auto& text : {QStringLiteral("Model"), QStringLiteral("모델")}) {
      size->setEditText(text);
      scheduler->setItemText(0, text);
      QCOMPARE(size->height(), scheduler->height());
      QCOMPARE(stage.find<QSpinBox>("steps")->height(), size->height());
      const auto ink = [](QComboBox* box) {
        const QImage image = box->grab(QRect(4, 4, 60, box->height() - 8)).toImage();
        QRect all;
        for (int y = 0; y < image.height(); ++y) {
          for (int x = 0; x < image.width(); ++x) {
            if (ui::contrast(image.pixelColor(x, y), ui::currentTokens().background) > 3) {
              all |= QRect(x, y, 1, 1);
            }
          }
        }
        return all;
      };
      QVERIFY(!ink(size).isEmpty());
      QCOMPARE(ink(scheduler), ink(size));
    }
  }

  void nothingToScrollShowsNoHandle() {
    Stage stage;
    stage.window->resize(1280, 800);
    QCoreApplication::processEvents();
    auto* bar = stage.grid()->verticalScrollBar();
    const auto middle = [&] {
      return stage.window->grab().toImage().pixelColor(bar->mapTo(stage.window.get(), bar->rect().center()));
    };
    const int width = bar->width();
    QVERIFY(bar->isVisible());
    QCOMPARE(middle(), ui::currentTokens().background);
    stage.find<QSpinBox>("images")->setValue(50);
    QVERIFY(stage.run({QStringLiteral("many")}));
    QTRY_VERIFY(bar->maximum() > 0);
    QTest::keyClick(stage.grid(), Qt::Key_Home);
    const auto top = [&] {
      return stage.window->grab().toImage().pixelColor(bar->mapTo(stage.window.get(), QPoint(bar->width() / 2, 12)));
    };
    QTRY_COMPARE(top(), ui::currentTokens().line);
    QCOMPARE(bar->width(), width);
  }

  void whatADeviceDoesStaysOnOneLine() {
    Stage stage({tests::gpuDevice(0)});
    stage.window->resize(1280, 700);
    stage.window->shell().panels().restore({{QStringLiteral("rightWidth"), ui::Metrics::kRightLeast}});
    QVERIFY(stage.run({QStringLiteral("a prompt that is longer than a card is wide")}));
    auto* state = stage.find<QLabel>("state-cuda:0");
    stage.backend.step(QStringLiteral("cuda:0"), 0, 1, 25, domain::Stage::Denoising, 1, 1000);
    stage.backend.preview(QStringLiteral("cuda:0"), 0, tests::plainImage(8, 90));
    QCoreApplication::processEvents();
    const int line = state->height();
    stage.backend.step(QStringLiteral("cuda:0"), 0, 99, 100, domain::Stage::Denoising, 1, 1000);
    QCoreApplication::processEvents();
    QVERIFY(state->width() >= state->fontMetrics().horizontalAdvance(state->text()));
    QCOMPARE(state->height(), line);
    QVERIFY(line < 2 * state->fontMetrics().height());
  }

  void longTextsEndInAnEllipsis() {
    auto device = tests::gpuDevice(0);
    device.name = "A graphics card with a name that is longer than any card is wide";
    Stage stage({device});
    QVERIFY(stage.run({QStringLiteral("a")}));
    stage.backend.warn(domain::WarningCode::Other, QStringLiteral("A very long warning. ").repeated(30).toStdString());
    QCoreApplication::processEvents();
    int cut = 0;
    for (auto* label : stage.window->findChildren<ui::ElidedLabel*>()) {
      if (!label->isVisible()) {
        continue;
      }
      if (label->objectName() == QLatin1String("progress")) {
        QVERIFY2(!label->isCut(), qPrintable(label->text()));
        continue;
      }
      QVERIFY2(label->isCut(), qPrintable(label->text()));
      ++cut;
      // The same picture as the text with its ellipsis gives.
      const QImage whole = label->grab().toImage();
      label->setText(label->fontMetrics().elidedText(label->text(), Qt::ElideRight, label->contentsRect().width()));
      QVERIFY(label->text().endsWith(u'…'));
      QVERIFY(!label->isCut());
      QCOMPARE(label->grab().toImage(), whole);
    }
    QCOMPARE(cut, 2);
  }

  void theProgressHasWhatRoomThereIs() {
    Stage stage;
    stage.find<QSpinBox>("images")->setValue(50);
    QVERIFY(stage.run(QStringList(24, QStringLiteral("a tree"))));
    stage.backend.step(QStringLiteral("cpu:0"), 0, 1, 25);
    for (int i = 0; i < 3; ++i) {
      stage.backend.picture(i, QStringLiteral("/nowhere/%1.png").arg(i));
      QTest::qWait(5);
    }
    stage.backend.fail(3, {base::ErrorCode::OutOfMemory, "No room.", {}});
    auto* progress = stage.find<ui::ElidedLabel>("progress");
    QVERIFY2(progress->text().contains(QStringLiteral("done ")), qPrintable(progress->text()));
    for (const QSize size : {QSize(1024, 640), QSize(1280, 800), QSize(1920, 1080)}) {
      stage.window->resize(size);
      QCoreApplication::processEvents();
      QCOMPARE(stage.window->size(), size);
      QVERIFY2(!progress->isCut(), qPrintable(progress->text()));
      QCOMPARE(progress->text().contains(QStringLiteral("a minute")), size.width() > 1024);
      auto* search = stage.find<QLineEdit>("search");
      QVERIFY(search->fontMetrics().horizontalAdvance(search->placeholderText()) < search->width() - 16);
    }
    // Where there is none it is the progress that gives way.
    stage.window->resize(ui::Metrics::kWindowLeastWidth, 640);
    QCoreApplication::processEvents();
    QCOMPARE(stage.window->width(), ui::Metrics::kWindowLeastWidth);
  }

  void widePicturesStandCloseTogether() {
    for (const auto& [width, height] : {std::pair(512, 256), std::pair(512, 512), std::pair(256, 512)}) {
      Stage stage;
      stage.window->resize(1280, 800);
      stage.find<QSpinBox>("images")->setValue(30);
      stage.find<QComboBox>("size")->setEditText(QStringLiteral("%1 × %2").arg(width).arg(height));
      QVERIFY(stage.run({QStringLiteral("a tree")}));
      const auto placeOf = [&stage](int row) { return stage.grid()->visualRect(stage.tile(row)); };
      QTRY_VERIFY(placeOf(0).isValid());
      int next = 1;
      while (placeOf(next).top() == placeOf(0).top()) {
        ++next;
      }
      const int side = placeOf(0).width() - ui::Metrics::kTileGap;
      QCOMPARE(placeOf(next).top() - placeOf(0).top(), std::min(side, side * height / width) + ui::Metrics::kTileGap);
      QCOMPARE(stage.grid()->indexAt(placeOf(next).center()), stage.tile(next));
    }
  }

  void tilesFillTheWidth_data() {
    QTest::addColumn<int>("width");
    for (const int width : {1280, 1440, 1920, 2560}) {
      QTest::addRow("%d", width) << width;
    }
  }

  void tilesFillTheWidth() {
    QFETCH(int, width);
    Stage stage;
    stage.window->resize(width, 800);
    stage.find<QSpinBox>("images")->setValue(60);
    QVERIFY(stage.run({QStringLiteral("many")}));
    QTRY_VERIFY(stage.grid()->visualRect(stage.tile(0)).isValid());
    const int top = stage.grid()->visualRect(stage.tile(0)).top();
    int right = 0;
    for (int row = 0; row < 60 && stage.grid()->visualRect(stage.tile(row)).top() == top; ++row) {
      right = stage.grid()->visualRect(stage.tile(row)).right();
    }
    const int unused = stage.grid()->viewport()->width() - right;
    QVERIFY2(unused >= 0 && unused < 24, qPrintable(QString::number(unused)));
  }

  void koreanShowsKorean() {
    QTranslator korean;
    QVERIFY(korean.load(QLocale(QStringLiteral("ko")), QStringLiteral("polyptych"), QStringLiteral("_"),
                        QStringLiteral(":/translations")));
    QVERIFY(QCoreApplication::installTranslator(&korean));
    Stage stage;
    stage.type({QStringLiteral("a"), QStringLiteral("b")});
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("2장 만들기"));
    QCOMPARE(stage.find<QPushButton>("stop")->text(), QStringLiteral("중지"));
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("쉬는 중: 기다리는 일 없음"));
    QVERIFY(stage.find<QLabel>("forecast")->text().startsWith(QStringLiteral("프롬프트 2개 × 1 = 그림 2장")));
    // Trouble speaks Korean too; what the backend said stands in the tool tips.
    QTest::keyClick(stage.find<QPlainTextEdit>("prompts"), Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    stage.backend.start();
    stage.backend.fail(0, {base::ErrorCode::OutOfMemory, "The device ran out of memory.", {}});
    QCOMPARE(stage.message(), QStringLiteral("메모리가 부족합니다. 더 작은 크기나 다른 장치를 고르면 됩니다."));
    QVERIFY(stage.find<QLabel>("message")->toolTip().contains(QStringLiteral("The device ran out of memory.")));
    QCOMPARE(stage.tile(0).data(GalleryModel::ReasonRole).toString(), stage.message());
    stage.backend.failSlot(QStringLiteral("cpu:0"), base::ErrorCode::WorkerDied, QStringLiteral("The worker died."), false);
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("사용 중지됨: 작업 프로세스가 거듭 끝남"));
    QSet<QString> told;
    for (int code = 0; code <= static_cast<int>(domain::WarningCode::PartnerLost); ++code) {
      stage.backend.warn(static_cast<domain::WarningCode>(code), "In English.");
      QVERIFY2(!stage.message().contains(QRegularExpression(QStringLiteral("[A-Za-z]"))), qPrintable(stage.message()));
      QVERIFY(stage.find<QLabel>("message")->toolTip().contains(QStringLiteral("In English.")));
      told.insert(stage.message());
    }
    QCOMPARE(told.size(), int(domain::WarningCode::PartnerLost) + 1);
    stage.backend.finish(1, 1);
    QCOMPARE(stage.message(), QStringLiteral("그림 1장을 만들지 못했습니다. 나머지는 모두 있습니다. "
                                             "메모리가 부족합니다. 더 작은 크기나 다른 장치를 고르면 됩니다."));
    for (int code = 0; code <= static_cast<int>(base::ErrorCode::Internal); ++code) {
      const auto text = ui::textOf({static_cast<base::ErrorCode>(code), "In English.", {}});
      QVERIFY2(!text.sentence.contains(QRegularExpression(QStringLiteral("[A-Za-z]"))), qPrintable(text.sentence));
      QCOMPARE(text.detail, QStringLiteral("In English."));
      QVERIFY(!ui::fewWords(static_cast<base::ErrorCode>(code)).contains(QRegularExpression(QStringLiteral("[A-Za-z]"))));
    }
    // Why nothing is begun, with the backend's own words in the tool tip where it has more to tell.
    stage.backend.pause(backend::PauseReason::Storage, QStringLiteral("The disk is full."));
    QCOMPARE(stage.message(), QStringLiteral("보관함에 쓸 수 없습니다. 쓸 수 있게 되면 작업이 저절로 이어집니다."));
    QVERIFY(stage.find<QLabel>("message")->toolTip().contains(QStringLiteral("The disk is full.")));
    stage.backend.pause(backend::PauseReason::UncleanEnd, QStringLiteral("In English."));
    QCOMPARE(stage.message(), QStringLiteral("작업 도중에 Polyptych나 컴퓨터가 꺼졌습니다. 잃은 것은 없습니다."));
    QCOMPARE(stage.find<QPushButton>("messageAction")->text(), QStringLiteral("계속하기"));
    QCOMPARE(stage.find<QPushButton>("pause")->text(), QStringLiteral("계속하기"));
    // Product names and key names stay; every other label has Hangul in it.
    static const QRegularExpression latin(QStringLiteral("[A-Za-z]{2,}"));
    static const QRegularExpression hangul(QStringLiteral("[가-힣]"));
    const QStringList kept{QStringLiteral("Polyptych"), QStringLiteral("CPU"), QStringLiteral("Fake CPU")};
    for (const QLabel* label : stage.window->findChildren<QLabel*>()) {
      const QString text = label->text();
      const QWidget* page = label;
      while (page != nullptr && qobject_cast<const ui::AboutPage*>(page) == nullptr) {
        page = page->parentWidget();
      }
      if (page != nullptr && label->textInteractionFlags() != Qt::LinksAccessibleByMouse) {
        continue;  // names of programs and licences
      }
      QVERIFY2(!text.contains(latin) || text.contains(hangul) || kept.contains(text), qPrintable(text));
    }
    QCoreApplication::removeTranslator(&korean);
  }

  void tokensAreReadable() {
    QCOMPARE(ui::contrast(Qt::white, Qt::black), 21.0);
    for (const bool isDark : {false, true}) {
      const auto t = ui::tokensOf(isDark);
      for (const QColor& ground : {t.background, t.surface, t.raised}) {
        for (const QColor& text : {t.text, t.secondary, t.faint}) {
          QVERIFY2(ui::contrast(text, ground) >= 4.5,
                   qPrintable(text.name() + QStringLiteral(" on ") + ground.name() + QStringLiteral(": ") +
                              QString::number(ui::contrast(text, ground))));
        }
      }
      for (const QColor& ground : {t.surface, t.raised}) {
        for (const QColor& text : {t.accent, t.good, t.warning, t.bad}) {
          QVERIFY2(ui::contrast(text, ground) >= 4.5, qPrintable(text.name() + QStringLiteral(" on ") + ground.name()));
        }
      }
      QVERIFY(ui::contrast(t.onAccent, t.accent) >= 4.5);
    }
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestLook>(argc, argv);
}

#include "tst_look.moc"
