// The golden files (scripts/make_golden.py) and the numbers that are computed in place of stored.
#pragma once

#include <cmath>
#include <string>

#include "../../network/safetensors.h"
#include "../catch.h"
#include "plan_runs.h"

namespace ratnet::testing {

// tests/golden/NAME.safetensors.
inline SafetensorsFile golden_file(const std::string& name) {
  // Elsewhere than in the source tree where the tests were carried to another machine.
  const char* folder = std::getenv("RATNET_GOLDEN");
  return SafetensorsFile(std::string(folder ? folder : RATNET_SOURCE_DIR "/tests/golden") + "/" +
                         name + ".safetensors");
}

// `count` numbers in [0, 1), the same as scripts/golden/mixed.py's.
inline Doubles mixed(std::int64_t count, std::uint32_t stream) {
  Doubles values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto x = static_cast<std::uint32_t>(i) + (stream << 20);
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    values[i] = (x ^ (x >> 16)) * 0x1p-32;
  }
  return values;
}

// The weights that every golden file begins with.
inline Weights golden_weights(const Graph& graph, DType dtype) {
  Weights weights = Weights::initialised(graph, 0, dtype);
  std::uint32_t stream = 1;
  for (auto& entry : weights.entries()) {
    const Shape& shape = entry.value.shape();
    Doubles values = mixed(shape.count(), stream++);
    const bool positive = entry.name.ends_with("scale") || entry.name.ends_with("variance");
    const double limit = entry.name.ends_with("weight")
                             ? std::sqrt(6.0 / static_cast<double>(shape.count() / shape.back()))
                             : 0.1;
    for (double& value : values) value = positive ? 0.5 + value : (2 * value - 1) * limit;
    entry.value = tensor_of(shape, dtype, values);
  }
  return weights;
}

inline Doubles every_seventh(const Doubles& values) {
  Doubles kept;
  for (std::size_t i = 0; i < values.size(); i += 7) kept.push_back(values[i]);
  return kept;
}

// What rounding allows outputs, and gradients and weights.
struct Tolerance {
  double outputs, gradients;
};
inline Tolerance tolerance_of(DType dtype, double in_double = 1e-9) {
  return dtype == DType::f64 ? Tolerance{in_double, in_double} : Tolerance{1e-5, 1e-4};
}

template <class Check>
void for_types_and_fusion(Check&& check) {
  for (const DType dtype : {DType::f64, DType::f32})
    for (const bool fuse : {false, true}) {
      INFO(name_of(dtype) << (fuse ? ", fused" : ", not fused"));
      check(dtype, fuse);
    }
}

}  // namespace ratnet::testing
