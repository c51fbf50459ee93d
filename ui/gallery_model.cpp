#include "ui/gallery_model.h"

#include <QImageReader>
#include <QPointer>
#include <algorithm>
#include <utility>

#include "ui/elided.h"
#include "ui/images.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// Twice the tile, for screens of high density.
constexpr int kThumbnailSide = 2 * Metrics::kTile;

}  // namespace

GalleryModel::GalleryModel(QObject* parent, qsizetype thumbnailBytes) : QAbstractListModel(parent), m_thumbnails(thumbnailBytes) {
  m_threads.setMaxThreadCount(2);
}

GalleryModel::~GalleryModel() {
  m_threads.clear();
  m_threads.waitForDone();
}

int GalleryModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_items.size()); }

QVariant GalleryModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const Item& item = m_items[index.row()];
  switch (role) {
    case Qt::DecorationRole:
      return pictureOf(item);
    case Qt::ToolTipRole:
      return wrappedTip(item.state == State::Failed ? item.prompt + u'\n' + tipOf(item.reason) : item.prompt);
    case Qt::AccessibleTextRole:
      return item.prompt;
    case StateRole:
      return QVariant::fromValue(item.state);
    case PathRole:
      return item.path;
    case PartRole:
      return item.part;
    case PromptRole:
      return item.prompt;
    case SeedRole:
      return item.seed;
    case ReasonRole:
      return item.reason.sentence;
    default:
      return {};
  }
}

void GalleryModel::addRun(quint64 runId, const std::vector<domain::GenerationRequest>& requests,
                          const std::vector<QString>& pictures) {
  const auto known = m_firstRow.constFind(runId);
  int row = known == m_firstRow.constEnd() ? rowCount() : *known;
  QVector<Item> missing;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const domain::GenerationRequest& request = requests[i];
    const QString path = i < pictures.size() ? pictures[i] : QString();
    if (row < rowCount() && m_items[row].runId == runId && m_items[row].index == request.index) {
      const int added = static_cast<int>(missing.size());
      insert(row, std::exchange(missing, {}));
      row += added;
      if (!path.isEmpty() && m_items[row].state != State::Done) {
        m_items[row].state = State::Done;
        m_items[row].path = path;
        touch(row);
      }
      ++row;
      continue;
    }
    Item item;
    item.runId = runId;
    item.index = request.index;
    item.prompt = QString::fromStdString(request.prompt);
    item.seed = request.seed;
    item.path = path;
    item.state = path.isEmpty() ? State::Waiting : State::Done;
    missing.push_back(std::move(item));
  }
  insert(row, std::move(missing));
  findFirstRows();
}

void GalleryModel::insert(int row, QVector<Item> items) {
  if (items.isEmpty()) {
    return;
  }
  const int count = static_cast<int>(items.size());
  beginInsertRows({}, row, row + count - 1);
  if (row == rowCount()) {
    m_items.append(std::move(items));
  } else {
    m_items.insert(row, count, Item());
    std::move(items.begin(), items.end(), m_items.begin() + row);
  }
  endInsertRows();
}

void GalleryModel::findFirstRows() {
  m_firstRow.clear();
  for (int row = rowCount() - 1; row >= 0; --row) {
    m_firstRow.insert(m_items[row].runId, row);
  }
}

int GalleryModel::rowOf(quint64 runId, qint64 index) const {
  const auto first = m_firstRow.constFind(runId);
  if (first == m_firstRow.constEnd() || index < 0) {
    return -1;
  }
  // After dropUnfinished() rows of a run may be fewer: look from the place where it was at most.
  for (qint64 row = std::min<qint64>(*first + index, m_items.size() - 1); row >= *first; --row) {
    const Item& item = m_items[static_cast<int>(row)];
    if (item.runId == runId && item.index == index) {
      return static_cast<int>(row);
    }
  }
  return -1;
}

void GalleryModel::touch(int row) { Q_EMIT dataChanged(index(row), index(row)); }

