#include "ui/models_table.h"

#include <QDir>
#include <QRegularExpression>
#include <algorithm>
#include <array>
#include <utility>

#include "core/models/bundled_models.h"
#include "ui/elided.h"
#include "ui/error_text.h"

namespace polyptych::ui {
namespace {

using models::Fit;

bool isGpu(const domain::DeviceInfo& device) { return device.kind == domain::DeviceKind::Cuda; }

std::uint64_t peakOn(const models::ModelShape& shape, const domain::DeviceInfo& device) {
  return models::estimatePeakBytes(shape, isGpu(device) ? models::Arithmetic::Half : models::Arithmetic::Single, isGpu(device));
}

/// What the program's own sentences on a model come to, in the few words that a row has room for; the whole sentence, with the
/// path in front, is in the tip. Nothing for a sentence that is not known here.
QString reasonInWords(const QString& reason) {
  const struct {
    const char* pattern;
    const char* words;
  } kinds[] = {
      {" lacks (?:weights|parts|files that .* names): (.*)\\. Download",
       QT_TRANSLATE_NOOP("polyptych::ui::ModelsTable", "Parts are missing: %1")},
      {" (?:only as pickle files|names the pickle file) ",
       QT_TRANSLATE_NOOP("polyptych::ui::ModelsTable", "Its weights are pickle files, which are never opened")},
      {" is a model for (\\S+); ", QT_TRANSLATE_NOOP("polyptych::ui::ModelsTable", "This version does not run %1")},
      {" has the class (\\S+) as ", QT_TRANSLATE_NOOP("polyptych::ui::ModelsTable", "This version does not run %1")},
      {" is a model in a single file",
       QT_TRANSLATE_NOOP("polyptych::ui::ModelsTable", "A single file; a folder in diffusers format is needed")},
  };
  for (const auto& kind : kinds) {
    const auto found = QRegularExpression(QLatin1String(kind.pattern)).match(reason);
    if (found.hasMatch()) {
      const QString words = ModelsTable::tr(kind.words);
      return found.lastCapturedIndex() > 0 ? words.arg(found.captured(1)) : words;
    }
  }
  return {};
}

QString shortName(const domain::DeviceInfo& device) {
  const QString id = QString::fromStdString(device.id);
  return isGpu(device) ? QStringLiteral("GPU ") + id.section(u':', 1) : QStringLiteral("CPU");
}

}  // namespace

void ModelsTable::setEntries(QVector<ModelEntry> entries) {
  beginResetModel();
  m_entries = std::move(entries);
  endResetModel();
}

void ModelsTable::setDevices(std::vector<domain::DeviceInfo> devices) {
  m_devices = std::move(devices);
  if (!m_entries.isEmpty()) {
    Q_EMIT dataChanged(index(0, Memory), index(rowCount() - 1, Memory));
  }
}

void ModelsTable::setDefault(const QString& reference) {
  m_default = reference.isEmpty() ? QString(QLatin1String(models::kDemoModelName)) : reference;
  if (!m_entries.isEmpty()) {
    Q_EMIT dataChanged(index(0, Name), index(rowCount() - 1, Name));
  }
}

void ModelsTable::retranslate() {
  if (!m_entries.isEmpty()) {
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
  }
  Q_EMIT headerDataChanged(Qt::Horizontal, 0, ColumnCount - 1);
}

int ModelsTable::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_entries.size()); }

int ModelsTable::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString ModelsTable::note(const models::ModelSummary& model) const {
  if (!model.isUsable) {
    const QString words = reasonInWords(model.reason);
    return !words.isEmpty() ? words
                            : textOf({base::ErrorCode::ModelUnusable, model.reason.toStdString(), {}}, Subject::Model).sentence;
  }
  if (models::isBundledModel(model.reference)) {
    return tr("comes with the program");
  }
  return QDir::isAbsolutePath(model.reference) ? QDir::toNativeSeparators(model.reference) : tr("Hugging Face cache");
}

