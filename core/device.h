// Where a computation runs.
#pragma once

#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// `any` is a wish, not a place: the best device that opens.
enum class DeviceKind : int { cpu, cuda, cuda_emulated, any };

struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;
  bool operator==(const Device&) const = default;
};

// "cpu", "cuda", "cuda:1", "cuda_emulated", "auto". Throws Error (usage) for anything else.
Device parse_device(std::string_view name);
std::string to_string(const Device& device);

}  // namespace ratnet::inline v1
