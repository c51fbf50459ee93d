#pragma once

#include <QSet>
#include <vector>

#include "core/backend/backend.h"
#include "ui/gallery/gallery_item.h"

namespace polyptych::ui {

/// Marks that are shown before the library has been read with them in it.
class PendingMarks {
 public:
  bool isEmpty() const { return m_pending.empty(); }
  /// @param number  of the marker
  void add(quint64 number, const backend::MarkChange& change);
  void drop(quint64 number);
  /// It is in the library: an answer to a query from now on shows it.
  void confirm(quint64 number);
  /// A query begins. @param ticket  its number
  void beginQuery(quint64 ticket);
  /// And is answered.
  void endQuery(quint64 ticket);
  /// Changes what the items say of themselves.
  void applyTo(std::vector<GalleryItem>& items) const;

 private:
  struct Pending {
    quint64 number = 0;
    backend::MarkChange change;
    QSet<qint64> ids;
    quint64 untilTicket = 0;  ///< 0: not confirmed
  };
  std::vector<Pending> m_pending;
};

}  // namespace polyptych::ui
