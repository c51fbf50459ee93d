#include "ui/gallery/picture_facts.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QFileInfo>
#include <QLocale>

namespace polyptych::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("PictureFacts", text); }

}  // namespace

std::vector<Fact> factsOf(const gallery::PictureDetails& details) {
  const domain::PictureMetadata& metadata = details.metadata;
  const domain::GenerationRequest& request = metadata.request;
  const QLocale locale;
  const auto number = [&](double value) { return locale.toString(value, 'g', 6); };
  const QString yes = QCoreApplication::translate("PictureFacts", "yes");
  std::vector<Fact> facts{
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Prompt")), QString::fromStdString(request.prompt)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Negative prompt")), QString::fromStdString(request.negativePrompt.value_or(""))},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Seed")), QString::number(request.seed)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Size")), QStringLiteral("%1 × %2").arg(request.width).arg(request.height)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Steps")), QString::number(request.steps)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Guidance")), number(request.guidanceScale)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Guidance rescale")),
       request.guidanceRescale > 0 ? number(request.guidanceRescale) : QString()},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Scheduler")), QString::fromStdString(request.scheduler)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Clip skip")), request.clipSkip ? QString::number(*request.clipSkip) : QString()},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Model")), QString::fromStdString(metadata.modelName)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Model hash")), QString::fromStdString(metadata.modelHash).left(12)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Arithmetic")), QString::fromStdString(domain::toString(metadata.computeType))},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Noise")), QString::fromStdString(domain::toString(metadata.noise))},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Batch")), QString::number(metadata.batch)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Threads")), QString::number(metadata.threads)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "VAE in slices")), metadata.vaeSlicing ? yes : QString()},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "VAE in tiles")), metadata.vaeTiling ? yes : QString()},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Run")), QString::number(details.row.runNumber)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Number in the run")), QString::number(details.row.index + 1)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Made")),
       locale.toString(QDateTime::fromMSecsSinceEpoch(details.row.madeMs), QLocale::ShortFormat)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Device")),
       details.origin.deviceName.isEmpty() ? details.origin.device
                                           : QStringLiteral("%1 (%2)").arg(details.origin.deviceName, details.origin.device)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Time")),
       details.origin.seconds > 0
           ? QCoreApplication::translate("PictureFacts", "%1 s").arg(locale.toString(details.origin.seconds, 'f', 1))
           : QString()},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "Program")), QString::fromStdString(metadata.programVersion)},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "File")), QFileInfo(details.row.path).fileName()},
      {tr(QT_TRANSLATE_NOOP("PictureFacts", "File size")), locale.formattedDataSize(details.row.bytes, 1)}};
  return facts;
}

}  // namespace polyptych::ui
