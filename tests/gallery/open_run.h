#pragma once

#include <memory>

#include "core/gallery/output_folder.h"

namespace polyptych::tests {

/// A run in its folder as it goes from picture to picture: file, then row.
class OpenRun {
 public:
  static base::Result<std::unique_ptr<OpenRun>> open(const QString& path, const gallery::FolderRun& run,
                                                     gallery::FolderHandle::BeforeChange beforeChange = {}) {
    auto opened = gallery::OutputFolder::open(path, run, std::move(beforeChange));
    if (!opened) {
      return opened.error();
    }
    std::unique_ptr<OpenRun> result(new OpenRun);
    result->m_run = run;
    for (std::size_t i = 0; i < run.pictures.size(); ++i) {
      result->m_isFinished.push_back((*opened)->isFinished(i));
      result->m_paths << (*opened)->pathOf(i);
    }
    result->m_folder = (*opened)->release();
    return result;
  }

  using Saved = gallery::RunFolder::Saved;

  base::Result<Saved> save(std::size_t index, const std::vector<std::byte>& png, const gallery::PictureOrigin& origin) {
    using IfOther = gallery::RunFolder::IfOther;
    const domain::PictureMetadata& picture = m_run.pictures.at(index);
    const auto saved = m_folder->save(picture, png, m_isFinished[index] ? IfOther::Keep : IfOther::Replace);
    if (!saved || m_isFinished[index]) {
      return saved;
    }
    if (auto synced = m_folder->sync(); !synced) {
      return synced.error();
    }
    if (auto added = m_folder->append(m_folder->rowOf(picture, origin, QDateTime::currentDateTimeUtc())); !added) {
      return added.error();
    }
    m_isFinished[index] = true;
    return saved;
  }
  base::Result<void> saveFailure(std::size_t index, const base::Error& error, const gallery::PictureOrigin& origin) {
    return m_folder->append(m_folder->failureRowOf(m_run.pictures.at(index), origin, error, QDateTime::currentDateTimeUtc()));
  }
  bool isFinished(std::size_t index) const { return m_isFinished.at(index); }
  std::size_t finishedCount() const {
    return static_cast<std::size_t>(std::count(m_isFinished.begin(), m_isFinished.end(), true));
  }
  QString pathOf(std::size_t index) const { return m_paths.at(static_cast<qsizetype>(index)); }

 private:
  OpenRun() = default;
  gallery::FolderRun m_run;
  std::vector<bool> m_isFinished;
  QStringList m_paths;
  std::unique_ptr<gallery::RunFolder> m_folder;
};

}  // namespace polyptych::tests
