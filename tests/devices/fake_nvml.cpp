// Two GPUs in the wrong order, and what FAKE_NVML_FAULT takes from them: "init", "count", "handle", "uuid" or "values".
// FAKE_NVML_NAME gives both the same name.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kFailed = 999;

bool hasFault(const char* name) {
  const char* fault = std::getenv("FAKE_NVML_FAULT");
  return fault != nullptr && std::strcmp(fault, name) == 0;
}

unsigned indexOf(void* device) { return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(device)) - 1; }

}  // namespace

extern "C" {

struct FakePci {
  char legacy[16];
  unsigned domain, bus, device, id, subsystem;
  char text[32];
};

int nvmlInit_v2() { return hasFault("init") ? kFailed : 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return hasFault("count") ? kFailed : 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(static_cast<std::uintptr_t>(index) + 1);
  return hasFault("handle") && index == 0 ? kFailed : 0;
}
int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  const char* both = std::getenv("FAKE_NVML_NAME");
  std::snprintf(name, length, "%s", both != nullptr ? both : indexOf(device) == 0 ? "Second GPU" : "First GPU");
  return 0;
}
int nvmlDeviceGetUUID(void* device, char* uuid, unsigned length) {
  std::snprintf(uuid, length, indexOf(device) == 0 ? "GPU-bbbb" : "GPU-aaaa");
  return hasFault("uuid") && indexOf(device) == 1 ? kFailed : 0;
}
int nvmlDeviceGetPciInfo_v3(void* device, FakePci* pci) {
  *pci = FakePci{};
  pci->bus = indexOf(device) == 0 ? 0x81 : 0x21;
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* device, unsigned long long* memory) {
  memory[0] = (indexOf(device) + 1ULL) << 33;
  memory[1] = 1ULL << 32;
  memory[2] = memory[0] - memory[1];
  return hasFault("values") ? kFailed : 0;
}
int nvmlDeviceGetTemperature(void* device, unsigned, unsigned* celsius) {
  *celsius = 40 + indexOf(device);
  return hasFault("values") ? kFailed : 0;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  *milliwatts = 61500 + indexOf(device) * 1000;
  return hasFault("values") ? kFailed : 0;
}
int nvmlDeviceGetUtilizationRates(void* device, unsigned* rates) {
  rates[0] = 75 + indexOf(device);
  rates[1] = 10;
  return hasFault("values") ? kFailed : 0;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) {
  *milliwatts = 250000;
  return hasFault("values") ? kFailed : 0;
}
struct FakeProcess {
  unsigned pid;
  unsigned long long bytes;
  unsigned gpuInstance, computeInstance;
};
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, FakeProcess* processes) {
  *count = 2;
  processes[0] = {4711, (indexOf(device) + 1ULL) << 30, 0, 0};
  processes[1] = {4712, ~0ULL, 0, 0};  // not known
  return hasFault("values") ? kFailed : 0;
}
}
