// What the benchmarks share: a queue on one thread, and tensors with something in them.
#pragma once

#include "../core/random.h"
#include "../core/tensor.h"
#include "../kernels/open.h"

namespace ratnet::inline v1 {

// One thread, so that the figures are those of the kernels.
inline QueueHandle bench_queue() {
  return open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = nullptr});
}

// Normal numbers, the same at every call.
inline Tensor bench_tensor(const Shape& shape) {
  Tensor tensor(shape, DType::f32);
  Random random(1);
  for (float& value : tensor.values<float>()) value = static_cast<float>(random.normal());
  return tensor;
}

}  // namespace ratnet::inline v1
