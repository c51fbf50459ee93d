// Reads a tokenizer folder; then, for each line of standard input (a JSON string), writes one line of JSON:
// {"ids": [...], "dropped": "...", "tokenCount": n}.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/tokenizer/clip_tokenizer.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: tokenizer_probe FOLDER < lines\n";
    return 2;
  }
  const auto tokenizer = polyptych::tokenizer::ClipTokenizer::open(argv[1]);
  if (!tokenizer) {
    std::cerr << tokenizer.error().message << "\n" << tokenizer.error().detail << "\n";
    return 1;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto encoding = tokenizer->encode(nlohmann::json::parse(line).get<std::string>());
    const nlohmann::json answer = {{"ids", encoding.ids}, {"dropped", encoding.dropped}, {"tokenCount", encoding.tokenCount}};
    std::cout << answer.dump() << '\n';
  }
  return 0;
}
