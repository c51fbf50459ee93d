#include "ui/gallery/gallery_session.h"

#include <QSettings>
#include <algorithm>

#include "core/gallery/picture_marks.h"
#include "ui/gallery/picture_library.h"

namespace polyptych::ui {

GalleryQuery readQuery(const QSettings& settings) {
  GalleryQuery query;
  query.order = static_cast<GalleryQuery::Order>(std::clamp(settings.value(QStringLiteral("order"), 0).toInt(), 0, 3));
  query.grouping = static_cast<GalleryQuery::Grouping>(std::clamp(settings.value(QStringLiteral("grouping"), 1).toInt(), 0, 3));
  gallery::PictureFilter& filter = query.filter;
  filter.text = settings.value(QStringLiteral("text")).toString();
  filter.minStars = std::clamp(settings.value(QStringLiteral("stars"), 0).toInt(), 0, gallery::kMaxStars);
  if (settings.contains(QStringLiteral("pick"))) {
    filter.pick = std::clamp(settings.value(QStringLiteral("pick")).toInt(), -1, 1);
  }
  filter.tags = settings.value(QStringLiteral("tags")).toStringList();
  filter.album = settings.value(QStringLiteral("album")).toString();
  filter.model = settings.value(QStringLiteral("model")).toString();
  filter.runId = settings.value(QStringLiteral("run")).toULongLong();
  if (settings.contains(QStringLiteral("since"))) {
    filter.sinceMs = settings.value(QStringLiteral("since")).toLongLong();
    filter.untilMs = settings.value(QStringLiteral("until")).toLongLong();
  }
  return query;
}

void writeQuery(QSettings& settings, const GalleryQuery& query) {
  const gallery::PictureFilter& filter = query.filter;
  settings.setValue(QStringLiteral("order"), static_cast<int>(query.order));
  settings.setValue(QStringLiteral("grouping"), static_cast<int>(query.grouping));
  settings.setValue(QStringLiteral("text"), filter.text);
  settings.setValue(QStringLiteral("stars"), filter.minStars);
  if (filter.pick) {
    settings.setValue(QStringLiteral("pick"), *filter.pick);
  }
  settings.setValue(QStringLiteral("tags"), filter.tags);
  settings.setValue(QStringLiteral("album"), filter.album);
  settings.setValue(QStringLiteral("model"), filter.model);
  settings.setValue(QStringLiteral("run"), filter.runId);
  if (filter.sinceMs && filter.untilMs) {
    settings.setValue(QStringLiteral("since"), *filter.sinceMs);
    settings.setValue(QStringLiteral("until"), *filter.untilMs);
  }
}

}  // namespace polyptych::ui
