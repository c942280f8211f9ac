// No layer's result depends on how many samples a plan is made for, nor on the samples beside.
#include "../catch.h"
#include "layer_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// A layer with values for 40 samples.
struct Samples {
  Samples(const Layer& layer, const std::vector<Shape>& inputs)
      : graph(graph_of(layer, inputs)), random(33) {
    weights = random_weights(graph, DType::f32, random);
    xs = random_values(with_batch(inputs, 40), random);
    dy = random_values({graph.infer(40, true).back().output}, random)[0];
  }
  Graph graph;
  Random random;
  Weights weights;
  std::vector<Doubles> xs;
  Doubles dy;
};

// The same with every sample but `kept` of 5 replaced by that number, or by others where it is 0.
Doubles among_others(const Doubles& values, std::int64_t samples, std::int64_t kept, double with) {
  Doubles changed = part(values, samples, 0, 5);
  const std::size_t size = changed.size() / 5;
  for (std::size_t i = 0; i < changed.size(); ++i)
    if (i / size != static_cast<std::size_t>(kept))
      changed[i] = with == 0 ? 0.5 - changed[i] : with;
  return changed;
}

}  // namespace

TEST_CASE("a layer in a plan made for more computes what one made for that batch does",
          "[device]") {
  const QueueHandle queue = test_queue(2);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    const Samples s(layer, inputs);
    for (const std::int64_t n : {1, 33}) {
      INFO(to_json(layer) << " on " << n);
      CHECK(same_bits(inferred(queue, s.graph, s.weights, 40, n, s.xs),
                      inferred(queue, s.graph, s.weights, n, n, s.xs)));
      CHECK(same_bits(training_step(queue, s.graph, s.weights, 40, n, s.xs, s.dy),
                      training_step(queue, s.graph, s.weights, n, n, s.xs, s.dy)));
    }
  });
}

TEST_CASE("a layer's answer for a sample does not depend on its neighbours", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer));
    const Samples s(layer, inputs);
    const Doubles together = inferred(queue, s.graph, s.weights, 5, 5, s.xs);
    for (const std::int64_t i : {0, 2, 4}) {
      std::vector<Doubles> alone;
      for (const Doubles& x : s.xs) alone.push_back(part(x, 40, i));
      CHECK(same_bits(inferred(queue, s.graph, s.weights, 1, 1, alone), part(together, 5, i)));
    }
    for (const double with : {0.0, std::nan("")}) {
      std::vector<Doubles> changed;
      for (const Doubles& x : s.xs) changed.push_back(among_others(x, 40, 2, with));
      const Doubles among = inferred(queue, s.graph, s.weights, 5, 5, changed);
      CHECK(same_bits(part(among, 5, 2), part(together, 5, 2)));
      CHECK_FALSE(same_bits(among, together));
    }
  });
}

TEST_CASE("nor does a sample's gradient in training", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer));
    Samples s(layer, inputs);
    // Batch normalisation mixes the samples by definition, unless it is frozen.
    if (kind_of(layer) == "batch_norm") s.weights.freeze("layer/*");
    const TrainingStep together = training_step(queue, s.graph, s.weights, 5, 5, s.xs, s.dy);
    for (const double with : {0.0, std::nan("")}) {
      std::vector<Doubles> changed;
      for (const Doubles& x : s.xs) changed.push_back(among_others(x, 40, 2, with));
      const TrainingStep among =
          training_step(queue, s.graph, s.weights, 5, 5, changed, among_others(s.dy, 40, 2, with));
      CHECK(same_bits(part(among.output, 5, 2), part(together.output, 5, 2)));
      for (std::size_t i = 0; i < s.xs.size(); ++i) {
        CHECK(same_bits(part(among.dinputs[i], 5, 2), part(together.dinputs[i], 5, 2)));
        CHECK_FALSE(same_bits(among.dinputs[i], together.dinputs[i]));
      }
    }
  });
}
