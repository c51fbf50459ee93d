#pragma once

namespace gloo::transport {

/// Lives inside LibTorch; here it is only pointed at.
class Device;
class UnboundBuffer;

}  // namespace gloo::transport
