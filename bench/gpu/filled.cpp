#include "filled.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../../core/random.h"

namespace ratnet::inline v1 {
namespace {

// Repeated as often as it takes: to draw every number of a large tensor takes longer than to
// measure with it.
constexpr std::size_t kPatternBytes = std::size_t{1} << 20;

std::vector<std::byte> pattern(DType dtype, std::size_t most) {
  std::vector<std::byte> bytes(std::min(most, kPatternBytes));
  Random random(1);
  if (dtype == DType::u8) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits() & 255);
    return bytes;
  }
  require(dtype == DType::f32, "only f32 and u8 are filled");
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(float)) {
    const auto value = static_cast<float>(random.uniform(-1, 1));
    std::memcpy(bytes.data() + i, &value, sizeof value);
  }
  return bytes;
}

}  // namespace

void fill(Queue& queue, const View& view) {
  const std::vector<std::byte> bytes = pattern(view.dtype, view.bytes());
  wait_on_failure(queue, [&] {
    for (std::size_t done = 0; done < view.bytes(); done += bytes.size())
      upload(queue, static_cast<std::byte*>(view.data) + done, bytes.data(),
             std::min(bytes.size(), view.bytes() - done));
    wait(queue);
  });
}

void fill_host(void* memory, std::size_t count, DType dtype) {
  const std::vector<std::byte> bytes = pattern(dtype, count);
  for (std::size_t done = 0; done < count; done += bytes.size())
    std::memcpy(static_cast<std::byte*>(memory) + done, bytes.data(),
                std::min(bytes.size(), count - done));
}

DeviceTensor::DeviceTensor(const QueueHandle& queue, const Shape& shape, DType dtype)
    : memory_(queue, View(nullptr, dtype, shape).bytes()), dtype_(dtype), shape_(shape) {
  fill(*queue, *this);
}

}  // namespace ratnet::inline v1
