#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/domain/engine.h"
#include "core/domain/image.h"
#include "core/domain/request.h"
#include "core/protocol/frame.h"

namespace polyptych::protocol {

/// Numbers on the wire; never reused.
enum class MessageType : std::uint16_t {
  Hello = 1,
  LoadModel = 2,
  LoadProgress = 3,
  Ready = 4,
  LoadFailed = 5,
  Generate = 6,
  Progress = 7,
  Preview = 8,
  PictureMade = 9,
  UnitDone = 10,
  UnitCancelled = 11,
  UnitFailed = 12,
  Cancel = 13,
  Heartbeat = 14,
  Shutdown = 15,
  Fatal = 16,
  Warning = 17,
  UnloadModel = 18,
  Unloaded = 19,
};

/// Limits of texts on the wire, in bytes of UTF-8.
inline constexpr std::size_t kMaxTokenBytes = 256;
inline constexpr std::size_t kMaxSentenceBytes = 64u << 10;
inline constexpr std::size_t kMaxWarnings = 256;
inline constexpr int kMaxPreviewSide = 1024;

/// Names one attempt at one unit. Every answer repeats both numbers: an answer with another lease belongs to an attempt that was
/// given up.
struct UnitKey {
  std::uint64_t unitId = 0;
  std::uint64_t lease = 0;

  friend bool operator==(const UnitKey&, const UnitKey&) = default;
};

/// Worker -> backend, first and once.
struct Hello {
  std::string token;  ///< the line that came on standard input
  std::int64_t pid = 0;
  std::string programVersion;   ///< POLYPTYCH_VERSION; picture bytes depend on it
  domain::DeviceReport device;  ///< what the worker really got

  friend bool operator==(const Hello&, const Hello&);
};

/// Backend -> worker. Replaces the model; answers are LoadProgress..., then Ready or LoadFailed.
struct LoadModel {
  std::uint64_t loadId = 0;  ///< repeated by the answers
  domain::ModelSpec model;
  domain::ComputeType computeType = domain::ComputeType::Fp32;

  friend bool operator==(const LoadModel&, const LoadModel&) = default;
};

struct LoadProgress {
  std::uint64_t loadId = 0;
  std::uint64_t doneBytes = 0;
  std::uint64_t totalBytes = 0;

  friend bool operator==(const LoadProgress&, const LoadProgress&) = default;
};

struct Ready {
  std::uint64_t loadId = 0;
  std::uint64_t weightBytes = 0;
  double seconds = 0;

  friend bool operator==(const Ready&, const Ready&) = default;
};

/// No model is loaded now; the worker goes on and may be given another. Cancelled after a Shutdown.
struct LoadFailed {
  std::uint64_t loadId = 0;
  base::Error error;

  friend bool operator==(const LoadFailed&, const LoadFailed&) = default;
};

/// Backend -> worker. Answers: Progress and Preview..., PictureMade for each request in order, then UnitDone; or UnitCancelled;
/// or UnitFailed. unit.initialLatents travels as an attachment.
struct Generate {
  std::uint64_t lease = 0;
  domain::UnitOfWork unit;

  UnitKey key() const { return {unit.id, lease}; }
  friend bool operator==(const Generate&, const Generate&);
};

struct Progress {
  UnitKey key;
  domain::StepProgress progress;
  double seconds = 0;  ///< since the unit began, by the worker's steady clock

  friend bool operator==(const Progress&, const Progress&);
};

/// The pixels travel as an attachment of exactly 3 * width * height bytes; sides at most kMaxPreviewSide.
struct Preview {
  UnitKey key;
  std::uint32_t requestInUnit = 0;
  domain::Image image;

  friend bool operator==(const Preview&, const Preview&) = default;
};

/// One finished picture with its metadata; the PNG file travels as an attachment.
struct PictureMade {
  UnitKey key;
  std::uint32_t requestInUnit = 0;
  int width = 0;
  int height = 0;
  double seconds = 0;  ///< from the unit's begin to this picture
  std::vector<std::byte> png;

  friend bool operator==(const PictureMade&, const PictureMade&) = default;
};

/// All pictures were sent. A trace travels as an attachment (none: no trace).
struct UnitDone {
  UnitKey key;
  double seconds = 0;
  std::vector<domain::Warning> warnings;
  std::vector<std::byte> trace;

  friend bool operator==(const UnitDone&, const UnitDone&) = default;
};

struct UnitCancelled {
  UnitKey key;

  friend bool operator==(const UnitCancelled&, const UnitCancelled&) = default;
};

/// The worker itself is well and takes the next unit.
struct UnitFailed {
  UnitKey key;
  base::Error error;

  friend bool operator==(const UnitFailed&, const UnitFailed&) = default;
};

/// Backend -> worker. A unit that is not in work and not waiting any more is no error.
struct Cancel {
  UnitKey key;

  friend bool operator==(const Cancel&, const Cancel&) = default;
};

/// Worker -> backend, every second from a thread of its own, after Hello.
struct Heartbeat {
  std::uint64_t sequence = 0;

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

/// Backend -> worker: cancel what runs, answer for it, close the socket, end with exit code 0.
struct Shutdown {
  friend bool operator==(const Shutdown&, const Shutdown&) = default;
};

/// Worker -> backend: the process is not trusted any more (device lost, broken wire) and leaves. A unit in work is not answered
/// otherwise.
struct Fatal {
  base::Error error;

  friend bool operator==(const Fatal&, const Fatal&) = default;
};

/// Worker -> backend: a sentence for the user that concerns the worker as a whole.
struct Warning {
  domain::Warning warning;

  friend bool operator==(const Warning&, const Warning&) = default;
};

/// Backend -> worker: the model leaves the device's memory, the process stays. Answered by Unloaded, also if there was none.
struct UnloadModel {
  std::uint64_t loadId = 0;  ///< a number of its own among those of loads

  friend bool operator==(const UnloadModel&, const UnloadModel&) = default;
};

struct Unloaded {
  std::uint64_t loadId = 0;

  friend bool operator==(const Unloaded&, const Unloaded&) = default;
};

using Message =
    std::variant<Hello, LoadModel, LoadProgress, Ready, LoadFailed, Generate, Progress, Preview, PictureMade, UnitDone,
                 UnitCancelled, UnitFailed, Cancel, Heartbeat, Shutdown, Fatal, Warning, UnloadModel, Unloaded>;

MessageType typeOf(const Message& message);
/// "Hello" and so on, for logs and error sentences; "unknown" for a number that is no type.
const char* nameOf(MessageType type);

/// A whole frame, ready to be written. @return InvalidArgument if a text is too long or no UTF-8, or a part is over the default
/// FrameLimits
base::Result<std::vector<std::byte>> encode(const Message& message);

/// Strict: every key of the type is there with the right kind and range, no other key is, nothing is nested deeper than the type
/// needs, texts are UTF-8, attachments are those of the type. The requests of a Generate are still to be checked by
/// domain::validate.
/// @return Protocol with what is wrong
base::Result<Message> decode(Frame frame);

/// The text with every byte that is not UTF-8 replaced by U+FFFD, cut to `maxBytes`: for what() of exceptions and the like before
/// encode().
std::string sentenceForWire(std::string_view text, std::size_t maxBytes = kMaxSentenceBytes);

}  // namespace polyptych::protocol
