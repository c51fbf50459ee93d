#pragma once

#include <QByteArray>
#include <QString>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/result.h"
#include "core/protocol/frame.h"

/// Messages between a face and polyptych-core: core/backend/FACES.md.
namespace polyptych::backend::face {

/// The face's first message.
struct Hello {
  QByteArray token;  ///< from the library's lock file
  QString version;   ///< of the program
  QString face;      ///< for the log: "window", "command line"
};
struct Submit {
  RunSpec spec;  ///< with an id
};
struct CancelRun {
  quint64 runId = 0;
};
struct Control {
  quint64 commandId = 0;  ///< the face's own number
  Command command;
};
struct ListDevices {};
struct Refresh {};
/// The face leaves. With `waits` it keeps the connection until the backend has ended, if nobody else needs that.
struct Goodbye {
  bool waits = false;
};
/// In place of Hello: a backend that is idle and has no face is to end.
struct Retire {
  QByteArray token;
  QString version;
};
/// After a connection broke: the ends of these runs are told again if they were there.
struct Await {
  std::vector<quint64> runIds;
};

/// devicesMeasured is wanted by this face, or not any more.
struct WatchDevices {
  bool isWanted = false;
};

struct Welcome {
  QString version;
  qint64 pid = 0;
  QString libraryRoot;
};
/// The answer to Hello or Retire that lets nobody in.
struct Refused {
  base::Error error;
};
struct Retiring {};
struct Devices {
  std::vector<domain::DeviceInfo> devices;
};
struct QueueChanged {
  QueueStatus status;
};
struct RunChanged {
  RunStatus status;
};
struct CommandDone {
  CommandResult result;  ///< commandId: the face's own number
};
struct RunStarted {
  quint64 runId = 0;
  qint64 total = 0;
  qint64 alreadyThere = 0;
};
struct SlotChanged {
  SlotStatus status;
};
struct StepFinished {
  quint64 runId = 0;
  SlotStatus status;
};
struct Preview {
  quint64 runId = 0;
  qint64 index = 0;
  QString slotId;
  domain::Image image;
};
struct PictureFinished {
  PictureEvent picture;
};
struct PictureFailed {
  FailureEvent failure;
};
struct Trace {
  quint64 runId = 0;
  QByteArray safetensors;
};
struct Warned {
  quint64 runId = 0;
  domain::Warning warning;
};
struct RunFinished {
  RunSummary summary;
};
struct Lost {
  base::Error error;
};

struct DevicesMeasured {
  std::vector<DeviceReading> readings;
};
struct PicturesMarked {
  std::vector<qint64> pictures;
};
struct LimitsChanged {
  pool::SupervisionLimits limits;
};

/// In the order of their numbers on the wire, which never change; those up to Await, and WatchDevices, come from the face.
using Message =
    std::variant<Hello, Submit, CancelRun, Control, ListDevices, Refresh, Goodbye, Retire, Await, Welcome, Refused, Retiring,
                 Devices, QueueChanged, RunChanged, CommandDone, RunStarted, SlotChanged, StepFinished, Preview, PictureFinished,
                 PictureFailed, Trace, Warned, RunFinished, Lost, WatchDevices, DevicesMeasured, PicturesMarked, LimitsChanged>;

inline constexpr std::uint16_t kFirstMessageType = 100;
inline constexpr std::size_t kMaxTokenLength = 256;
inline constexpr std::size_t kMaxDevices = 1024;
inline constexpr std::size_t kMaxCoresOfSlot = 4096;
inline constexpr std::size_t kMaxNamesOfMarks = 1000;
inline constexpr std::size_t kMaxAwaitedRuns = 10'000;
inline constexpr std::size_t kMaxSelectedJobs = 4'000'000;
inline constexpr int kMaxPreviewSide = 1024;
/// Run and command numbers are exact in JSON.
inline constexpr std::int64_t kMaxId = std::int64_t(1) << 53;

/// For the log and for errors. @return static storage
const char* nameOf(const Message& message);
bool isFromFace(const Message& message);

/// A whole frame. Sentences that are too long are cut; anything else that does not fit is refused. @return InvalidArgument
base::Result<QByteArray> encode(const Message& message);

/// @return Protocol, with what is wrong
base::Result<Message> decode(protocol::Frame frame);

}  // namespace polyptych::backend::face
