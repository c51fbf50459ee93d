#include "core/domain/device_choice.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace polyptych::domain {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kMaxSlots = 256;
constexpr std::size_t kMaxListBytes = 16384;

Error invalid(std::string message) { return Error{ErrorCode::InvalidArgument, std::move(message), {}}; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool beginsWith(std::string_view text, std::string_view beginning) { return text.substr(0, beginning.size()) == beginning; }

std::optional<int> numberOf(std::string_view digits) {
  int value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc() || end != digits.data() + digits.size() || value < 0) {
    return std::nullopt;
  }
  return value;
}

/// "cpu, cuda:0 (NVIDIA L4, GPU-1234...)".
std::string listOf(const std::vector<DeviceInfo>& present) {
  std::string out;
  for (const DeviceInfo& device : present) {
    out += (out.empty() ? "" : ", ") + device.id;
    if (device.kind == DeviceKind::Cuda) {
      out += " (" + device.name + (device.uuid.empty() ? "" : ", " + device.uuid) + ")";
    }
  }
  return out;
}

Error notHere(std::string_view word, const std::vector<DeviceInfo>& present) {
  return Error{
      ErrorCode::NotFound, "There is no device '" + std::string(word) + "' here. This machine has: " + listOf(present) + ".", {}};
}

Error unknownWord(std::string_view word) {
  return invalid(
      "'" + std::string(word) +
      "' is no device. Use cpu, cpu:4 (four workers on the CPU), cuda:0, GPU-<uuid> or all, with commas between, or two devices "
      "with a plus between, cuda:0+cuda:1, for pictures that both make together.");
}

/// The entries of one word: GPUs, or a number of CPU slots.
struct Chosen {
  std::vector<const DeviceInfo*> gpus;
  int cpuSlots = 0;
};

Result<Chosen> choiceOf(std::string_view word, const std::vector<DeviceInfo>& present) {
  const std::string name = lowered(word);
  Chosen chosen;
  if (name == "cpu") {
    chosen.cpuSlots = 1;
    return chosen;
  }
  if (beginsWith(name, "cpu:")) {
    const auto count = numberOf(std::string_view(name).substr(4));
    if (!count || *count < 1 || *count > kMaxSlots) {
      return invalid("'" + std::string(word) +
                     "' is no number of CPU workers; it must be between cpu:1 and cpu:" + std::to_string(kMaxSlots) + ".");
    }
    chosen.cpuSlots = *count;
    return chosen;
  }
  if (name == "all") {
    for (const DeviceInfo& device : present) {
      if (device.kind == DeviceKind::Cuda) {
        chosen.gpus.push_back(&device);
      }
    }
    chosen.cpuSlots = chosen.gpus.empty() ? 1 : 0;
    return chosen;
  }
  if (beginsWith(name, "cuda:")) {
    const auto number = numberOf(std::string_view(name).substr(5));
    if (!number) {
      return unknownWord(word);
    }
    const std::string id = "cuda:" + std::to_string(*number);
    for (const DeviceInfo& device : present) {
      if (device.kind == DeviceKind::Cuda && device.id == id) {
        chosen.gpus.push_back(&device);
        return chosen;
      }
    }
    return notHere(word, present);
  }
  if (!(beginsWith(name, "gpu-") || beginsWith(name, "mig-")) || name.size() == 4) {
    return unknownWord(word);
  }
  for (const DeviceInfo& device : present) {
    if (device.kind == DeviceKind::Cuda && beginsWith(lowered(device.uuid), name)) {
      chosen.gpus.push_back(&device);
    }
  }
  if (chosen.gpus.empty()) {
    return notHere(word, present);
  }
  if (chosen.gpus.size() > 1) {
    return invalid("'" + std::string(word) +
                   "' is the beginning of more than one GPU's UUID; write more of it. This machine has: " + listOf(present) +
                   ".");
  }
  return chosen;
}

/// Cores of slot `slot` of `slots`. Up to one slot a core: shares of equal size, the first ones one larger if it does not divide.
/// More slots than cores: the first have a core each, those after them share all.
std::vector<int> coresOf(int slot, int slots, const std::vector<int>& cores) {
  const int count = static_cast<int>(cores.size());
  if (slots <= count) {
    const int share = count / slots;
    const int larger = count % slots;
    const int begin = slot * share + std::min(slot, larger);
    const int end = begin + share + (slot < larger ? 1 : 0);
    return {cores.begin() + begin, cores.begin() + end};
  }
  if (slot < count) {
    return {cores[static_cast<std::size_t>(slot)]};
  }
  return cores;
}

/// Makes slots one after another; each knows how many there were before it.
class SlotMaker {
 public:
  explicit SlotMaker(const std::vector<DeviceInfo>& present) {
    const auto cpu =
        std::find_if(present.begin(), present.end(), [](const DeviceInfo& device) { return device.kind == DeviceKind::Cpu; });
    m_cpuName = cpu == present.end() ? "CPU" : cpu->name;
  }

