#pragma once

namespace polyptych::ui {

/// Whether there is a session bus: without one, asking for it might start one.
bool hasSessionBus();

}  // namespace polyptych::ui
