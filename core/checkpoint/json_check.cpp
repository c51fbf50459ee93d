#include "core/checkpoint/json_check.h"

#include <nlohmann/json.hpp>
#include <string>

namespace polyptych::checkpoint {
namespace {

class DepthHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::string problem;
  std::string detail;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool key(string_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& exception) override {
    problem = "is not valid JSON (byte " + std::to_string(position) + ")";
    detail = exception.what();
    return false;
  }

 private:
  bool enter() {
    if (++m_depth > kMaxJsonDepth) {
      problem = "is nested more than " + std::to_string(kMaxJsonDepth) + " levels deep";
      return false;
    }
    return true;
  }
  bool leave() {
    --m_depth;
    return true;
  }

  int m_depth = 0;
};

}  // namespace

base::Result<void> checkJson(std::string_view text, std::string_view where) {
  // The JSON library takes a NUL for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return base::Error{
        base::ErrorCode::Corrupt, std::string(where) + " is not valid JSON (byte " + std::to_string(nul) + " is NUL).", {}};
  }
  DepthHandler handler;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &handler)) {
    return base::Error{base::ErrorCode::Corrupt, std::string(where) + " " + handler.problem + ".", handler.detail};
  }
  return {};
}

}  // namespace polyptych::checkpoint
