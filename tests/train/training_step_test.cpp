// What a training step keeps of captured work.
#include "../../train/training_step.h"

#include "../catch.h"
#include "../kernels/random_tensor.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

struct Seen {
  int captures = 0, drops = 0;
} seen;

// Counts what is captured; its work runs at once all the same.
QueueHandle counting_queue() {
  QueueHandle queue = open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  queue->begin_capture = [](Queue&, char*, std::size_t) -> Status { return 0; };
  queue->end_capture = [](Queue&, void** captured, char*, std::size_t) -> Status {
    ++seen.captures;
    *captured = &seen;
    return 0;
  };
  queue->replay = [](Queue&, void*, char*, std::size_t) -> Status { return 0; };
  queue->drop = [](Queue&, void*) { ++seen.drops; };
  return queue;
}

}  // namespace

TEST_CASE("a part of a warm-up that is past is no longer kept") {
  seen = {};
  GraphBuilder b;
  const int image = b.input("image", {4, 4, 1});
  const Graph graph = b.build({b.add("again", layers::Conv{.out = 1, .kernel = {1, 1}}, {image})});
  const auto parameters =
      std::make_shared<Parameters>(counting_queue(), Weights::initialised(graph, 1));
  Plan plan(graph, parameters, {.batch = 2, .mode = Mode::train, .watch = {"image"}});
  Optimiser optimiser(parameters, {});
  // In steps of 6: each of the two batches under way comes 3 times, of which the second captures.
  constexpr int kSteps = 6 * kWarmUpParts;
  {
    TrainingStep step(plan, optimiser,
                      {{.kind = LossKind::mse, .target = LossTarget::image, .warm_up = kSteps}});
    Random random(3);
    const Tensor images = random_tensor({2, 4, 4, 1}, DType::f32, random);
    Batch batch;
    batch.count = 2;
    batch.images = images.view();
    for (int i = 0; i < kSteps + 6; ++i) {
      step.submit(batch, {}, 0.01);
      REQUIRE(seen.captures - seen.drops <= 2);
    }
    CHECK(seen.captures == 2 * (kWarmUpParts + 1));
  }
  CHECK(seen.drops == seen.captures);
}
