#include "ui/gallery/row_data.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ui/gallery/picture_library.h"

namespace polyptych::ui {
namespace {

constexpr int kRowsKept = 6000;

}  // namespace

RowData::RowData(PictureLibrary& library) : m_library(library), m_rows(kRowsKept) {
  m_timer.setSingleShot(true);
  m_timer.setInterval(0);
  QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { m_library.askRows(std::exchange(m_toAsk, {})); });
}

void RowData::ask(qint64 id, int row) {
  if (id == 0 || m_asked.contains(id) || m_rows.contains(id)) {
    return;
  }
  m_asked.insert(id, row);
  m_toAsk.push_back(id);
  if (!m_timer.isActive()) {
    m_timer.start();
  }
}

void RowData::renew(const std::vector<qint64>& ids) {
  std::ranges::copy_if(ids, std::back_inserter(m_toAsk), [this](qint64 id) { return m_rows.contains(id); });
  m_timer.start();
}

std::optional<int> RowData::take(const gallery::PictureRow& row) {
  m_rows.insert(row.id, new gallery::PictureRow(row));
  const auto asked = m_asked.constFind(row.id);
  if (asked == m_asked.constEnd()) {
    return std::nullopt;
  }
  const int place = *asked;
  m_asked.erase(asked);
  return place;
}

}  // namespace polyptych::ui
