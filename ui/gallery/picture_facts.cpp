#include "ui/gallery/picture_facts.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QFileInfo>
#include <QLocale>

#include "ui/devices/device_card.h"

namespace polyptych::ui {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(polyptych::ui::PictureFacts)
};

}  // namespace

std::vector<Fact> factsOf(const gallery::PictureDetails& details) {
  const domain::PictureMetadata& metadata = details.metadata;
  const domain::GenerationRequest& request = metadata.request;
  const QLocale locale;
  const auto number = [&](double value) { return locale.toString(value, 'g', 6); };
  const QString yes = Words::tr("yes");
  const QString device = details.origin.device.isEmpty() ? QString() : slotName(details.origin.device);
  std::vector<Fact> facts{
      {Words::tr("Prompt"), QString::fromStdString(request.prompt)},
      {Words::tr("Negative prompt"), QString::fromStdString(request.negativePrompt.value_or(""))},
      {Words::tr("Seed"), QString::number(request.seed)},
      {Words::tr("Size"), QStringLiteral("%1 × %2").arg(request.width).arg(request.height)},
      {Words::tr("Steps"), QString::number(request.steps)},
      {Words::tr("Guidance"), number(request.guidanceScale)},
      {Words::tr("Guidance rescale"), request.guidanceRescale > 0 ? number(request.guidanceRescale) : QString()},
      {Words::tr("Scheduler"), QString::fromStdString(request.scheduler)},
      {Words::tr("Clip skip"), request.clipSkip ? QString::number(*request.clipSkip) : QString()},
      {Words::tr("Model"), QString::fromStdString(metadata.modelName)},
      {Words::tr("Model hash"), QString::fromStdString(metadata.modelHash).left(12)},
      {Words::tr("Arithmetic"), QString::fromStdString(domain::toString(metadata.computeType))},
      {Words::tr("Noise"), QString::fromStdString(domain::toString(metadata.noise))},
      {Words::tr("Batch"), QString::number(metadata.batch)},
      {Words::tr("Threads"), QString::number(metadata.threads)},
      {Words::tr("VAE in slices"), metadata.vaeSlicing ? yes : QString()},
      {Words::tr("VAE in tiles"), metadata.vaeTiling ? yes : QString()},
      {Words::tr("Run"), QString::number(details.row.runNumber)},
      {Words::tr("Number in the run"), QString::number(details.row.index + 1)},
      {Words::tr("Made"), locale.toString(QDateTime::fromMSecsSinceEpoch(details.row.madeMs), QLocale::ShortFormat)},
      {Words::tr("Device"),
       details.origin.deviceName.isEmpty() ? device : QStringLiteral("%1 (%2)").arg(details.origin.deviceName, device)},
      {Words::tr("Time"),
       details.origin.seconds > 0 ? Words::tr("%1 s").arg(locale.toString(details.origin.seconds, 'f', 1)) : QString()},
      {Words::tr("Program"), QString::fromStdString(metadata.programVersion)},
      {Words::tr("File"), QFileInfo(details.row.path).fileName()},
      {Words::tr("File size"), locale.formattedDataSize(details.row.bytes, 1)}};
  return facts;
}

}  // namespace polyptych::ui