QString ModelsTable::memoryText(const ModelEntry& entry) const {
  if (!entry.shape) {
    return {};
  }
  if (m_devices.empty()) {
    return tr("no device is ticked");
  }
  std::array<QStringList, 3> names;
  std::uint64_t most = 0;
  for (const domain::DeviceInfo& device : m_devices) {
    const std::uint64_t peak = peakOn(*entry.shape, device);
    most = std::max(most, peak);
    if (device.totalBytes > 0) {
      names[static_cast<std::size_t>(models::fitOf(peak, device.totalBytes))] << shortName(device);
    }
  }
  QStringList parts{models::sizeText(static_cast<qint64>(most))};
  const std::array words{tr("fits"), tr("tight"), tr("does not fit")};
  // The worst first: it is what must not be cut off.
  for (std::size_t fit = names.size(); fit-- > 0;) {
    if (names[fit].size() == static_cast<qsizetype>(m_devices.size())) {
      parts << words[fit];
    } else if (!names[fit].isEmpty()) {
      parts << words[fit] + QStringLiteral(": ") + names[fit].join(QStringLiteral(", "));
    }
  }
  return parts.join(QStringLiteral(" · "));
}

QString ModelsTable::memoryTip(const ModelEntry& entry) const {
  if (!entry.shape) {
    return {};
  }
  QStringList lines{tr("Estimated for one picture of %1 × %2.").arg(entry.shape->width).arg(entry.shape->height)};
  for (const domain::DeviceInfo& device : m_devices) {
    lines << (device.totalBytes > 0
                  ? tr("%1: about %2 of %3")
                        .arg(shortName(device), models::sizeText(static_cast<qint64>(peakOn(*entry.shape, device))),
                             models::sizeText(static_cast<qint64>(device.totalBytes)))
                  : tr("%1: memory not known").arg(shortName(device)));
  }
  return wrappedTip(lines.join(u'\n'));
}

QVariant ModelsTable::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const ModelEntry& entry = m_entries[index.row()];
  const models::ModelSummary& model = entry.summary;
  switch (role) {
    case ReferenceRole:
      return model.reference;
    case PathRole:
      return model.path;
    case UsableRole:
      return model.isUsable;
    case DefaultRole:
      return model.reference == m_default;
    case NoteRole:
      return note(model);
    case FactsRole: {
      QStringList facts{model.family, model.bytes > 0 ? models::sizeText(model.bytes) : QString(), model.precision};
      facts.removeAll(QString());
      return facts.join(QStringLiteral(" · "));
    }
    case FitRole: {
      std::optional<Fit> worst;
      for (const domain::DeviceInfo& device : m_devices) {
        if (entry.shape && device.totalBytes > 0) {
          worst = std::max(worst.value_or(Fit::Fits), models::fitOf(peakOn(*entry.shape, device), device.totalBytes));
        }
      }
      return worst ? QVariant(static_cast<int>(*worst)) : QVariant();
    }
    case Qt::AccessibleTextRole:
      if (index.column() == Name) {
        return QStringList{model.name, note(model), model.reference == m_default ? tr("default") : QString()}.join(
            QStringLiteral(", "));
      }
      break;
    case Qt::ToolTipRole:
      if (index.column() == Memory) {
        return memoryTip(entry);
      }
      return wrappedTip(model.isUsable ? QDir::toNativeSeparators(model.path) : model.path + u'\n' + model.reason);
    default:
      break;
  }
  if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) {
    return {};
  }
  switch (index.column()) {
    case Name:
      return model.name;
    case Family:
      return model.family;
    case Size:
      return model.bytes > 0 ? models::sizeText(model.bytes) : QString();
    case Precision:
      return model.precision;
    case Memory:
      return memoryText(entry);
    default:
      return {};
  }
}

QVariant ModelsTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) {
    return {};
  }
  if (role == Qt::TextAlignmentRole) {
    return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
  }
  if (role != Qt::DisplayRole) {
    return {};
  }
  switch (section) {
    case Name:
      return tr("Model");
    case Family:
      return tr("Family");
    case Size:
      return tr("On disk");
    case Precision:
      return tr("Precision");
    case Memory:
      return tr("Memory");
    default:
      return {};
  }
}

}  // namespace polyptych::ui
