#include <QComboBox>
#include <QDirIterator>
#include <QElapsedTimer>
#include <QInputMethodEvent>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>

#include "core/backend/remote_backend.h"
#include "core/library/location.h"
#include "core/models/bundled_models.h"
#include "core/models/model_description.h"
#include "tests/ui/stage.h"

using namespace polyptych;
using tests::Application;
using State = ui::GalleryModel::State;

namespace {

constexpr int kPatienceMs = 60'000;

/// The window as the program opens it, on its own backend with the real worker, in the library of a folder.
class Evening {
 public:
  explicit Evening(const QString& root) {
    const auto location = library::locationAt(root, library::Location::Layout::Dated);
    backend::RemoteBackendOptions remote;
    remote.coreProgram = QStringLiteral(CORE_PROGRAM);
    remote.coreArguments = {QStringLiteral("--worker"), QStringLiteral(CPU_WORKER), QStringLiteral("--linger"),
                            QStringLiteral("200")};
    m_backend = backend::connectToBackend(location, remote);
    ui::MainWindowOptions options;
    options.cpuCores = {0, 1};
    options.library = location.root;
    options.location = location;
    options.listModels = [](const QStringList&) { return QVector<models::ModelSummary>(); };
    options.describeModel = [](const QString&) { return models::describeModel(QStringLiteral(DEMO_MODEL)); };
    options.model = QStringLiteral("demo");
    window = std::make_unique<ui::MainWindow>(*m_backend, options);
    QObject::connect(m_backend.get(), &backend::RemoteBackend::joined, window.get(), &ui::MainWindow::onJoined);
    QSignalSpy listed(m_backend.get(), &backend::Backend::devicesListed);
    window->resize(1280, 800);
    window->show();
    QApplication::setActiveWindow(window.get());
    if (listed.isEmpty() && !listed.wait(kPatienceMs)) {
      qFatal("no devices");
    }
  }
  ~Evening() {
    window.reset();
    m_backend->leave(std::chrono::seconds(30));
  }
  template <typename Widget>
  Widget* find(const char* name) const {
    auto* widget = window->findChild<Widget*>(QLatin1String(name));
    if (widget == nullptr) {
      qFatal("no widget %s", name);
    }
    return widget;
  }
  QAbstractItemModel* gallery() const { return find<QAbstractItemView>("gallery")->model(); }
  int count(State state) const {
    int number = 0;
    for (int row = 0; row < gallery()->rowCount(); ++row) {
      number += gallery()->index(row, 0).data(ui::GalleryModel::StateRole).value<State>() == state;
    }
    return number;
  }
  backend::Backend& backend() { return *m_backend; }
  std::unique_ptr<ui::MainWindow> window;

 private:
  std::unique_ptr<backend::RemoteBackend> m_backend;
};

int picturesIn(const QString& folder) {
  int number = 0;
  for (QDirIterator it(folder, {QStringLiteral("*.png")}, QDir::Files, QDirIterator::Subdirectories); it.hasNext(); it.next()) {
    ++number;
  }
  return number;
}

}  // namespace

