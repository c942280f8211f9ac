// Every layer with a ReLU and a pooling behind it: what a plan makes one of computes what the parts
// do.
#include "../catch.h"
#include "../network/plan_runs.h"
#include "layer_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// input -> layer -> ReLU -> maxima of pairs, where there are pairs.
Graph followed(const Layer& layer, const std::vector<Shape>& inputs) {
  GraphBuilder builder;
  std::vector<int> handles;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto sizes = inputs[i].sizes().subspan(1);
    handles.push_back(builder.input("x" + std::to_string(i), {sizes.begin(), sizes.end()}));
  }
  int last = builder.add("layer", layer, handles);
  last = builder.add("relu", layers::Relu{}, {last});
  const Shape output = output_shape(layer, inputs);
  bool pairs = output.rank() >= 3 && output.rank() <= 5;
  for (int d = 1; d + 1 < output.rank(); ++d) pairs = pairs && output[d] >= 2;
  if (pairs) last = builder.add("pool", layers::MaxPool{.kernel = {2}}, {last});
  return builder.build({last});
}

// Whether the ReLU can be moved into it.
bool takes_activation(const Layer& layer) {
  return std::visit(
      [](const auto& l) {
        bool takes = false;
        if constexpr (requires { l.activation; }) takes = l.activation == Activation::none;
        if constexpr (requires { l.pool; }) takes = takes && l.pool.empty();
        return takes;
      },
      layer);
}

}  // namespace

TEST_CASE("every layer fused with what follows it computes what it does unfused", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    const Graph graph = followed(layer, inputs);
    for (const DType dtype : {DType::f32, DType::f64}) {
      INFO(to_json(layer) << " " << name_of(dtype));
      const double tolerance = dtype == DType::f64 ? 1e-13 : 2e-6;
      Random random(36);
      const Weights weights = random_weights(graph, dtype, random);
      const std::vector<Doubles> xs = random_values(with_batch(inputs, 3), random);
      const Doubles dy = random_values({graph.infer(3, true).back().output}, random)[0];

      const Plan plan(graph, std::make_shared<Parameters>(queue, weights), {.batch = 3});
      if (takes_activation(layer)) CHECK(plan.graph().nodes().size() < graph.nodes().size());

      CHECK(relative(inferred(queue, graph, weights, 3, 3, xs, true),
                     inferred(queue, graph, weights, 3, 3, xs, false)) <= tolerance);
      const TrainingStep fused = training_step(queue, graph, weights, 3, 3, xs, dy, true);
      const TrainingStep plain = training_step(queue, graph, weights, 3, 3, xs, dy, false);
      CHECK(relative(fused.output, plain.output) <= tolerance);
      for (std::size_t i = 0; i < xs.size(); ++i)
        CHECK(relative(fused.dinputs[i], plain.dinputs[i]) <= tolerance);
      REQUIRE(fused.weights.size() == plain.weights.size());
      for (const auto& [name, gradient] : plain.weights) {
        INFO(name);
        CHECK(relative(fused.weights.at(name), gradient) <= tolerance);
      }
    }
  });
}
