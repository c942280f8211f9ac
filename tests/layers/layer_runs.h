// The examples of all layers, and one run of a network of one layer, for the generic tests.
#pragma once

#include <map>
#include <string>

#include "../kernels/oracle.h"
#include "../kernels/random_tensor.h"
#include "one_layer.h"

namespace ratnet::testing {

// All kinds, or the one that the build names: so a new layer can be tested by itself.
#ifdef RATNET_TESTED_LAYER
using TestedLayers = std::variant<layers::RATNET_TESTED_LAYER>;
#else
using TestedLayers = Layer;
#endif

// function(layer, input shapes) for every example of every kind but Input.
template <class Function, std::size_t... I>
void for_examples(Function&& function, std::index_sequence<I...>) {
  const auto visit_kind = [&](auto kind) {
    using L = decltype(kind);
    if constexpr (!std::is_same_v<L, layers::Input>)
      for (const auto& example : L::examples()) function(Layer(example.layer), example.inputs);
  };
  (visit_kind(std::variant_alternative_t<I, TestedLayers>{}), ...);
}
template <class Function>
void for_examples(Function&& function) {
  for_examples(function, std::make_index_sequence<std::variant_size_v<TestedLayers>>());
}

// The same samples in another number.
inline std::vector<Shape> with_batch(std::vector<Shape> shapes, std::int64_t n) {
  for (Shape& shape : shapes) shape = shape.with_first(n);
  return shapes;
}

// Weights where also the biases are not zero, so that a forgotten bias is seen.
inline Weights random_weights(const Graph& graph, DType dtype, Random& random) {
  Weights weights = Weights::initialised(graph, 5, dtype);
  for (auto& entry : weights.entries())  // a variance is positive
    entry.value = random_tensor(entry.value.shape(), dtype, random, entry.statistic ? 0.5 : -1, 1);
  if (weights.entries().empty())  // parameters need something to hold
    weights.add("unused", Tensor({1}, dtype));
  return weights;
}

// f32 numbers for tensors of these shapes.
inline std::vector<Doubles> random_values(const std::vector<Shape>& shapes, Random& random) {
  std::vector<Doubles> values;
  for (const Shape& shape : shapes)
    values.push_back(doubles(random_tensor(shape, DType::f32, random)));
  return values;
}

// NaN and the sign of zero count too.
inline bool same_bits(const Doubles& a, const Doubles& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// Samples first .. first + n - 1 of `samples`.
inline Doubles part(const Doubles& values, std::int64_t samples, std::int64_t first,
                    std::int64_t n = 1) {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / samples;
  return {values.begin() + first * size, values.begin() + (first + n) * size};
}

// Fills a tensor with as many of the values as it has.
inline void write_first(Queue& queue, const View& to, const Doubles& values) {
  write_to(queue, to, {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(to.count())});
}

// The output for the first n of the samples in xs, by a plan for `batch`.
inline Doubles inferred(const QueueHandle& queue, const Graph& graph, const Weights& weights,
                        std::int64_t batch, std::int64_t n, const std::vector<Doubles>& xs,
                        bool fuse = false) {
  Plan plan(graph, std::make_shared<Parameters>(queue, weights), {.batch = batch, .fuse = fuse});
  for (std::size_t i = 0; i < xs.size(); ++i) write_first(*queue, plan.input(i, n), xs[i]);
  plan.forward(n);
  return read_from(*queue, plan.output(0, n));
}

// All that one step of training leaves.
struct TrainingStep {
  Doubles output;
  std::vector<Doubles> dinputs;
  std::map<std::string, Doubles> weights;  // their gradients; of statistics, the new values
};
inline bool same_bits(const TrainingStep& a, const TrainingStep& b) {
  bool same = same_bits(a.output, b.output) && a.dinputs.size() == b.dinputs.size() &&
              a.weights.size() == b.weights.size();
  for (std::size_t i = 0; same && i < a.dinputs.size(); ++i)
    same = same_bits(a.dinputs[i], b.dinputs[i]);
  for (const auto& [name, values] : a.weights) same = same && same_bits(values, b.weights.at(name));
  return same;
}

// dy: the gradient of the output. The first n samples of it and of xs are taken.
inline TrainingStep training_step(const QueueHandle& queue, const Graph& graph,
                                  const Weights& weights, std::int64_t batch, std::int64_t n,
                                  const std::vector<Doubles>& xs, const Doubles& dy,
                                  bool fuse = false) {
  const auto parameters = std::make_shared<Parameters>(queue, weights);
  Plan plan(graph, parameters,
            {.batch = batch, .mode = Mode::train, .fuse = fuse, .input_gradients = true});
  for (std::size_t i = 0; i < xs.size(); ++i) write_first(*queue, plan.input(i, n), xs[i]);
  plan.set_random({9, 4});
  plan.forward(n);
  TrainingStep step;
  step.output = read_from(*queue, plan.output(0, n));
  write_first(*queue, plan.output_gradient(0, n), dy);
  plan.backward(n);
  for (std::size_t i = 0; i < xs.size(); ++i)
    step.dinputs.push_back(read_from(*queue, plan.input_gradient(i, n)));
  for (const auto& place : parameters->places()) {
    if (place.name == "unused") continue;
    if (place.trainable()) step.weights[place.name] = read_from(*queue, plan.gradient(place.name));
    if (place.statistic) step.weights[place.name] = read_from(*queue, parameters->view(place));
  }
  return step;
}

}  // namespace ratnet::testing
