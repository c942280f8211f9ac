// No layer's result depends on how many threads there are, nor on the order in which they work.
#include "../catch.h"
#include "layer_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Runs the pieces of every loop backwards, by turns as one of three workers, and counts the loops
// that have more than one.
class Backwards final : public Executor {
 public:
  int workers() const override { return 3; }
  void run(std::int64_t n, Task task, void* context) override {
    split += n > 1;
    const int outer = worker_;  // of the piece that this loop is inside of, if it is
    for (std::int64_t i = n; i-- > 0;) {
      worker_ = outer < 0 ? static_cast<int>(i % 3) : outer;
      task(context, i, worker_);
    }
    worker_ = outer;
  }
  int split = 0;

 private:
  int worker_ = -1;
};

// As many samples as make several pieces of the largest tensor.
std::int64_t enough(const Graph& graph) {
  std::int64_t largest = 1;
  for (const LayerShapes& shapes : graph.infer(1, true))
    largest = std::max(largest, shapes.output.count());
  return 400000 / largest + 3;
}

}  // namespace

TEST_CASE("every layer computes the same bits on one, two and three threads and in any order") {
  const auto backwards = std::make_shared<Backwards>();
  const QueueHandle reversed = open_queue({.device = {}, .executor = backwards});
  const QueueHandle one = open_queue({.device = {}, .threads = 1, .executor = {}});
  const QueueHandle others[] = {open_queue({.device = {}, .threads = 2, .executor = {}}),
                                open_queue({.device = {}, .threads = 3, .executor = {}}), reversed};
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer));
    Random random(34);
    const Graph graph = graph_of(layer, inputs);
    const std::int64_t n = enough(graph);
    const Weights weights = random_weights(graph, DType::f32, random);
    const std::vector<Doubles> xs = random_values(with_batch(inputs, n), random);
    const LayerShapes shapes = graph.infer(n, true).back();
    const Doubles dy = random_values({shapes.output}, random)[0];

    backwards->split = 0;
    const Doubles output = inferred(one, graph, weights, n, n, xs);
    const TrainingStep step = training_step(one, graph, weights, n, n, xs, dy);
    for (const QueueHandle& queue : others) {
      CHECK(same_bits(inferred(queue, graph, weights, n, n, xs), output));
      CHECK(same_bits(training_step(queue, graph, weights, n, n, xs, dy), step));
    }
    CHECK((backwards->split >= 2 || shapes.same_memory));
  });
}
