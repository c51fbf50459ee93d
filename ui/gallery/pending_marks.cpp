#include "ui/gallery/pending_marks.h"

#include <limits>

namespace polyptych::ui {
namespace {

/// The next query.
constexpr quint64 kNext = std::numeric_limits<quint64>::max();

}  // namespace

void PendingMarks::add(quint64 number, const backend::MarkChange& change) {
  m_pending.push_back({number, change, QSet<qint64>(change.pictures.begin(), change.pictures.end()), 0});
}

void PendingMarks::drop(quint64 number) {
  std::erase_if(m_pending, [&](const Pending& pending) { return pending.number == number; });
}

void PendingMarks::confirm(quint64 number) {
  for (Pending& pending : m_pending) {
    if (pending.number == number) {
      pending.untilTicket = kNext;
    }
  }
}

void PendingMarks::beginQuery(quint64 ticket) {
  for (Pending& pending : m_pending) {
    if (pending.untilTicket == kNext) {
      pending.untilTicket = ticket;
    }
  }
}

void PendingMarks::endQuery(quint64 ticket) {
  std::erase_if(m_pending, [&](const Pending& pending) { return pending.untilTicket != 0 && pending.untilTicket <= ticket; });
}

void PendingMarks::applyTo(std::vector<GalleryItem>& items) const {
  for (const Pending& pending : m_pending) {
    for (GalleryItem& item : items) {
      if (item.entry.id == 0 || !pending.ids.contains(item.entry.id)) {
        continue;
      }
      item.entry.stars = static_cast<qint8>(pending.change.stars.value_or(item.entry.stars));
      item.entry.pick = static_cast<qint8>(pending.change.pick.value_or(item.entry.pick));
      item.entry.isTrashed = pending.change.isTrashed.value_or(item.entry.isTrashed);
    }
  }
}

}  // namespace polyptych::ui
