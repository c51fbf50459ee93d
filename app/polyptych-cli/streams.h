#pragma once

#include <string_view>

namespace polyptych::cli {

/// Writes all of it to the descriptor, past buffers, however many writes it takes. False if nobody reads or the disk is full.
bool writeAll(int descriptor, std::string_view text);
bool writeOutput(std::string_view text);
bool writeError(std::string_view text);

/// Whether standard error is a terminal that understands how to move the cursor.
bool isErrorATerminal();
/// Width of that terminal in characters, 80 if it does not tell.
int terminalColumns();

}  // namespace polyptych::cli
