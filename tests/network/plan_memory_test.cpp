// What plans say of their memory before they have it, and what they refuse.
#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"
#include "plan_runs.h"
#include "refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::device);
    return error.what();
  }
  return "nothing was refused";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what a plan will take is known without it", "[device]") {
  const Graph graph = ratnet_graph(32);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 4));
  PlanOptions options[] = {{.batch = 7},
                           {.batch = 3, .mode = Mode::train},
                           {.batch = 3, .mode = Mode::train, .recompute = true},
                           {.batch = 5, .input_type = DType::u8}};
  for (const PlanOptions& some : options) {
    const Plan::Memory expected = Plan(graph, parameters, some).memory();
    const Plan::Memory memory = Plan::memory_of(graph, parameters, some);
    CHECK(memory.activations == expected.activations);
    CHECK(memory.scratch == expected.scratch);
    CHECK(memory.parameters == expected.parameters);
    CHECK(memory.gradients == expected.gradients);
  }
  // Integer inputs and the weights of folded normalisations are part of it.
  GraphBuilder b;
  const int conv =
      b.add("conv", layers::Conv{.out = 3, .kernel = {3, 3}}, {b.input("x", {9, 9, 2})});
  const Graph folding = b.build({b.add("norm", layers::BatchNorm{}, {conv})});
  const auto others =
      std::make_shared<Parameters>(test_queue(1), random_weights(folding, DType::f32, 4));
  const auto memory = Plan::memory_of(folding, others, {.batch = 4, .input_type = DType::u16});
  const auto unfused = Plan::memory_of(folding, others, {.batch = 4, .fuse = false});
  CHECK(memory.parameters == unfused.parameters);
  CHECK(memory.beside_parameters() >=
        4 * 9 * 9 * (2 * 4 + 2 * 2 + 3 * 4) + (3 * 3 * 2 * 3 + 3) * 4);
}

TEST_CASE("a plan keeps to its limit and names the largest batch that does", "[device]") {
  const Graph graph = ratnet_graph(32);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 4));
  for (const Mode mode : {Mode::infer, Mode::train}) {
    const PlanOptions of_five{.batch = 5, .mode = mode};
    PlanOptions options{
        .batch = 12,
        .mode = mode,
        .memory_limit = Plan::memory_of(graph, parameters, of_five).beside_parameters()};
    const std::string message = message_of([&] { Plan(graph, parameters, options); });
    INFO(message);
    CHECK(holds(message, "a plan for 12 samples"));
    CHECK(holds(message, " MiB are needed (activations "));
    CHECK(holds(message, "MiB is the limit: a batch of up to 5 fits"));
    CHECK(holds(message, ", gradients ") == (mode == Mode::train));
    CHECK(!holds(message, "\n"));
    options.batch = 5;
    Plan exact(graph, parameters, options);
    exact.forward(5);
    wait(exact.queue());
    options.memory_limit -= 1;
    CHECK(holds(message_of([&] { Plan(graph, parameters, options); }), "up to 4 fits"));
    options.memory_limit = 10;
    CHECK(holds(message_of([&] { Plan(graph, parameters, options); }), "limit: no batch fits"));
  }
}

TEST_CASE("a refusal says where recomputing helps", "[device]") {
  GraphBuilder b;
  int last = b.input("x", {16, 16, 4});
  for (int i = 0; i < 24; ++i)
    last = b.add("conv" + std::to_string(i),
                 layers::Conv{.out = 4, .kernel = {3, 3}, .activation = Activation::relu}, {last});
  const Graph graph = b.build({last});
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 4));
  PlanOptions options{.batch = 8, .mode = Mode::train, .recompute = true};
  options.memory_limit = Plan::memory_of(graph, parameters, options).beside_parameters();
  options.recompute = false;
  const std::string message = message_of([&] { Plan(graph, parameters, options); });
  INFO(message);
  CHECK(holds(message, "fits, with recompute one of up to 8"));
  options.recompute = true;
  options.batch = 9;
  const std::string again = message_of([&] { Plan(graph, parameters, options); });
  CHECK(holds(again, "a batch of up to 8 fits"));
  CHECK(!holds(again, "recompute"));
}

TEST_CASE("a plan is compared with what its device has free", "[device]") {
  const Graph graph = ratnet_graph(32);
  const QueueHandle queue = test_queue(1);
  const auto parameters = std::make_shared<Parameters>(queue, random_weights(graph, DType::f32, 4));
  REQUIRE(queue->free_memory);
  CHECK(queue->free_memory(*queue) > 1 << 20);
  queue->free_memory = [](Queue&) -> std::size_t { return 200 << 10; };
  const std::string message =
      message_of([&] { Plan(graph, parameters, {.batch = 4, .mode = Mode::train}); });
  INFO(message);
  CHECK(holds(message, ", 0.2 MiB are free: "));
  // Whoever knows better sets a limit.
  Plan(graph, parameters, {.batch = 4, .mode = Mode::train, .memory_limit = 1 << 30});
  queue->free_memory = nullptr;
  Plan(graph, parameters, {.batch = 4, .mode = Mode::train});
}
