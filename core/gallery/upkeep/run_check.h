#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"
#include "core/gallery/upkeep/run_adoption.h"
#include "core/gallery/upkeep/run_rows.h"

namespace polyptych::gallery {

/// Holds the files of one run against its rows.
class RunCheck {
 public:
  /// All must outlive this. @param repair  inside the caller's transaction
  RunCheck(library::Database& database, const library::Location& location, const FolderReading& reading, const RunRows& rows,
           bool repair);

  /// Errors: those of library::Database; Io and DiskFull where something could not be mended.
  base::Result<std::vector<Finding>> run();

 private:
  bool mayBeMadeAgain() const { return !m_rows.record.plan.model.folder.empty(); }
  QString pathOf(const QString& name) const { return m_reading.path + u'/' + name; }
  void tell(FindingKind kind, const QString& path, const QString& what, const QString& repaired);

  base::Result<void> checkRunFile();
  base::Result<void> checkTemporaries();
  base::Result<void> checkPictures();
  base::Result<void> lose(const PictureRecord& picture, FindingKind kind, const QString& what);
  base::Result<void> checkFile(const PictureRecord& picture, const PictureFile& file);
  base::Result<void> adoptFiles();
  base::Result<void> checkManifest();
  base::Result<void> checkSidecars();
  base::Result<void> checkSidecar(const PictureRecord& picture, const PictureFile& file);
  base::Result<void> checkStraySidecars();
  base::Result<void> setFileAside(const QString& name);

  library::Database& m_database;
  const library::Location& m_location;
  const FolderReading& m_reading;
  const RunRows& m_rows;
  const bool m_repair;
  std::vector<Finding> m_findings;
  std::vector<const PictureRecord*> m_present;  ///< rows whose files are there
  std::vector<std::size_t> m_lost;              ///< indices
  std::vector<PictureRecord> m_adopted;
};

}  // namespace polyptych::gallery
