#pragma once

#include <QDateTime>
#include <QObject>
#include <QThreadPool>
#include <QTimer>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/gallery/manifest_row.h"
#include "core/gallery/run_folder.h"
#include "core/library/writer.h"
#include "core/queue/jobs.h"
#include "core/queue/runs.h"

namespace polyptych::backend {

/// Where a run's pictures go. Made by the coordinator, used by the file thread alone.
struct RunFiles {
  QString path;  ///< absolute
  QString fingerprint;
  std::unique_ptr<gallery::RunFolder> folder;  ///< opened when it is first needed
  quint64 runId = 0;                           ///< of the rows, known to the coordinator's thread alone; may change
};

/// A finished unit on its way to the disk.
struct UnitRecord {
  std::shared_ptr<RunFiles> files;
  qint64 jobId = 0;
  qint64 lease = 0;
  std::vector<domain::PictureMetadata> pictures;
  std::vector<bool> isPresent;  ///< has its row already
  std::vector<qint64> promptRows;
  std::vector<qint64> settingsRows;
  std::optional<queue::Change> change;       ///< of the plan, to be recorded with the job
  std::vector<std::vector<std::byte>> pngs;  ///< one a picture
  gallery::PictureOrigin origin;
};

/// An attempt that ended without pictures.
struct EndRecord {
  std::shared_ptr<RunFiles> files;
  queue::AttemptEnd end;
  std::vector<domain::PictureMetadata> pictures;  ///< get a row in the manifest if the job failed for good
  gallery::PictureOrigin origin;
};

/// What is true on the disk now.
struct Recorded {
  bool isRefused = false;  ///< the job is not this attempt's any more
  std::vector<gallery::RunFolder::Saved> saved;
  queue::RunRow run;
  bool isRunOver = false;  ///< by this
};

/// Brings results to the disk in the order that loses nothing: files, synced; then, in one transaction that results share, the
/// pictures' rows and the job's end; then the manifest; then whoever asked is told. Lives on one thread; files and rows are
/// written by a thread each. A disk that cannot be written, is away or does not answer makes it wait and try again, with folders
/// that are opened anew; nothing is thrown away.
class Recorder : public QObject {
  Q_OBJECT
 public:
  using Done = std::function<void(base::Result<Recorded>)>;

  /// @param patience  a disk that takes nothing for so long is told of
  explicit Recorder(library::Writer& writer, std::chrono::milliseconds patience, QObject* parent = nullptr);
  /// Finishes what it can.
  ~Recorder() override;

  /// `done` gets Corrupt if the bytes are not the pictures that were asked for, AlreadyExists if somebody else's file is in the
  /// way; the attempt is still open then.
  void saveUnit(UnitRecord record, Done done);
  void endUnit(EndRecord record, Done done);
  /// Syncs and unlocks a run's folder after everything that was asked before.
  void closeFiles(std::shared_ptr<RunFiles> files, std::function<void()> done);

  /// Waits until what was asked is on the disk, or the disk refuses; nobody is told any more. Before the writer goes.
  /// @return whether all of it is
  bool finish();

  /// Units and bytes that are not on the disk yet: no new unit is begun above a limit.
  int pendingUnits() const { return m_pendingUnits; }
  qint64 pendingBytes() const { return m_pendingBytes; }
  bool isTroubled() const { return m_isTroubled; }

 Q_SIGNALS:
  /// The folder of the pictures, or the index, cannot be written, in words.
  void troubled(const polyptych::base::Error& error);
  void recovered();

 private:
  struct Unit {
    UnitRecord record;
    std::shared_ptr<Done> done;
    QDateTime time;
    std::vector<gallery::RunFolder::Saved> saved;
    std::optional<base::Error> refusal;
  };
  struct Rows {
    std::shared_ptr<RunFiles> files;
    QByteArray text;
    std::function<void()> done;
  };

  void startFileThread();
  void drain();
  /// @return what is wrong with the disk
  base::Result<void> writeUnit(Unit& unit);
  /// @return what is wrong with the disk; the rows that are left are in m_rows again
  base::Result<void> drainRows(std::deque<Rows> rows);
  /// On the file thread: what was not written waits, with folders that are opened anew.
  void putBack(std::vector<std::shared_ptr<Unit>> units, const base::Error& error);
  /// @param isWhole  the disk took rows of manifests too
  void onFilesWritten(const std::vector<std::shared_ptr<Unit>>& units, bool isWhole);
  void writeRow(const std::shared_ptr<Unit>& unit);
  void appendRows(std::shared_ptr<RunFiles> files, QByteArray text, std::function<void()> done);
  void setTroubled(const base::Error* error);
  /// The disk took something, or has nothing to take.
  void noteAnswer();
  void onSilence();

  library::Writer& m_writer;
  QThreadPool m_thread;
  std::mutex m_mutex;
  std::deque<std::shared_ptr<Unit>> m_units;
  std::deque<Rows> m_rows;
  bool m_isDraining = false;
  QTimer m_retry;
  QTimer m_silence;  ///< runs while the disk has something to take
  int m_pendingUnits = 0;
  qint64 m_pendingBytes = 0;
  bool m_isTroubled = false;
  bool m_isSilent = false;  ///< the trouble is that the disk does not answer
};

}  // namespace polyptych::backend