void GalleryModel::setProgress(quint64 runId, qint64 first, int batch, double part) {
  for (qint64 i = first; i < first + batch; ++i) {
    const int row = rowOf(runId, i);
    if (row >= 0 && m_items[row].state != State::Done) {
      m_items[row].state = State::Working;
      m_items[row].part = part;
      touch(row);
    }
  }
}

void GalleryModel::setPreview(quint64 runId, qint64 i, const domain::Image& preview) {
  const int row = rowOf(runId, i);
  if (row >= 0 && m_items[row].state != State::Done && !preview.isNull()) {
    m_items[row].preview = QPixmap::fromImage(toQImage(preview));
    touch(row);
  }
}

void GalleryModel::setDone(quint64 runId, qint64 i, const QString& path) {
  const int row = rowOf(runId, i);
  if (row < 0) {
    return;
  }
  m_items[row].state = State::Done;
  m_items[row].path = path;
  touch(row);
}

void GalleryModel::setFailed(quint64 runId, qint64 i, const ErrorText& reason) {
  const int row = rowOf(runId, i);
  if (row >= 0 && m_items[row].state != State::Done) {
    m_items[row].state = State::Failed;
    m_items[row].reason = reason;
    touch(row);
  }
}

void GalleryModel::dropUnfinished(quint64 runId) {
  const auto isToGo = [&](int row) {
    const Item& item = m_items[row];
    return item.runId == runId && (item.state == State::Waiting || item.state == State::Working);
  };
  // Neighbours go together: each removal makes the view lay itself out.
  for (int last = rowCount() - 1; last >= 0; --last) {
    if (!isToGo(last)) {
      continue;
    }
    int first = last;
    while (first > 0 && isToGo(first - 1)) {
      --first;
    }
    beginRemoveRows({}, first, last);
    m_items.remove(first, last - first + 1);
    endRemoveRows();
    last = first;
  }
  findFirstRows();
}

void GalleryModel::setNothingInWork() {
  for (int row = 0; row < rowCount(); ++row) {
    if (m_items[row].state == State::Working) {
      m_items[row].state = State::Waiting;
      m_items[row].preview = {};
      touch(row);
    }
  }
}

int GalleryModel::nextDone(int row, int direction) const {
  for (int i = row; i >= 0 && i < rowCount(); i += direction) {
    if (m_items[i].state == State::Done) {
      return i;
    }
  }
  return -1;
}

/// The thumbnail if it is there; if not, it is sent for, and the preview stands in.
QPixmap GalleryModel::pictureOf(const Item& item) const {
  if (item.state != State::Done) {
    return item.preview;
  }
  const Key key{item.runId, item.index};
  if (const QPixmap* thumbnail = m_thumbnails.object(key)) {
    return *thumbnail;
  }
  if (!m_loading.contains(key)) {
    loadThumbnail(key, item.path);
  }
  return item.preview;
}

void GalleryModel::loadThumbnail(Key key, const QString& path) const {
  m_loading.insert(key);
  const QPointer<GalleryModel> self(const_cast<GalleryModel*>(this));
  m_threads.start(
      [self, key, path] {
        QImageReader reader(path);
        const QSize size = reader.size();
        if (size.isValid() && std::max(size.width(), size.height()) > kThumbnailSide) {
          reader.setScaledSize(size.scaled(kThumbnailSide, kThumbnailSide, Qt::KeepAspectRatio));
        }
        const QImage image = reader.read().convertToFormat(QImage::Format_ARGB32_Premultiplied);
        // The model waits for its threads before it goes, so it is there to be posted to.
        QMetaObject::invokeMethod(
            self.data(), [self, key, image] { self->takeThumbnail(key, image); }, Qt::QueuedConnection);
      },
      ++m_lastAsked);
}

void GalleryModel::takeThumbnail(Key key, const QImage& image) {
  m_loading.remove(key);
  const int row = rowOf(key.first, key.second);
  if (row < 0 || image.isNull()) {
    return;
  }
  m_items[row].preview = {};
  m_thumbnails.insert(key, new QPixmap(QPixmap::fromImage(image)), image.sizeInBytes());
  touch(row);
}

}  // namespace polyptych::ui
