#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QLibraryInfo>
#include <QMap>
#include <QPainter>
#include <QPainterPath>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTranslator>
#include <cstdio>

#include "tests/ui/fake_backend.h"
#include "ui/theme.h"

using namespace polyptych;

namespace {

/// A drawn landscape, different for each number.
QImage scene(int number, int width, int height) {
  QImage image(width, height, QImage::Format_RGB888);
  QPainter painter(&image);
  painter.setRenderHint(QPainter::Antialiasing);
  QLinearGradient sky(0, 0, 0, height);
  sky.setColorAt(0, QColor::fromHsv((200 + 47 * number) % 360, 120, 150));
  sky.setColorAt(1, QColor::fromHsv((30 + 31 * number) % 360, 90, 240));
  painter.fillRect(image.rect(), sky);
  painter.setPen(Qt::NoPen);
  painter.setBrush(QColor(255, 230, 150));
  painter.drawEllipse(QPointF(width * (0.2 + 0.13 * (number % 5)), height * 0.3), width * 0.08, width * 0.08);
  for (int layer = 0; layer < 3; ++layer) {
    QPainterPath hill(QPointF(0, height));
    for (int x = 0; x <= 8; ++x) {
      hill.lineTo(width * x / 8.0, height * (0.5 + 0.14 * layer + 0.05 * ((x * (3 + number) + layer) % 4)));
    }
    hill.lineTo(width, height);
    painter.fillPath(hill, QColor::fromHsv((100 + 37 * number) % 360, 110, 170 - 45 * layer));
  }
  return image;
}

domain::Image small(const QImage& image) {
  const QImage scaled =
      image.scaled(32, 32, Qt::IgnoreAspectRatio, Qt::SmoothTransformation).convertToFormat(QImage::Format_RGB888);
  domain::Image out{32, 32, {}};
  for (int y = 0; y < 32; ++y) {
    out.pixels.insert(out.pixels.end(), scaled.constScanLine(y), scaled.constScanLine(y) + 96);
  }
  return out;
}

void shoot(const QString& folder, const QString& state, bool isKorean, bool isDark, QSize size) {
  QTemporaryDir pictures;
  tests::FakeBackend backend(
      state == QLatin1String("empty")
          ? std::vector<domain::DeviceInfo>{tests::cpuDevice()}
          : std::vector<domain::DeviceInfo>{tests::gpuDevice(0), tests::gpuDevice(1), tests::gpuDevice(2), tests::cpuDevice()});
  auto options = tests::windowOptions();
  if (state == QLatin1String("empty")) {
    options.model.clear();
    options.listModels = [](const QStringList&) { return QVector<models::ModelSummary>(); };
  }
  if (state == QLatin1String("first")) {
    QSettings().clear();
    options.restoresSettings = true;
    options.model.clear();
  }
  ui::MainWindow window(backend, options);
  window.resize(size);
  window.show();
  QTest::qWait(50);
  if (state != QLatin1String("empty") && state != QLatin1String("first")) {
    window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"))
        ->setPlainText(isKorean
                           ? QStringLiteral("해 질 녘 바닷가의 흰 등대, 유화\n밤의 눈밭에 있는 빨간 집\n사막 위의 노란 열기구")
                           : QStringLiteral("a white lighthouse by the sea at dusk, oil on canvas\na red house in the snow at "
                                            "night\na yellow balloon over the desert"));
    window.findChild<QSpinBox*>(QStringLiteral("images"))->setValue(8);
    window.findChild<QPushButton*>(QStringLiteral("generate"))->click();
    if (!QTest::qWaitFor([&] { return !backend.specs.empty(); })) {
      std::fprintf(stderr, "the run did not start\n");
      std::exit(1);
    }
    backend.start();
    const bool isFinished = state == QLatin1String("finished") || state == QLatin1String("loupe");
    const int made = isFinished ? 24 : 9;
    for (int i = 0; i < made; ++i) {
      const bool isWide = i % 5 == 3;
      const QString path = pictures.filePath(QStringLiteral("%1.png").arg(i));
      scene(i, isWide ? 768 : 512, 512).save(path);
      backend.picture(i, path, QStringLiteral("cuda:0"));
      QTest::qWait(2);
    }
    if (!isFinished) {
      backend.step(QStringLiteral("cuda:0"), 9, 17, 25, domain::Stage::Denoising, 1, 5);
      backend.preview(QStringLiteral("cuda:0"), 9, small(scene(9, 512, 512)));
      backend.step(QStringLiteral("cuda:1"), 10, 25, 25, domain::Stage::Decoding, 1, 4);
      backend.preview(QStringLiteral("cuda:1"), 10, small(scene(10, 512, 512)));
      backend.state(QStringLiteral("cuda:2"), backend::SlotState::LoadingModel, 1'200'000'000, 3'400'000'000);
    }
    if (state == QLatin1String("error")) {
      backend.fail(11, {base::ErrorCode::OutOfMemory, "The device ran out of memory. Choose a smaller size.", {}});
      backend.failSlot(QStringLiteral("cuda:2"), base::ErrorCode::OutOfMemory,
                       QStringLiteral("The device ran out of memory. Choose a smaller size."), false);
    }
    const QStringList idle{QStringLiteral("unclean"), QStringLiteral("storage"), QStringLiteral("breaker"),
                           QStringLiteral("stopped")};
    for (const auto& slot : {QStringLiteral("cuda:0"), QStringLiteral("cuda:1"), QStringLiteral("cuda:2")}) {
      if (idle.contains(state)) {
        backend.state(slot, backend::SlotState::Idle);
      }
    }
    if (state == QLatin1String("paused")) {
      backend.pause(backend::PauseReason::User);
    } else if (state == QLatin1String("unclean")) {
      backend.pause(backend::PauseReason::UncleanEnd);
    } else if (state == QLatin1String("storage")) {
      backend.pause(backend::PauseReason::Storage,
                    QStringLiteral("The disk is full. Free some space; the work goes on by itself then."));
    } else if (state == QLatin1String("breaker")) {
      backend.pause(backend::PauseReason::Breaker,
                    QStringLiteral("No worker is left to go on: The device ran out of memory. The queue is paused; mend that, "
                                   "then let it go on."));
    } else if (state == QLatin1String("lost")) {
      backend.lose({base::ErrorCode::Io, "The connection to polyptych-core broke. Try again.", {}});
    } else if (state == QLatin1String("stopped")) {
      window.findChild<QPushButton*>(QStringLiteral("stop"))->click();
      backend.answer(5);
      backend.finish(made, 0, true);
    }
    if (isFinished) {
      backend.finish(24);
    }
    QTest::qWait(600);
    if (state == QLatin1String("loupe")) {
      auto* grid = window.findChild<QListView*>(QStringLiteral("gallery"));
      Q_EMIT grid->activated(grid->model()->index(3, 0));
    }
  }
  static const QMap<QString, QKeyCombination> kPages{{QStringLiteral("settings"), Qt::CTRL | Qt::Key_Comma},
                                                     {QStringLiteral("models"), Qt::CTRL | Qt::Key_M},
                                                     {QStringLiteral("shortcuts"), Qt::Key_F1},
                                                     {QStringLiteral("actions"), Qt::CTRL | Qt::Key_K}};
  if (const auto page = kPages.find(state); page != kPages.end()) {
    QApplication::setActiveWindow(&window);
    QTest::keyClick(&window, page->key(), page->keyboardModifiers());
  } else if (state == QLatin1String("closing")) {
    window.close();
  }
  QTest::qWait(300);
  const QString name = QStringLiteral("%1-%2-%3-%4@%5.png")
                           .arg(state, isDark ? QStringLiteral("dark") : QStringLiteral("light"),
                                isKorean ? QStringLiteral("ko") : QStringLiteral("en"))
                           .arg(size.width())
                           .arg(window.devicePixelRatioF());
  if (!window.grab().save(QDir(folder).filePath(name))) {
    std::fprintf(stderr, "cannot write %s\n", qPrintable(name));
    std::exit(1);
  }
}

}  // namespace

