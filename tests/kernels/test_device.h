// The device that tests of operations run on: the CPU, or what $RATNET_TEST_DEVICE names. After
// "cuda_emulated:" stands the seed of the order of threads.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../../core/buffer.h"
#include "../../core/view.h"
#include "../../kernels/open.h"

namespace ratnet::testing {

inline Device test_device() {
  const char* name = std::getenv("RATNET_TEST_DEVICE");
  constexpr const char* kEmulated = "cuda_emulated:";
  if (name && std::strncmp(name, kEmulated, std::strlen(kEmulated)) == 0) {
    setenv("RATNET_EMULATION_SEED", name + std::strlen(kEmulated), 1);
    return {DeviceKind::cuda_emulated, 0};
  }
  return parse_device(name ? name : "cpu");
}
inline bool on_cpu() { return test_device().kind == DeviceKind::cpu; }

// threads: of the CPU.
inline QueueHandle test_queue(int threads = 1) {
  return open_queue({.device = test_device(), .threads = threads, .executor = {}});
}

// The elements of a tensor in a queue's memory, and back.
inline std::vector<double> read_from(Queue& queue, const ConstView& from) {
  std::vector<std::byte> bytes(from.bytes());
  download(queue, bytes.data(), from.data, bytes.size());
  wait(queue);
  std::vector<double> values(static_cast<std::size_t>(from.count()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (from.dtype == DType::f64) {
      std::memcpy(&values[i], bytes.data() + 8 * i, 8);
    } else {
      float value = 0;
      std::memcpy(&value, bytes.data() + 4 * i, 4);
      values[i] = value;
    }
  }
  return values;
}

inline void write_to(Queue& queue, const View& to, const std::vector<double>& values) {
  require(static_cast<std::int64_t>(values.size()) == to.count(), "wrong number of elements");
  const std::vector<float> floats(values.begin(), values.end());
  const void* from = to.dtype == DType::f64 ? static_cast<const void*>(values.data())
                                            : static_cast<const void*>(floats.data());
  upload(queue, to.data, from, to.bytes());
  wait(queue);
}

}  // namespace ratnet::testing
