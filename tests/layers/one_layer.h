// A network of one layer, for tests of layers.
#pragma once

#include "../../layers/catalogue.h"
#include "../../network/plan.h"
#include "../kernels/test_device.h"

namespace ratnet::testing {

// shapes: of the inputs, with the batch.
inline Graph graph_of(const Layer& layer, const std::vector<Shape>& shapes) {
  GraphBuilder builder;
  std::vector<int> handles;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto sizes = shapes[i].sizes().subspan(1);
    handles.push_back(builder.input("x" + std::to_string(i), {sizes.begin(), sizes.end()}));
  }
  const int node = builder.add("layer", layer, handles);
  return builder.build({node});
}

// What a layer without weights makes of its inputs, in double.
inline std::vector<double> output_of(const Layer& layer, const std::vector<Shape>& shapes,
                                     const std::vector<std::vector<double>>& inputs) {
  const QueueHandle queue = test_queue();
  Weights weights;
  weights.add("unused", Tensor({1}, DType::f64));  // parameters need something to hold
  const std::int64_t n = shapes[0][0];
  Plan plan(graph_of(layer, shapes), std::make_shared<Parameters>(queue, weights), {.batch = n});
  for (std::size_t i = 0; i < inputs.size(); ++i) write_to(*queue, plan.input(i, n), inputs[i]);
  plan.forward(n);
  return read_from(*queue, plan.output(0, n));
}

// The shape of a layer's output; throws as the graph does.
inline Shape output_shape(const Layer& layer, const std::vector<Shape>& shapes) {
  return std::visit(
      [&](const auto& l) -> Shape {
        if constexpr (std::is_same_v<std::decay_t<decltype(l)>, layers::Input>)
          return {};
        else
          return l.infer(shapes, false).output;
      },
      layer);
}

}  // namespace ratnet::testing
