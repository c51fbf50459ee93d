#pragma once

#include <QHash>
#include <QString>
#include <vector>

#include "ui/gallery/gallery_item.h"
#include "ui/gallery/live_runs.h"
#include "ui/gallery/pending_marks.h"
#include "ui/gallery/picture_library.h"

namespace polyptych::ui {

/// What the gallery's rows are made of.
struct ArrangementInput {
  const GalleryQuery& query;
  const QString& searchForm;                         ///< of the query's text
  const std::vector<gallery::PictureEntry>& stored;  ///< of the library, in the query's order
  bool isWhole = true;                               ///< false: more of them follow
  const LiveRuns& live;
  const PendingMarks& pending;
  const QHash<quint64, gallery::RunHeading>& headings;
  const QHash<qint64, quint64>& promptTexts;
};

/// The library's pictures and in their places those that are still to come, in the query's order and its groups.
std::vector<GalleryItem> arranged(const ArrangementInput& input);

}  // namespace polyptych::ui
