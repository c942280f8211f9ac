// Short ways to run plans, shared by the tests of this room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../../network/plan.h"
#include "../kernels/oracle.h"
#include "../kernels/random_tensor.h"
#include "../kernels/test_device.h"

namespace ratnet::testing {

// Of a tensor in host memory.
inline Doubles read(const ConstView& from) {
  Doubles values(static_cast<std::size_t>(from.count()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = from.dtype == DType::f64 ? from.as<double>()[i] : from.as<float>()[i];
  return values;
}

inline Doubles random_doubles(std::int64_t count, std::uint64_t seed, double low = -1,
                              double high = 1) {
  Random random(seed);
  Doubles values(static_cast<std::size_t>(count));
  for (double& value : values) value = random.uniform(low, high);
  return values;
}

// Weights of which none is zero, biases included.
inline Weights random_weights(const Graph& graph, DType dtype, std::uint64_t seed) {
  Weights weights = Weights::initialised(graph, seed, dtype);
  std::uint64_t stream = 1000;
  for (auto& entry : weights.entries()) {
    Random random(seed, stream++);
    if (entry.name.ends_with("bias") || entry.name.ends_with("shift"))
      entry.value = random_tensor(entry.value.shape(), dtype, random, -0.5, 0.5);
    if (entry.statistic || entry.name.ends_with("scale"))
      entry.value = random_tensor(entry.value.shape(), dtype, random, 0.5, 1.5);
  }
  return weights;
}

// How far got is from expected in the norm of the largest number or of squares, whichever is more:
// a few large numbers hide no errors that all of the many small ones have. Infinite for other
// sizes.
inline double relative(const Doubles& got, const Doubles& expected) {
  if (got.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double worst = 0, most = 1e-300, errors = 0, squares = 1e-300;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - expected[i]);
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, error);
    most = std::max(most, std::abs(expected[i]));
    errors += error * error;
    squares += expected[i] * expected[i];
  }
  return std::max(worst / most, std::sqrt(errors / squares));
}

// Everything that one forward and one backward run give.
struct Results {
  std::vector<Doubles> outputs;
  std::vector<Doubles> input_gradients;
  std::map<std::string, Doubles> gradients;  // of the weights, by name
};

// Runs n samples, inputs and output gradients drawn from the seed, batch by position so that
// sample i is the same for every n.
inline Results run_once(Plan& plan, const Parameters& parameters, std::int64_t n,
                        std::uint64_t seed, RandomKey key = {}) {
  const auto inputs = plan.graph().inputs().size();
  const auto outputs = plan.graph().outputs().size();
  for (std::size_t i = 0; i < inputs; ++i) {
    const View to = plan.input(i, n);
    write_to(plan.queue(), to, random_doubles(to.count(), seed + i));
  }
  plan.set_random(key);
  plan.forward(n);
  Results results;
  for (std::size_t i = 0; i < outputs; ++i)
    results.outputs.push_back(read_from(plan.queue(), plan.output(i, n)));
  for (std::size_t i = 0; i < outputs; ++i) {
    const View to = plan.output_gradient(i, n);
    write_to(plan.queue(), to, random_doubles(to.count(), seed + 100 + i));
  }
  plan.backward(n);
  for (std::size_t i = 0; i < inputs; ++i)
    results.input_gradients.push_back(read_from(plan.queue(), plan.input_gradient(i, n)));
  for (const auto& place : parameters.places())
    if (place.trainable())
      results.gradients[place.name] = read_from(plan.queue(), plan.gradient(place.name));
  return results;
}

}  // namespace ratnet::testing