/// Pictures of the window on a fake backend: ui_shots FOLDER [STATE...]. QT_SCALE_FACTOR=2 makes them for a dense screen.
int main(int argc, char** argv) {
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("polyptych-shots"));
  QApplication::setOrganizationName(QStringLiteral("polyptych-shots"));
  if (argc < 2 || !QDir().mkpath(QString::fromLocal8Bit(argv[1]))) {
    std::fprintf(stderr, "usage: ui_shots FOLDER [STATE...]\n");
    return 2;
  }
  QStringList states = QApplication::arguments().mid(2);
  if (states.isEmpty()) {
    states = {QStringLiteral("empty"),    QStringLiteral("first"),   QStringLiteral("running"),   QStringLiteral("finished"),
              QStringLiteral("error"),    QStringLiteral("loupe"),   QStringLiteral("paused"),    QStringLiteral("unclean"),
              QStringLiteral("storage"),  QStringLiteral("breaker"), QStringLiteral("lost"),      QStringLiteral("stopped"),
              QStringLiteral("settings"), QStringLiteral("models"),  QStringLiteral("shortcuts"), QStringLiteral("actions"),
              QStringLiteral("closing")};
  }
  for (const bool isKorean : {false, true}) {
    const QLocale locale(isKorean ? QStringLiteral("ko") : QStringLiteral("en_US"));
    QLocale::setDefault(locale);
    QTranslator own;
    if (!own.load(locale, QStringLiteral("polyptych"), QStringLiteral("_"), QStringLiteral(":/translations"))) {
      return 1;
    }
    QCoreApplication::installTranslator(&own);
    for (const bool isDark : {false, true}) {
      ui::applyTheme(application, isDark ? ui::ThemeKind::Dark : ui::ThemeKind::Light);
      for (const QSize size : {QSize(900, 700), QSize(1280, 800), QSize(1920, 1080)}) {
        for (const QString& state : states) {
          shoot(QString::fromLocal8Bit(argv[1]), state, isKorean, isDark, size);
        }
      }
    }
    QCoreApplication::removeTranslator(&own);
  }
  return 0;
}
