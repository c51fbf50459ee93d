#pragma once

#include <string>

namespace polyptych::domain {

/// What a warning is about. Faces choose their words by it.
enum class WarningCode {
  Other,
  PromptCut,       ///< a prompt has more tokens than the model reads; the sentence quotes what is left out
  OutOfRange,      ///< numbers of a picture left the range of the arithmetic: parts are black
  FileDiffers,     ///< a file that was there has other bytes than what was made now
  CoresNotPinned,  ///< the system did not let a worker have the cores it was meant to have
  PartnerLost,     ///< a pair of devices went on as one; the picture is the same
};

/// Something the user should know that stops nothing.
struct Warning {
  WarningCode code = WarningCode::Other;
  std::string sentence;

  friend bool operator==(const Warning&, const Warning&) = default;
};

}  // namespace polyptych::domain
