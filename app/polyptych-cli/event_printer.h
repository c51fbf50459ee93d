#pragma once

#include <QElapsedTimer>
#include <QString>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/polyptych-cli/exit_code.h"
#include "core/backend/backend.h"

namespace polyptych::cli {

/// How a run is told: JSON lines on standard output; or pictures on standard output and the rest on standard error, there with a
/// line for each device that is drawn again and again if it is a terminal.
enum class Telling { Json, Plain, Terminal };

/// What a run is, once it is sure to start.
struct RunFacts {
  std::int64_t total = 0;
  std::int64_t alreadyThere = 0;
  std::uint64_t seed = 0;  ///< of picture 0
  bool wasSeedDrawn = false;
  QString folder;
  domain::ModelSpec model;
  domain::GenerationRequest settings;
  domain::RunPlan plan;
  QStringList slotIds;
};

/// A run that several processes make.
struct GroupProgress {
  std::int64_t total = 0;
  std::int64_t alreadyThere = 0;
  std::vector<std::int64_t> made;  ///< by rank
  std::int64_t failed = 0;
};

/// Turns events of the backend into lines. Writes through functions that return false when nobody reads any more.
class EventPrinter {
 public:
  using Write = std::function<bool(std::string_view)>;

  /// @param columns  width of the terminal
  EventPrinter(Telling telling, Write toOutput, Write toError, int columns);

  void tellStarted(const RunFacts& facts);
  void tellDevice(const backend::SlotStatus& status);
  void tellStep(const backend::SlotStatus& status);
  void tellPicture(const backend::PictureEvent& picture);
  void tellFailure(const backend::FailureEvent& failure);
  /// The error that ends the run, or kept it from starting.
  void tellError(const base::Error& error);
  void tellFinished(const backend::RunSummary& summary, ExitCode code, double seconds);
  /// How far all processes of a group are; tells it when it is news, and not too often.
  void tellGroup(const GroupProgress& progress);
  /// A sentence on standard error, in every way of telling.
  void tellUser(const std::string& sentence);

  /// False once a line for standard output could not be written.
  bool isHeard() const { return m_isHeard; }

 private:
  void output(const std::string& line);
  void error(const std::string& line);
  void draw(bool now);
  void erase();

  Telling m_telling;
  Write m_toOutput;
  Write m_toError;
  int m_columns;
  bool m_isHeard = true;
  bool m_hasStarted = false;
  std::int64_t m_total = 0;
  std::int64_t m_done = 0;
  std::map<QString, backend::SlotStatus> m_slots;
  std::string m_groupLine;
  QElapsedTimer m_sinceGroup;
  int m_linesDrawn = 0;
  QElapsedTimer m_sinceDrawn;
};

/// "starting", "loading_model" and so on: a state in JSON and in words.
std::string stateName(backend::SlotState state);
/// The text without control characters, so that no message can steer a terminal.
std::string printable(std::string_view text);

}  // namespace polyptych::cli
