#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/domain/request.h"
#include "core/prompt/prompt_list.h"

using namespace polyptych;

/// The input is a prompt list. Its prompts, one a line behind a byte order mark, must be the same list.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto prompts = prompt::parsePromptList(std::string_view(reinterpret_cast<const char*>(data), size), "list");
  if (!prompts) {
    return 0;
  }
  std::string list = "\xEF\xBB\xBF";  // the first prompt may begin with another
  for (const std::string& prompt : *prompts) {
    if (prompt.empty() || prompt.size() > domain::kMaxPromptBytes || prompt.find('\n') != std::string::npos) {
      std::abort();
    }
    list += prompt + '\n';
  }
  const auto again = prompt::parsePromptList(list, "list");
  if (!again || *again != *prompts) {
    std::abort();
  }
  return 0;
}
