#pragma once

#include <span>

namespace polyptych::library {

/// The files of resources/sql in order: migration n makes version n of version n - 1.
std::span<const char* const> migrations();

}  // namespace polyptych::library
