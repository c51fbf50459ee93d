#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace polyptych::base {

/// What kind of thing went wrong. Programs decide by it (exit code, retry, fall-back); people read Error::message.
enum class ErrorCode {
  InvalidArgument,  ///< a value that cannot be meant; the caller's to correct
  NotFound,         ///< a file, folder, device or name that is not there
  Unsupported,      ///< understood, but this program does not do it
  Corrupt,          ///< outside bytes that break their format's rules
  ModelUnusable,    ///< the model as a whole cannot be used (missing parts, wrong shapes)
  OutOfMemory,      ///< host or device memory; the same request may work smaller
  DeviceLost,       ///< the device or its driver failed; the process is not trusted any more
  WorkerDied,       ///< the worker process ended in the middle of its work
  Io,               ///< reading or writing failed
  DiskFull,
  AlreadyExists,  ///< something stands where the result would go
  Protocol,       ///< a peer broke the wire's rules
  VersionMismatch,
  Timeout,
  Cancelled,  ///< only where an outcome cannot say it (a load that was stopped)
  Internal,   ///< a bug of ours
};

/// Stable name of a code in JSON and on the wire: "out_of_memory". @return the name, static storage.
std::string_view toString(ErrorCode code);
/// The code of a name that toString() gave; Internal for an unknown one.
ErrorCode errorCodeFromString(std::string_view name);

/// An expected failure as a value. `message`: a sentence for the user that says what to do; `detail`: for the log.
struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  std::string detail;

  friend bool operator==(const Error&, const Error&) = default;
};

/// Either a T or an Error. Asking for the one that is not there is a bug (assertion).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

  bool isOk() const { return m_state.index() == 0; }
  explicit operator bool() const { return isOk(); }

  T& value() & {
    assert(isOk());
    return std::get<0>(m_state);
  }
  const T& value() const& {
    assert(isOk());
    return std::get<0>(m_state);
  }
  T&& value() && {
    assert(isOk());
    return std::get<0>(std::move(m_state));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!isOk());
    return std::get<1>(m_state);
  }

 private:
  std::variant<T, Error> m_state;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : m_error(std::move(error)), m_isOk(false) {}

  bool isOk() const { return m_isOk; }
  explicit operator bool() const { return m_isOk; }
  const Error& error() const {
    assert(!m_isOk);
    return m_error;
  }

 private:
  Error m_error;
  bool m_isOk = true;
};

}  // namespace polyptych::base
