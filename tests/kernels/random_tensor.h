// Random tensors and comparisons for the tests of the kernels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "../../core/random.h"
#include "../../core/tensor.h"
#include "../../kernels/cpu/instruction_set.h"
#include "test_device.h"

namespace ratnet::testing {

// function(values) with the elements of the tensor as a span of their type.
template <class AnyTensor, class Function>
void visit(AnyTensor& tensor, Function&& function) {
  switch (tensor.dtype()) {
    case DType::f64: return function(tensor.template values<double>());
    case DType::f32: return function(tensor.template values<float>());
    case DType::i64: return function(tensor.template values<std::int64_t>());
    case DType::i32: return function(tensor.template values<std::int32_t>());
    case DType::i16: return function(tensor.template values<std::int16_t>());
    case DType::u16: return function(tensor.template values<std::uint16_t>());
    case DType::u8: return function(tensor.template values<std::uint8_t>());
    case DType::i8: return function(tensor.template values<std::int8_t>());
    default: fail(ErrorKind::internal, "no test reads ", name_of(tensor.dtype()));
  }
}

// Uniform in [low, high); integers are rounded down.
inline Tensor random_tensor(const Shape& shape, DType dtype, Random& random, double low = -1,
                            double high = 1) {
  Tensor tensor(shape, dtype);
  visit(tensor, [&](auto values) {
    for (auto& value : values)
      value = static_cast<std::decay_t<decltype(value)>>(
          std::is_floating_point_v<std::decay_t<decltype(value)>>
              ? random.uniform(low, high)
              : std::floor(random.uniform(low, high)));
  });
  return tensor;
}

// The elements as doubles, and a tensor made of doubles.
inline std::vector<double> doubles(const Tensor& tensor) {
  std::vector<double> out;
  visit(tensor, [&](auto values) { out.assign(values.begin(), values.end()); });
  return out;
}
inline Tensor tensor_of(const Shape& shape, DType dtype, const std::vector<double>& elements) {
  require(static_cast<std::int64_t>(elements.size()) == shape.count(), "wrong number of elements");
  Tensor tensor(shape, dtype);
  visit(tensor, [&](auto values) {
    for (std::size_t i = 0; i < elements.size(); ++i)
      values[i] = static_cast<std::decay_t<decltype(values[i])>>(elements[i]);
  });
  return tensor;
}

// The largest |got - expected| / max(1, |expected|); infinite where sizes differ or where only one
// of the two is a number.
inline double distance(const Tensor& got, const std::vector<double>& expected) {
  const std::vector<double> values = doubles(got);
  if (values.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == expected[i] || (std::isnan(values[i]) && std::isnan(expected[i]))) continue;
    const double error = std::abs(values[i] - expected[i]) / std::max(1.0, std::abs(expected[i]));
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
  }
  return worst;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

// What rounding allows a short computation in that type.
inline double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-13 : 2e-6; }

// function(name) under each instruction set that this machine runs, the best in use again
// afterwards; once where the tests run on another device.
template <class Function>
void for_each_instruction_set(Function&& function) {
  if (!on_cpu()) return function(to_string(test_device()));
  struct Restore {
    ~Restore() { use_instruction_set(""); }
  } restore;
  for (const std::string& name : instruction_sets()) {
    use_instruction_set(name);
    function(name);
  }
}

}  // namespace ratnet::testing
