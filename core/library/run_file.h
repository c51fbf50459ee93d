#pragma once

#include <QByteArray>
#include <QString>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::library {

/// Name of the file that has all of a run, written and synced before the run's rows: with it a run outlives its database.
/// Dated libraries keep it in the run's folder, flat ones in Location::homeFolder().
inline constexpr char kRunFileName[] = "run.jsonl";
/// A file beside it, if RunRecord::hasLatents.
inline constexpr char kLatentsFileName[] = "initial-latents.safetensors";

/// A run as it was submitted; everything that its pictures depend on.
struct RunRecord {
  quint64 id = 0;
  qint64 number = 0;
  qint64 createdMs = 0;
  QString folder;        ///< of its pictures, relative to Location::picturesFolder(); "" in a flat library
  QString fingerprint;   ///< "run" of its manifest's rows
  domain::RunPlan plan;  ///< fixed
  bool wantsTrace = false;
  bool wantsPreviews = false;
  bool hasLatents = false;
  std::vector<domain::GenerationRequest> requests;  ///< by index; a process of a group has some of the numbers

  /// True if index i is at position i.
  bool isWhole() const;
};

/// Files that are longer are not to be read.
inline constexpr qint64 kMaxRunFileBytes = qint64(4) << 30;

/// What a run file may be read to: a few bytes of a line can stand for a prompt of some megabytes.
struct RunFileLimits {
  std::size_t pictures = 10'000'000;
  std::size_t repeatedTextBytes = std::size_t(1) << 30;  ///< of texts that lines take over from the line before
};

/// JSON lines: a header {"format": 1, ...}, then one object a request with only those members that differ from the line before
/// (`index` where it is not the next number). The last line says how many there were and has the SHA-256 of what
/// stands before it, so that a cut or damaged file is known. Texts must be UTF-8.
QByteArray toRunFile(const RunRecord& record);
/// @return Corrupt (cut, damaged, values out of range, above the limits), Unsupported (a newer format)
base::Result<RunRecord> fromRunFile(const QByteArray& bytes, const RunFileLimits& limits = {});

}  // namespace polyptych::library
