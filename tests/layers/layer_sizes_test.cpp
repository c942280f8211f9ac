// Every layer on the smallest inputs there are: answered, or refused in words.
#include "../catch.h"
#include "gradient_check.h"
#include "refusal.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// The shapes with every size that `chosen(dimension, rank)` picks set to `size`.
template <class Chosen>
std::vector<Shape> with_sizes(std::vector<Shape> shapes, std::int64_t size, const Chosen& chosen) {
  for (Shape& shape : shapes)
    for (int d = 1; d < shape.rank(); ++d)
      if (chosen(d, shape.rank())) shape[d] = size;
  return shapes;
}

}  // namespace

TEST_CASE("every layer answers for one pixel and one channel, or says why not", "[device]") {
  const QueueHandle queue = test_queue(2);
  int answered = 0;
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    const std::vector<Shape> cases[] = {
        with_sizes(inputs, 1, [](int d, int rank) { return d + 1 < rank; }),
        with_sizes(inputs, 1, [](int d, int rank) { return d + 1 == rank; }),
        with_sizes(inputs, 1, [](int, int) { return true; })};
    for (const auto& shapes : cases) {
      INFO(to_json(layer) << " on " << shapes[0]);
      const Outcome built = building(layer, shapes);
      CHECK(built.wrong == "");
      if (built.refused) continue;
      ++answered;
      const Shape output = output_shape(layer, shapes);
      for (const std::int64_t size : output.sizes()) CHECK(size >= 1);
      check_gradients(queue, layer, shapes);
    }
  });
  CHECK(answered > 0);
}

TEST_CASE("no layer is built on an input of no pixels or channels") {
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      for (int d = 1; d < inputs[i].rank(); ++d) {
        std::vector<Shape> shapes = inputs;
        shapes[i][d] = 0;
        INFO(to_json(layer) << " on " << shapes[i]);
        const Outcome built =
            outcome("layer 'x" + std::to_string(i) + "': input: an input size is 0",
                    [&] { (void)graph_of(layer, shapes); });
        CHECK(built.refused);
        CHECK(built.wrong == "");
        // Asked by itself, a layer may answer for nothing, but not end in a division by it.
        const Outcome asked =
            outcome(std::string(kind_of(layer)) + ": ", [&] { (void)output_shape(layer, shapes); });
        CHECK(asked.wrong == "");
      }
  });
}
