// Whether what a layer gives as gradients are the slopes of its output, by finite differences in
// double.
#pragma once

#include "../catch.h"
#include "layer_runs.h"

namespace ratnet::testing {

// Of the sum of the outputs, weighted at random, in every input and trainable weight.
inline void check_gradients(const QueueHandle& queue, const Layer& layer,
                            const std::vector<Shape>& inputs, bool frozen = false) {
  Random random(31);
  const Graph graph = graph_of(layer, inputs);
  const std::int64_t n = inputs[0][0];
  Weights weights = random_weights(graph, DType::f64, random);
  if (frozen && weights.freeze("layer/*") == 0) return;
  auto parameters = std::make_shared<Parameters>(queue, weights);
  Plan plan(graph, parameters,
            {.batch = n, .mode = Mode::train, .fuse = false, .input_gradients = true});

  std::vector<Doubles> xs;
  for (const Shape& shape : inputs) xs.push_back(doubles(random_tensor(shape, DType::f64, random)));
  const Doubles dy = doubles(random_tensor(plan.output(0, n).shape, DType::f64, random));
  const auto objective = [&] {
    for (std::size_t i = 0; i < xs.size(); ++i) write_to(*queue, plan.input(i, n), xs[i]);
    plan.set_random({9, 4});
    plan.forward(n);
    return dot(read_from(*queue, plan.output(0, n)), dy);
  };
  const auto check = [](const Doubles& gradient, const Doubles& slope) {
    CHECK(distance(tensor_of({static_cast<std::int64_t>(slope.size())}, DType::f64, gradient),
                   slope) < 1e-7);
  };

  objective();
  write_to(*queue, plan.output_gradient(0, n), dy);
  plan.backward(n);
  std::vector<Doubles> dxs, dws;
  for (std::size_t i = 0; i < xs.size(); ++i)
    dxs.push_back(read_from(*queue, plan.input_gradient(i, n)));
  for (const auto& place : parameters->places())
    dws.push_back(place.trainable() ? read_from(*queue, plan.gradient(place.name)) : Doubles());

  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Doubles x = xs[i];
    check(dxs[i], numeric_gradient(x, [&](const Doubles& moved) {
            xs[i] = moved;
            return objective();
          }));
    xs[i] = x;
  }
  for (std::size_t w = 0; w < parameters->places().size(); ++w) {
    const auto& place = parameters->places()[w];
    if (place.name == "unused" || !place.trainable()) continue;
    INFO(place.name);
    const View view = parameters->view(place);
    const Doubles value = read_from(*queue, view);
    check(dws[w], numeric_gradient(value, [&](const Doubles& moved) {
            write_to(*queue, view, moved);
            return objective();
          }));
    write_to(*queue, view, value);
  }
}

}  // namespace ratnet::testing
