#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/prompt/prompt_table.h"

using namespace polyptych;

/// The first bit of the first byte chooses the kind of table; the rest is the table. Entries that are taken survive being
/// written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  base::Result<std::vector<prompt::PromptEntry>> entries = base::Error{};
  if ((data[0] & 1) != 0) {
    entries = prompt::parseJsonLines(text, "table");
  } else if (const auto table = prompt::parseCsv(text, "table")) {
    entries = prompt::entriesOf(*table, prompt::guessColumns(*table), prompt::hasHeading(*table), "table");
  }
  if (!entries) {
    return 0;
  }
  const auto again = prompt::parseJsonLines(prompt::toJsonLines(*entries), "again");
  if (!again || again->size() != entries->size()) {
    std::abort();
  }
  return 0;
}