  DeviceSlot onGpu(const DeviceInfo& gpu) {
    const int worker = ++m_workersOn[gpu.id];
    return {worker == 1 ? gpu.id : gpu.id + "#" + std::to_string(worker), DeviceKind::Cuda, gpu.name, gpu.uuid, {}};
  }
  DeviceSlot onCpu() { return {"cpu:" + std::to_string(m_cpuSlots++), DeviceKind::Cpu, m_cpuName, {}, {}}; }
  int cpuSlots() const { return m_cpuSlots; }

 private:
  std::string m_cpuName;
  std::map<std::string, int> m_workersOn;
  int m_cpuSlots = 0;
};

/// Two devices that make each picture together. @param word  with a plus in it
Result<DeviceSlot> pairOf(std::string_view word, const std::vector<DeviceInfo>& present, SlotMaker& maker) {
  const std::size_t plus = word.find('+');
  if (word.find('+', plus + 1) != std::string_view::npos) {
    return invalid("'" + std::string(word) + "' names more than two devices; a picture is made by one or by a pair.");
  }
  std::optional<DeviceSlot> pair;
  for (const std::string_view half : {trimmed(word.substr(0, plus)), trimmed(word.substr(plus + 1))}) {
    if (half.empty()) {
      return invalid("'" + std::string(word) + "' lacks one device of a pair; write for example cuda:0+cuda:1.");
    }
    const Result<Chosen> chosen = choiceOf(half, present);
    if (!chosen) {
      return chosen.error();
    }
    if (lowered(half) == "all" || chosen->gpus.size() + static_cast<std::size_t>(chosen->cpuSlots) != 1) {
      return invalid("'" + std::string(half) + "' in '" + std::string(word) +
                     "' may be several devices; a pair is written with two, for example cuda:0+cuda:1 or cpu+cpu.");
    }
    DeviceSlot slot = chosen->gpus.empty() ? maker.onCpu() : maker.onGpu(*chosen->gpus.front());
    if (!pair) {
      pair = std::move(slot);
      continue;
    }
    if (slot.kind != pair->kind) {
      return invalid("'" + std::string(word) + "' is a GPU and the CPU; a pair is two GPUs or two workers on the CPU.");
    }
    if (slot.kind == DeviceKind::Cuda && slot.uuid == pair->uuid) {
      return invalid("'" + std::string(word) + "' is one GPU twice; a pair is two GPUs.");
    }
    if (slot.kind == DeviceKind::Cuda && slot.uuid.empty()) {
      return invalid("The GPU '" + slot.id + "' has no UUID, so no worker can be bound to it.");
    }
    pair->id += "+" + slot.id;
    pair->partner = PartnerDevice{slot.name, slot.uuid, {}};
  }
  return std::move(*pair);
}

}  // namespace

Result<std::vector<DeviceSlot>> chooseDevices(std::string_view list, const std::vector<DeviceInfo>& present,
                                              const std::vector<int>& cpuCores) {
  if (list.size() > kMaxListBytes) {
    return invalid("The list of devices is too long.");
  }
  std::string_view rest = trimmed(list);
  if (rest.empty()) {
    rest = "all";
  }
  std::vector<DeviceSlot> slots;
  SlotMaker maker(present);
  for (bool isLast = false; !isLast;) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = trimmed(rest.substr(0, comma));
    isLast = comma == std::string_view::npos;
    rest.remove_prefix(isLast ? rest.size() : comma + 1);
    if (word.empty()) {
      return invalid("The list of devices has an empty place; write for example cuda:0,cuda:1.");
    }
    if (word.find('+') != std::string_view::npos) {
      Result<DeviceSlot> pair = pairOf(word, present, maker);
      if (!pair) {
        return pair.error();
      }
      slots.push_back(std::move(*pair));
    } else {
      const Result<Chosen> chosen = choiceOf(word, present);
      if (!chosen) {
        return chosen.error();
      }
      for (const DeviceInfo* gpu : chosen->gpus) {
        slots.push_back(maker.onGpu(*gpu));
      }
      for (int i = 0; i < chosen->cpuSlots; ++i) {
        slots.push_back(maker.onCpu());
      }
    }
    if (slots.size() > static_cast<std::size_t>(kMaxSlots)) {
      return invalid("The list of devices asks for more than " + std::to_string(kMaxSlots) + " workers.");
    }
  }
  int cpuSlot = 0;
  for (DeviceSlot& slot : slots) {
    if (slot.kind == DeviceKind::Cpu) {
      slot.cores = coresOf(cpuSlot++, maker.cpuSlots(), cpuCores);
      if (slot.partner) {
        slot.partner->cores = coresOf(cpuSlot++, maker.cpuSlots(), cpuCores);
      }
    }
  }
  return slots;
}

}  // namespace polyptych::domain
