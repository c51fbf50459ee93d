#include "ui/run_cost.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

namespace polyptych::ui {
namespace {

constexpr int kDelayMs = 60;
/// Of a PNG of a picture; drawn ones take less, noisy ones more.
constexpr double kBytesPerPixel = 1.75;

QString durationInWords(double seconds) {
  const auto minutes = static_cast<int>(std::lround(seconds / 60));
  if (seconds < 90) {
    return RunCost::tr("%n s", nullptr, std::max(1, static_cast<int>(std::lround(seconds))));
  }
  if (minutes < 90) {
    return RunCost::tr("%n min", nullptr, minutes);
  }
  return minutes < 24 * 60 ? RunCost::tr("%1 h %2 min").arg(minutes / 60).arg(minutes % 60)
                           : RunCost::tr("%1 d %2 h").arg(minutes / (24 * 60)).arg(minutes / 60 % 24);
}

}  // namespace

PictureWork workOf(const std::vector<prompt::PromptEntry>& entries, const RunInput& shared, const QSize& side) {
  PictureWork all;
  const int width = shared.width > 0 ? shared.width : side.width();
  const int height = shared.height > 0 ? shared.height : side.height();
  for (const prompt::PromptEntry& entry : entries) {
    if (entry.isEnabled) {
      const double pixels = static_cast<double>(entry.width.value_or(width)) * entry.height.value_or(height) *
                            entry.images.value_or(shared.imagesPerPrompt);
      all.pixels += pixels;
      all.pixelSteps += pixels * entry.steps.value_or(shared.steps);
    }
  }
  return all;
}

CostEstimate estimateCost(const PictureWork& work, const std::vector<queue::DeviceSpeed>& speeds,
                          const std::vector<domain::DeviceSlot>& slotList) {
  CostEstimate estimate;
  for (const domain::DeviceSlot& slot : slotList) {
    estimate.devices += slot.partner ? 2 : 1;
  }
  estimate.bytes = static_cast<qint64>(std::min(work.pixels * kBytesPerPixel, 9e18));
  double rate = 0;
  int known = 0;
  for (const domain::DeviceSlot& slot : slotList) {
    const auto speed = std::ranges::find(speeds, QString::fromStdString(slot.id), &queue::DeviceSpeed::device);
    if (speed != speeds.end() && speed->secondsPerWork > 0) {
      rate += 1 / speed->secondsPerWork;
      ++known;
    }
  }
  if (known > 0) {
    // One of unknown speed does as much as the others do on average.
    estimate.seconds = work.pixelSteps / (rate * static_cast<double>(slotList.size()) / known);
  }
  return estimate;
}

QString costInWords(const CostEstimate& estimate) {
  QStringList words;
  if (estimate.seconds && estimate.devices > 0) {
    words << RunCost::tr("about %1 on %n device(s)", nullptr, estimate.devices).arg(durationInWords(*estimate.seconds));
  }
  if (estimate.bytes > 0) {
    words << models::sizeText(estimate.bytes).replace(u' ', QChar::Nbsp);
  }
  return words.join(QStringLiteral("\u00a0· "));
}

RunCost::RunCost(RunForm& form, DescribeModel describeModel, std::optional<library::Location> location, Slots ticked,
                 QObject* parent)
    : QObject(parent),
      m_form(form),
      m_describeModel(std::move(describeModel)),
      m_location(std::move(location)),
      m_ticked(std::move(ticked)) {
  m_threads.setMaxThreadCount(1);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kDelayMs);
  connect(&m_timer, &QTimer::timeout, this, &RunCost::show);
  connect(&form, &RunForm::changed, this, &RunCost::update);
  connect(&form.settings(), &RunSettings::modelChanged, this, &RunCost::read);
}

RunCost::~RunCost() {
  m_threads.clear();
  m_threads.waitForDone();
}

void RunCost::update() {
  if (!m_timer.isActive()) {
    m_timer.start();
  }
}

void RunCost::read() {
  const QString reference = m_form.settings().modelReference();
  if (reference != m_reference) {
    m_reference = reference;
    m_side = {};
    update();
  }
  if (reference.isEmpty()) {
    return;
  }
  m_threads.clear();
  m_threads.start([this, reference] {
    const auto model = m_describeModel(reference);
    std::vector<queue::DeviceSpeed> speeds;
    if (model && m_location) {
      if (const auto reader = queue::QueueReader::open(*m_location)) {
        if (auto all = (*reader)->speeds()) {
          const QString name = model->summary.name;
          std::erase_if(*all, [&name](const queue::DeviceSpeed& speed) { return speed.modelName != name; });
          speeds = std::move(*all);
        }
      }
    }
    QMetaObject::invokeMethod(
        this,
        [this, reference, speeds = std::move(speeds), side = model ? QSize(model->width, model->height) : QSize()] {
          if (reference == m_reference) {
            m_side = side;
            m_speeds = speeds;
            update();
          }
        },
        Qt::QueuedConnection);
  });
}

void RunCost::show() {
  RunInput shared;
  const RunSettings& settings = m_form.settings();
  if (const auto size = settings.size()) {
    shared.width = size->width();
    shared.height = size->height();
  } else if (m_side.isEmpty()) {
    m_form.setCost({});
    return;
  }
  shared.steps = settings.steps();
  shared.imagesPerPrompt = settings.imagesPerPrompt();
  const bool doSamplesYield = m_form.prompts().doSamplesYield();
  PictureWork work = doSamplesYield ? PictureWork() : workOf(m_form.prompts().list().entries(), shared, m_side);
  // What is being typed counts too.
  const PictureWork typed = workOf(m_form.prompts().typedEntries(), shared, m_side);
  work.pixels += typed.pixels;
  work.pixelSteps += typed.pixelSteps;
  m_form.setCost(costInWords(estimateCost(work, m_speeds, m_ticked())));
}

}  // namespace polyptych::ui
