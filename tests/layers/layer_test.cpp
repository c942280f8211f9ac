// What every layer must do, for each of its examples.
#include <set>

#include "../catch.h"
#include "../kernels/oracle.h"
#include "../kernels/random_tensor.h"
#include "one_layer.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// function(layer, input shapes) for every example of every kind but Input.
template <class Function, std::size_t... I>
void for_examples(Function&& function, std::index_sequence<I...>) {
  const auto visit_kind = [&](auto kind) {
    using L = decltype(kind);
    if constexpr (!std::is_same_v<L, layers::Input>)
      for (const auto& example : L::examples()) function(Layer(example.layer), example.inputs);
  };
  (visit_kind(std::variant_alternative_t<I, Layer>{}), ...);
}
template <class Function>
void for_examples(Function&& function) {
  for_examples(function, std::make_index_sequence<std::variant_size_v<Layer>>());
}

// Weights where also the biases are not zero, so that a forgotten bias is seen.
Weights random_weights(const Graph& graph, DType dtype, Random& random) {
  Weights weights = Weights::initialised(graph, 5, dtype);
  for (auto& entry : weights.entries())  // a variance is positive
    entry.value = random_tensor(entry.value.shape(), dtype, random, entry.statistic ? 0.5 : -1, 1);
  if (weights.entries().empty())  // parameters need something to hold
    weights.add("unused", Tensor({1}, dtype));
  return weights;
}

}  // namespace

TEST_CASE("the gradient of every layer is the slope of its output", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  const bool frozen = GENERATE(false, true);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer) << (frozen ? " frozen" : ""));
    Random random(31);
    const Graph graph = graph_of(layer, inputs);
    const std::int64_t n = inputs[0][0];
    Weights weights = random_weights(graph, DType::f64, random);
    if (frozen && weights.freeze("layer/*") == 0) return;
    auto parameters = std::make_shared<Parameters>(queue, weights);
    Plan plan(graph, parameters,
              {.batch = n, .mode = Mode::train, .fuse = false, .input_gradients = true});

    std::vector<Doubles> xs;
    for (const Shape& shape : inputs)
      xs.push_back(doubles(random_tensor(shape, DType::f64, random)));
    const Doubles dy = doubles(random_tensor(plan.output(0, n).shape, DType::f64, random));
    const auto load = [&] {
      for (std::size_t i = 0; i < xs.size(); ++i) write_to(*queue, plan.input(i, n), xs[i]);
    };
    const auto objective = [&] {
      load();
      plan.set_random({9, 4});
      plan.forward(n);
      return dot(read_from(*queue, plan.output(0, n)), dy);
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
      const Doubles slope = numeric_gradient(x, [&](const Doubles& moved) {
        xs[i] = moved;
        return objective();
      });
      xs[i] = x;
      CHECK(distance(tensor_of({static_cast<std::int64_t>(slope.size())}, DType::f64, dxs[i]),
                     slope) < 1e-7);
    }
    for (std::size_t w = 0; w < parameters->places().size(); ++w) {
      const auto& place = parameters->places()[w];
      if (place.name == "unused" || !place.trainable()) continue;
      const View view = parameters->view(place);
      const Doubles value = read_from(*queue, view);
      const Doubles slope = numeric_gradient(value, [&](const Doubles& moved) {
        write_to(*queue, view, moved);
        return objective();
      });
      write_to(*queue, view, value);
      INFO(place.name);
      CHECK(distance(tensor_of({static_cast<std::int64_t>(slope.size())}, DType::f64, dws[w]),
                     slope) < 1e-7);
    }
  });
}

TEST_CASE("every layer computes the same in float as in double, in any batch it is in",
          "[device][small]") {
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
    std::vector<Doubles> xs;
    for (const Shape& shape : inputs)
      xs.push_back(doubles(random_tensor(shape, DType::f32, random)));

    const auto outputs = [&](const Weights& values, std::int64_t plan_batch) {
      Plan plan(graph, std::make_shared<Parameters>(queue, values), {.batch = plan_batch});
      for (std::size_t i = 0; i < xs.size(); ++i) write_to(*queue, plan.input(i, n), xs[i]);
      plan.forward(n);
      return read_from(*queue, plan.output(0, n));
    };
    const Doubles single = outputs(weights, n);
    const Doubles twice = outputs(doubled, n);
    CHECK(distance(tensor_of({static_cast<std::int64_t>(single.size())}, DType::f64, single),
                   twice) < 1e-5);
    CHECK(outputs(weights, n + 33) == single);

    // The first sample alone.
    Plan plan(graph, std::make_shared<Parameters>(queue, weights), {.batch = 1});
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const auto size = xs[i].size() / static_cast<std::size_t>(n);
      write_to(*queue, plan.input(i, 1),
               Doubles(xs[i].begin(), xs[i].begin() + static_cast<long>(size)));
    }
    plan.forward(1);
    const Doubles alone = read_from(*queue, plan.output(0, 1));
    CHECK(std::equal(alone.begin(), alone.end(), single.begin()));
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
  CHECK(kinds.size() == std::variant_size_v<Layer> - 1);  // each kind has an example
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
