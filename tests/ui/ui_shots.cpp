#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QLibraryInfo>
#include <QMenu>
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

#include "core/queue/jobs.h"
#include "tests/gallery/sample_library.h"
#include "tests/ui/fake_backend.h"
#include "ui/prompts/prompt_view.h"
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

/// A minute of readings, and a few steps for the rate.
void measure(tests::FakeBackend& backend, const std::vector<domain::DeviceInfo>& devices) {
  for (int second = 0; second < 60; ++second) {
    std::vector<backend::DeviceReading> readings;
    for (std::size_t i = 0; i < devices.size(); ++i) {
      backend::DeviceReading reading;
      reading.deviceId = QString::fromStdString(devices[i].id);
      const bool isCpu = devices[i].kind == domain::DeviceKind::Cpu;
      reading.totalBytes = (isCpu ? 64ull : 24ull) << 30;
      reading.usedBytes = reading.totalBytes / 20 * (9 + i % 4 * 3);
      reading.oursBytes = reading.usedBytes / 3 * (isCpu ? 1 : 2);
      reading.utilisation = isCpu    ? 0.2 + 0.05 * (second % 3)
                            : i == 2 ? 0.02
                                     : 0.9 + 0.09 * ((second * 7 + static_cast<int>(i)) % 5 - 2) / 2;
      reading.temperatureCelsius = isCpu ? -1 : 66 - static_cast<int>(i) * 3;
      reading.powerWatts = isCpu ? -1 : i == 2 ? 54 : 402 - static_cast<double>(i) * 9;
      readings.push_back(reading);
    }
    backend.measure(readings);
  }
  for (int step = 10; step < 17; ++step) {
    backend.step(QStringLiteral("cuda:0"), 9, step, 25, domain::Stage::Denoising, 1, 5);
    QTest::qWait(30);
  }
  backend.step(QStringLiteral("cuda:0"), 9, 17, 25, domain::Stage::Denoising, 1, 5);
}

/// Two runs with failures, and a history of the last hour.
void fillQueue(tests::SampleLibrary& library, bool isKorean) {
  const QStringList words =
      isKorean
          ? QStringList{QStringLiteral("해 질 녘 바닷가의 흰 등대, 유화"), QStringLiteral("밤의 눈밭에 있는 빨간 집"),
                        QStringLiteral("사막 위의 노란 열기구")}
          : QStringList{QStringLiteral("a white lighthouse by the sea at dusk, oil on canvas"),
                        QStringLiteral("a red house in the snow at night"), QStringLiteral("a yellow balloon over the desert")};
  QStringList prompts;
  for (int i = 0; i < 240; ++i) {
    prompts << words[i / 8 % 3];
  }
  library.addRun(tests::recordOf(1, prompts, QStringLiteral("2026/1")));
  library.addRun(tests::recordOf(2, prompts.mid(0, 24), QStringLiteral("2026/2")));
  const qint64 now = QDateTime::currentMSecsSinceEpoch();
  qint64 job = 1;
  const auto attempt = [&](const char* device, qint64 ago, qint64 seconds, std::optional<queue::JobState> next,
                           base::ErrorCode code) {
    const auto lease = queue::lease(*library.database, job, QLatin1String(device), true, now - ago * 1000);
    if (next) {
      queue::AttemptEnd end;
      end.jobId = job;
      end.lease = (*lease)->number;
      end.next = *next;
      end.outcome = *next == queue::JobState::Done ? queue::AttemptOutcome::Done : queue::AttemptOutcome::Failed;
      if (*next != queue::JobState::Done) {
        end.error = base::Error{code, "The device ran out of memory.", {}};
      }
      end.nowMs = now - (ago - seconds) * 1000;
      (void)queue::endAttempt(*library.database, end);
    }
    ++job;
  };
  using queue::JobState;
  for (int i = 0; i < 60; ++i) {
    const bool isBad = i == 17 || i == 41;
    const char* const devices[] = {"cuda:0", "cuda:1", "cuda:2"};
    attempt(devices[i % 3], 3500 - i * 55, i % 3 == 2 ? 150 : 48,
            isBad ? (i == 17 ? JobState::Failed : JobState::Parked) : JobState::Done, base::ErrorCode::OutOfMemory);
  }
  attempt("cuda:0", 20, 0, std::nullopt, {});
  attempt("cuda:1", 9, 0, std::nullopt, {});
}

