// What every layer must do, for each of its examples: gradients, precision, JSON. Other things are
// in the files layer_*_test.cpp beside this one.
#include <set>

#include "../catch.h"
#include "gradient_check.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("the gradient of every layer is the slope of its output", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  const bool frozen = GENERATE(false, true);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer) << (frozen ? " frozen" : ""));
    check_gradients(queue, layer, inputs, frozen);
  });
}

TEST_CASE("every layer computes the same in float as in double", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer));
    Random random(32);
    const Graph graph = graph_of(layer, inputs);
    const std::int64_t n = inputs[0][0];
    const Weights weights = random_weights(graph, DType::f32, random);
    Weights doubled;
    for (const auto& entry : weights.entries()) {
      doubled.add(entry.name, tensor_of(entry.value.shape(), DType::f64, doubles(entry.value)));
      doubled.entries().back().statistic = entry.statistic;
    }
    const std::vector<Doubles> xs = random_values(inputs, random);
    const Doubles single = inferred(queue, graph, weights, n, n, xs);
    const Doubles twice = inferred(queue, graph, doubled, n, n, xs);
    CHECK(distance(tensor_of({static_cast<std::int64_t>(single.size())}, DType::f64, single),
                   twice) < 1e-5);
  });
}

TEST_CASE("every layer is the same after a trip through JSON", "[device][small]") {
  std::set<std::string> kinds;
  for_examples([&](const Layer& layer, const std::vector<Shape>&) {
    const std::string json = to_json(layer);
    INFO(json);
    CHECK(to_json(layer_from_json(json)) == json);
    kinds.insert(std::string(kind_of(layer)));
  });
  // Each kind has an example.
  const bool all = std::is_same_v<TestedLayers, Layer>;
  CHECK(kinds.size() == std::variant_size_v<TestedLayers> - (all ? 1 : 0));
}

TEST_CASE("a layer with an unknown kind, field or type is refused", "[device][small]") {
  for (const char* json :
       {R"({"kind": "warp"})", R"({"kind": "conv", "outt": 3})", R"({"kind": "conv", "out": "x"})",
        R"({"kind": "conv", "out": 1.5})", R"({"kind": "conv", "kernel": [1,2,3,4,5,6,7]})",
        R"({"kind": "conv", "padding": "some"})", R"({"out": 3})", "[]", "", "{"}) {
    INFO(json);
    CHECK_THROWS_AS(layer_from_json(json), Error);
  }
}
