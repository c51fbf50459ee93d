#pragma once

#include <QFileInfo>
#include <QObject>
#include <memory>
#include <optional>

#include "core/base/result.h"
#include "core/gallery/picture_reader.h"

namespace polyptych::ui {

/// A reader of a library's index, gallery::PictureReader or queue::QueueReader, that lives on a thread of its own with a
/// connection that is opened when it is first needed.
template <typename IndexReader>
class LazyReader : public QObject {
 public:
  explicit LazyReader(library::Location location) : m_location(std::move(location)) {}

  /// nullptr while there is no library, or with an error.
  IndexReader* reader(std::optional<base::Error>& error) {
    if (!m_reader && QFileInfo::exists(m_location.databaseFile())) {
      auto opened = IndexReader::open(m_location);
      if (opened) {
        m_reader = *std::move(opened);
      } else {
        error = opened.error();
      }
    }
    return m_reader.get();
  }

 private:
  const library::Location m_location;
  std::unique_ptr<IndexReader> m_reader;
};

}  // namespace polyptych::ui
