#include "device.h"

#include <charconv>

#include "error.h"

namespace ratnet::inline v1 {

Device parse_device(std::string_view name) {
  if (name == "cpu") return {DeviceKind::cpu, 0};
  if (name == "cuda") return {DeviceKind::cuda, 0};
  if (name == "cuda_emulated") return {DeviceKind::cuda_emulated, 0};
  if (name == "auto") return {DeviceKind::any, 0};
  if (name.starts_with("cuda:")) {
    const std::string_view digits = name.substr(5);
    int index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size() && index >= 0)
      return {DeviceKind::cuda, index};
  }
  fail(ErrorKind::usage, "unknown device '", std::string(name.substr(0, 64)),
       "': use cpu, cuda, cuda:N or auto");
}

std::string to_string(const Device& device) {
  switch (device.kind) {
    case DeviceKind::cpu: return "cpu";
    case DeviceKind::cuda: return "cuda:" + std::to_string(device.index);
    case DeviceKind::cuda_emulated: return "cuda_emulated";
    case DeviceKind::any: return "auto";
  }
  return "?";
}

}  // namespace ratnet::inline v1