void shoot(const QString& folder, const QString& state, bool isKorean, bool isDark, QSize size) {
  QTemporaryDir pictures;
  const bool hasGpus = state != QLatin1String("empty") && state != QLatin1String("slots");
  std::vector<domain::DeviceInfo> devices;
  for (int i = 0; hasGpus && i < (state == QLatin1String("eight") ? 8 : 3); ++i) {
    devices.push_back(tests::gpuDevice(i));
  }
  devices.push_back(tests::cpuDevice());
  tests::FakeBackend backend(devices);
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
  if (state == QLatin1String("models")) {
    options.listModels = [](const QStringList&) {
      const auto model = [](const char* name, const char* family, qint64 bytes, const char* precision, const char* reason) {
        models::ModelSummary summary;
        summary.name = summary.reference = QString::fromUtf8(name);
        summary.family = QString::fromUtf8(family);
        summary.bytes = bytes;
        summary.precision = QString::fromUtf8(precision);
        summary.reason = QString::fromUtf8(reason);
        summary.isUsable = summary.reason.isEmpty();
        summary.path = QStringLiteral("/models/") + summary.name;
        return summary;
      };
      return QVector<models::ModelSummary>{
          model("demo", "Stable Diffusion", 15'400'000, "fp16", ""),
          model("stable-diffusion-v1-5/stable-diffusion-v1-5", "Stable Diffusion 1.x", 2'130'000'000, "fp16", ""),
          model("stabilityai/stable-diffusion-2-1", "Stable Diffusion 2.x", 5'200'000'000, "fp32", ""),
          model(
              "stabilityai/stable-diffusion-xl-base-1.0", "StableDiffusionXLPipeline", 6'900'000'000, "",
              "/models/stabilityai/stable-diffusion-xl-base-1.0/model_index.json is a model for StableDiffusionXLPipeline; this "
              "version runs models for StableDiffusionPipeline only (Stable Diffusion 1.x and 2.x).")};
    };
    options.describeModel = [](const QString& reference) -> base::Result<models::ModelDescription> {
      models::ModelDescription model;
      model.width = model.height = reference.contains(QLatin1String("2-1")) ? 768 : 512;
      models::ComponentDescription unet;
      unet.name = QStringLiteral("unet");
      unet.parameters = reference == QLatin1String("demo")         ? 7'700'000
                        : reference.contains(QLatin1String("2-1")) ? 1'290'000'000
                                                                   : 1'066'000'000;
      model.components = {unet};
      return model;
    };
    options.modelFolders = {QStringLiteral("/data/models")};
  }
  std::optional<tests::SampleLibrary> library;
  const bool isQueue = state.startsWith(QLatin1String("queue"));
  if (isQueue) {
    library.emplace();
    fillQueue(*library, isKorean);
    options.location = library->location;
  }
  ui::MainWindow window(backend, options);
  window.resize(size);
  window.show();
  QTest::qWait(50);
  if (state != QLatin1String("empty") && state != QLatin1String("first") && state != QLatin1String("prompts") &&
      state != QLatin1String("sheet") && state != QLatin1String("rows")) {
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
    if (state == QLatin1String("slots")) {
      for (int i = 0; i < 4; ++i) {
        backend.step(QStringLiteral("cpu:%1").arg(i), 9 + i, 6 * i + 3, 25, domain::Stage::Denoising, 1, 3);
      }
    }
    if (state == QLatin1String("eight")) {
      for (int i = 3; i < 8; ++i) {
        backend.step(QStringLiteral("cuda:%1").arg(i), 9 + i, 4 * i - 5, 25, domain::Stage::Denoising, 1, 3);
      }
      backend.failSlot(QStringLiteral("cuda:2"), base::ErrorCode::OutOfMemory,
                       QStringLiteral("The device ran out of memory. Choose a smaller size."), false);
    }
    if (!isFinished) {
      measure(backend, devices);
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
    if (state == QLatin1String("closing")) {
      window.close();
    }
    if (state == QLatin1String("loupe")) {
      auto* grid = window.findChild<QAbstractItemView*>(QStringLiteral("gallery"));
      Q_EMIT grid->activated(grid->model()->index(3, 0));
    }
  }
  const QStringList pages{QStringLiteral("models"), QStringLiteral("settings"), QStringLiteral("shortcuts"),
                          QStringLiteral("about")};
  if (pages.contains(state)) {
    window.shell().pages().open(state);
    pool::SupervisionLimits limits;
    limits.releaseAfter = std::chrono::minutes(10);
    Q_EMIT backend.limitsChanged(limits);
  } else if (state == QLatin1String("prompts") || state == QLatin1String("sheet") || state == QLatin1String("rows")) {
    auto& panel = window.findChild<ui::RunForm*>(QStringLiteral("leftPanel"))->prompts();
    ui::PromptListModel::Entries entries(6);
    const char* const english[] = {"a white lighthouse by the sea at dusk, oil on canvas",
                                   "a red house in the snow at night",
                                   "a yellow balloon over the desert",
                                   "a pink mushroom under a full moon, forest floor, soft rim light",
                                   "a rocket in the city before a storm",
                                   "a blue tree in a meadow in the morning"};
    const char* const korean[] = {"해 질 녘 바닷가의 흰 등대, 유화",
                                  "밤의 눈밭에 있는 빨간 집",
                                  "사막 위의 노란 열기구",
                                  "보름달 아래 분홍 버섯, 숲 바닥, 부드러운 빛, 물감으로 그린 그림",
                                  "폭풍 전 도시의 로켓",
                                  "아침 초원의 파란 나무"};
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].prompt = (isKorean ? korean : english)[i];
    }
    entries[1].width = 768;
    entries[1].height = 512;
    entries[1].seed = 7;
    entries[4].isEnabled = false;
    entries[5].steps = 40;
    panel.take(std::move(entries), true);
    panel.view().select(0, 0);
    panel.view().setFocus();
    if (state == QLatin1String("sheet")) {
      panel.view().select(1, 1);
      window.shell().actions().trigger(QStringLiteral("prompts.settings"));
    } else if (state == QLatin1String("rows")) {
      panel.view().editRow(3);
    }
  } else if (isQueue) {
    window.findChild<QPushButton*>(QStringLiteral("queueDoor"))->click();
    QTest::qWait(300);
    auto* table = window.findChild<QAbstractItemView*>(QStringLiteral("queue"));
    if (state == QLatin1String("queueTime")) {
      window.findChild<QPushButton*>(QStringLiteral("queueTime"))->click();
    } else {
      table->selectionModel()->select(table->model()->index(2, 0), QItemSelectionModel::Select | QItemSelectionModel::Rows);
      table->selectionModel()->select(table->model()->index(table->model()->rowCount() - 1, 0),
                                      QItemSelectionModel::Select | QItemSelectionModel::Rows);
      if (state == QLatin1String("queueChange")) {
        window.findChild<QPushButton*>(QStringLiteral("queueRequeue"))->click();
      } else if (state == QLatin1String("queueFailed")) {
        auto* states = window.findChild<QComboBox*>(QStringLiteral("queueState"));
        states->setCurrentIndex(4);
        Q_EMIT states->activated(4);
      }
    }
    QTest::qWait(300);
  } else if (state == QLatin1String("actions")) {
    window.shell().actions().trigger(QStringLiteral("program.actionList"));
  } else if (state == QLatin1String("menu")) {
    window.shell().actions().trigger(QStringLiteral("program.menu"));
  } else if (state == QLatin1String("panelsHidden")) {
    window.shell().panels().toggleBoth();
  } else if (state == QLatin1String("devicesOver")) {
    window.shell().panels().setShown(ui::SidePanels::Right, true);
  }
  QTest::qWait(300);
  QPixmap shot = window.grab();
  if (const QWidget* menu = QApplication::activePopupWidget()) {
    QPainter(&shot).drawPixmap(window.mapFromGlobal(menu->pos()), const_cast<QWidget*>(menu)->grab());
    const_cast<QWidget*>(menu)->close();
  }
  const QString name = QStringLiteral("%1-%2-%3-%4@%5.png")
                           .arg(state, isDark ? QStringLiteral("dark") : QStringLiteral("light"),
                                isKorean ? QStringLiteral("ko") : QStringLiteral("en"))
                           .arg(size.width())
                           .arg(window.devicePixelRatioF());
  if (!shot.save(QDir(folder).filePath(name))) {
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
    states = {QStringLiteral("empty"),    QStringLiteral("first"),        QStringLiteral("running"),
              QStringLiteral("finished"), QStringLiteral("error"),        QStringLiteral("loupe"),
              QStringLiteral("paused"),   QStringLiteral("unclean"),      QStringLiteral("storage"),
              QStringLiteral("breaker"),  QStringLiteral("lost"),         QStringLiteral("stopped"),
              QStringLiteral("models"),   QStringLiteral("settings"),     QStringLiteral("shortcuts"),
              QStringLiteral("about"),    QStringLiteral("actions"),      QStringLiteral("menu"),
              QStringLiteral("closing"),  QStringLiteral("panelsHidden"), QStringLiteral("devicesOver")};
  }
  QVector<QSize> sizes{{900, 700}, {1024, 640}, {1280, 800}, {1920, 1080}};
  if (const QString wanted = qEnvironmentVariable("UI_SHOTS_SIZE"); !wanted.isEmpty()) {
    sizes = {QSize(wanted.section(u'x', 0, 0).toInt(), wanted.section(u'x', 1, 1).toInt())};
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
      for (const QSize size : sizes) {
        for (const QString& state : states) {
          shoot(QString::fromLocal8Bit(argv[1]), state, isKorean, isDark, size);
        }
      }
    }
    QCoreApplication::removeTranslator(&own);
  }
  return 0;
}
