#pragma once

namespace polyptych::base {

/// Makes the calling thread give way to others of the machine, for as long as it lives: for work that fills time which nobody
/// else wants. Where a system has no such thing for threads, nothing happens.
void giveWay();

}  // namespace polyptych::base
