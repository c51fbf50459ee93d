#pragma once

#include <QString>
#include <QStringList>
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/remote_backend.h"

namespace polyptych::tests {

/// What a torture does; everything follows from these numbers.
struct TorturePlan {
  quint32 seed = 1;
  int kills = 60;
  int jobs = 2000;
  int workers = 4;
  int faces = 3;
  int stepMs = -1;  ///< of the fake workers; -1: 0 to 2, by the seed
  int gapMs = 30;   ///< mean time between two ends
  QString worker;   ///< a real one; empty: the fake one
  QString model;    ///< a folder, for the real one
  int side = 32;    ///< of the larger pictures
  int steps = 1;    ///< least of a picture

  /// Jobs of each run: mostly so few that an end meets each of their steps, some times more than there are workers.
  std::vector<int> runs() const;
  QStringList arguments() const;
  /// The program that makes the pictures.
  QString workerProgram() const;
  /// Takes its options out of the list. @return what is wrong; empty if nothing is
  QString take(QStringList& arguments);
};

/// Run `number` of the plan; always the same.
backend::RunSpec tortureRun(const TorturePlan& plan, int number);
quint64 tortureRunId(const TorturePlan& plan, int number);

backend::RemoteBackendOptions tortureBackend(const TorturePlan& plan, const QString& failFile);

/// The program as a face: `torture --face N LIBRARY FAILFILE`. Reads "go COUNT" (so many of the plan's runs may be submitted; it
/// has every faces-th of them) and "quit" from stdin; prints "started NUMBER" and "finished NUMBER", or "lost WORDS" and ends.
int runTortureFace(const TorturePlan& plan, int face, const QString& library, const QString& failFile);

}  // namespace polyptych::tests
