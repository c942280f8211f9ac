// Weights and gradients that a few lines of Python repeat, for comparison with PyTorch.
#pragma once

#include <memory>

#include "../../network/parameters.h"
#include "../network/plan_runs.h"

namespace ratnet::testing {

// The numbers of this generator, between -0.5 and 0.5:
//   x = 1, then x = (1103515245 * x + 12345) % 2**31; each number is x / 2**31 - 0.5
class Sequence {
 public:
  Tensor take(const Shape& shape, DType dtype) {
    Tensor tensor(shape, dtype);
    for (std::int64_t i = 0; i < tensor.count(); ++i) {
      const double value = next();
      if (dtype == DType::f64)
        tensor.values<double>()[static_cast<std::size_t>(i)] = value;
      else
        tensor.values<float>()[static_cast<std::size_t>(i)] = static_cast<float>(value);
    }
    return tensor;
  }

 private:
  double next() {
    x_ = (1103515245 * x_ + 12345) % (std::uint64_t{1} << 31);
    return static_cast<double>(x_) * 0x1p-31 - 0.5;
  }
  std::uint64_t x_ = 1;
};

// Two dense layers: "a/weight" [2, 3], "a/bias" [3], "b/weight" [3, 2], "b/bias" [2].
inline Weights two_layers(Sequence& sequence, DType dtype) {
  Weights weights;
  weights.add("a/weight", sequence.take({2, 3}, dtype));
  weights.add("a/bias", sequence.take({3}, dtype));
  weights.add("b/weight", sequence.take({3, 2}, dtype));
  weights.add("b/bias", sequence.take({2}, dtype));
  return weights;
}

// The next gradients, for every weight in their order, as a block on the parameters' device.
inline Buffer next_gradients(Sequence& sequence, const Parameters& parameters) {
  Buffer memory(parameters.queue(), parameters.block().bytes());
  memory.clear();
  for (const auto& place : parameters.places()) {
    const Tensor gradient = sequence.take(place.shape, parameters.dtype());
    memory.upload(gradient.data(), gradient.bytes(),
                  static_cast<std::size_t>(place.offset) * size_of(parameters.dtype()));
    wait(*parameters.queue());
  }
  return memory;
}

// The last number of a weight.
inline double last_of(const Weights& weights, std::string_view name) {
  return read(weights.find(name).value).back();
}

}  // namespace ratnet::testing
