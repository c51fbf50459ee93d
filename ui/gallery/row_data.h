#pragma once

#include <QCache>
#include <QHash>
#include <QTimer>
#include <optional>
#include <vector>

#include "core/gallery/picture_reader.h"

namespace polyptych::ui {

class PictureLibrary;

/// What tiles show of pictures beside their entries: prompt, file, seed. Read when it is asked for; some thousands are kept.
class RowData {
 public:
  /// @param library  outlives it
  explicit RowData(PictureLibrary& library);

  /// Nothing if it is not here (yet).
  const gallery::PictureRow* of(qint64 id) const { return m_rows.object(id); }
  /// Asks for what is neither here nor asked for; what was asked since the last turn of the event loop goes together.
  /// @param row  where the picture stands now
  void ask(qint64 id, int row);
  bool isAsked(qint64 id) const { return m_asked.contains(id); }
  /// Asks for those that are here once more; they stay until then.
  void renew(const std::vector<qint64>& ids);
  /// @return the row at which the picture stood when it was asked for
  std::optional<int> take(const gallery::PictureRow& row);

 private:
  PictureLibrary& m_library;
  QCache<qint64, gallery::PictureRow> m_rows;
  QHash<qint64, int> m_asked;  ///< by id: its row at that time
  std::vector<qint64> m_toAsk;
  QTimer m_timer;
};

}  // namespace polyptych::ui