/// Everything together, once: somebody types three prompts, watches two workers, picks a picture, and finds all of it again.
class TestFirstEvening : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void threePromptsBecomePicturesThatStay() {
    QSettings().clear();
    QFile::remove(QFileInfo(QSettings().fileName()).absolutePath() + QStringLiteral("/prompts.jsonl"));
    const QTemporaryDir folder;
    const QString root = folder.filePath(QStringLiteral("library"));
    const QString saved = folder.filePath(QStringLiteral("saved"));
    QString chosen;
    {
      Evening evening(root);
      // A first start has three prompts to try; these go.
      QTRY_COMPARE_WITH_TIMEOUT(tests::Stage::promptsOf(*evening.window).size(), 3, kPatienceMs);
      evening.window->shell().actions().trigger(QStringLiteral("prompts.clear"));
      auto* field = evening.find<QPlainTextEdit>("prompts");
      for (const char* const prompt :
           {"a red sailing boat on the sea at sunset", "a yellow house in the snow", "밤하늘 아래 하얀 등대"}) {
        field->setFocus();
        // As an input method gives it.
        QInputMethodEvent typed;
        typed.setCommitString(QString::fromUtf8(prompt));
        QCoreApplication::sendEvent(field, &typed);
        QTest::keyClick(field, Qt::Key_Return);
      }
      evening.window->shell().actions().trigger(QStringLiteral("devices.moreWorkers"));
      evening.find<QSpinBox>("steps")->setValue(12);
      evening.find<QLineEdit>("seed")->setText(QStringLiteral("7"));
      QSignalSpy previews(&evening.backend(), &backend::Backend::previewMade);
      QSet<QString> workers;
      connect(&evening.backend(), &backend::Backend::stepFinished, evening.window.get(),
              [&workers](quint64, const backend::SlotStatus& status) { workers << status.slotId; });
      QTest::mouseClick(evening.find<QPushButton>("generate"), Qt::LeftButton);
      QTRY_COMPARE_WITH_TIMEOUT(evening.gallery()->rowCount(), 3, kPatienceMs);
      QTRY_COMPARE_WITH_TIMEOUT(evening.count(State::Done), 3, kPatienceMs);
      QVERIFY(!previews.isEmpty());
      // They are seen, not only there.
      const auto isSeen = [&evening] {
        for (int row = 0; row < 3; ++row) {
          if (evening.gallery()->index(row, 0).data(Qt::DecorationRole).value<QPixmap>().isNull()) {
            return false;
          }
        }
        return true;
      };
      QElapsedTimer watch;
      watch.start();
      QTRY_VERIFY_WITH_TIMEOUT(isSeen(), kPatienceMs);
      qInfo("seen after %lld ms", static_cast<long long>(watch.elapsed()));
      QCOMPARE(workers, (QSet<QString>{QStringLiteral("cpu:0"), QStringLiteral("cpu:1")}));
      QCOMPARE(picturesIn(root), 3);
      // A star for the second.
      auto* grid = evening.find<QAbstractItemView>("gallery");
      grid->setFocus();
      grid->setCurrentIndex(evening.gallery()->index(1, 0));
      chosen = evening.gallery()->index(1, 0).data(Qt::ToolTipRole).toString();
      QTest::keyClick(grid, Qt::Key_4);
      QTRY_VERIFY_WITH_TIMEOUT(evening.gallery()->index(1, 0).data(ui::GalleryModel::StarsRole).toInt() == 4, kPatienceMs);
      // Found by a part of a word, in Korean.
      auto* search = evening.find<QLineEdit>("search");
      search->setFocus();
      search->setText(QStringLiteral("등대"));
      Q_EMIT search->textEdited(search->text());
      QTRY_COMPARE_WITH_TIMEOUT(evening.gallery()->rowCount(), 1, kPatienceMs);
      search->clear();
      Q_EMIT search->textEdited(QString());
      QTRY_COMPARE_WITH_TIMEOUT(evening.gallery()->rowCount(), 3, kPatienceMs);
      // Saved elsewhere.
      evening.window->shell().actions().trigger(QStringLiteral("gallery.export"));
      auto* place = evening.find<QLineEdit>("exportPlace");
      QTRY_VERIFY_WITH_TIMEOUT(place->isVisible(), kPatienceMs);
      place->setText(saved);
      Q_EMIT place->textEdited(saved);
      auto* start = evening.find<QPushButton>("exportStart");
      QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), kPatienceMs);
      QTest::mouseClick(start, Qt::LeftButton);
      QTRY_VERIFY_WITH_TIMEOUT(picturesIn(saved) >= 1, kPatienceMs);
      QVERIFY(evening.window->close());
    }
    // The next morning.
    Evening morning(root);
    QTRY_COMPARE_WITH_TIMEOUT(morning.gallery()->rowCount(), 3, kPatienceMs);
    int stars = 0;
    for (int row = 0; row < 3; ++row) {
      stars += morning.gallery()->index(row, 0).data(ui::GalleryModel::StarsRole).toInt();
    }
    QCOMPARE(stars, 4);
    QCOMPARE(picturesIn(root), 3);
    QTRY_COMPARE_WITH_TIMEOUT(tests::Stage::promptsOf(*morning.window).size(), 3, kPatienceMs);
    QCOMPARE(morning.find<QSpinBox>("steps")->value(), 12);
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestFirstEvening>(argc, argv);
}

#include "tst_first_evening.moc"
