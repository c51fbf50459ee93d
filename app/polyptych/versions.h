#pragma once

#include "ui/about_page.h"

namespace polyptych {

/// Of what the program runs with, beside Qt. Loads Qt's plugin for SQLite: not for a thread that must not wait.
ui::Versions readVersions();

}  // namespace polyptych
