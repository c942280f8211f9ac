// A device that captures work and, like GPUs' libraries, may want more working memory for fewer
// samples.
#include "../../kernels/all_ops.h"
#include "../../kernels/open.h"
#include "../../network/plan.h"
#include "../catch.h"

using namespace ratnet;

namespace {

struct Seen {
  bool capturing = false;
  std::size_t lent = 0;  // working memory while work was captured last
  int replays = 0, drops = 0;
} seen;

// Of the sizes that operations are asked for.
std::size_t wanted(std::int64_t samples) { return static_cast<std::size_t>(4096 / samples); }

template <class Op>
OpEntry entry() {
  OpEntry entry;
  entry.run = [](Queue& queue, const void*, char*, std::size_t) -> Status {
    if (seen.capturing) seen.lent = queue.scratch_bytes;
    return 0;
  };
  entry.plan = [](Queue&, const void* op, OpNote& note, char*, std::size_t) -> Status {
    if constexpr (std::is_same_v<Op, Conv>)
      note.scratch_bytes = wanted(static_cast<const Conv*>(op)->x.shape[0]);
    return 0;
  };
  return entry;
}

template <class... Ops>
const OpEntry* table(OpList<Ops...>) {
  static const OpEntry entries[] = {entry<Ops>()...};
  return entries;
}

QueueHandle capturing_queue() {
  QueueHandle queue = open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  queue->entries = table(AllOps{});
  queue->begin_capture = [](Queue&, char*, std::size_t) -> Status {
    seen.capturing = true;
    return 0;
  };
  queue->end_capture = [](Queue&, void** captured, char*, std::size_t) -> Status {
    seen.capturing = false;
    *captured = &seen;
    return 0;
  };
  queue->replay = [](Queue&, void*, char*, std::size_t) -> Status {
    ++seen.replays;
    return 0;
  };
  queue->drop = [](Queue&, void*) { ++seen.drops; };
  return queue;
}

TEST_CASE("captured work has the working memory that its batch wants") {
  GraphBuilder builder;
  const int input = builder.input("x", {6, 6, 2});
  const Graph graph =
      builder.build({builder.add("conv", layers::Conv{.out = 3, .kernel = {3, 3}}, {input})});
  seen = {};
  const auto parameters =
      std::make_shared<Parameters>(capturing_queue(), Weights::initialised(graph, 1));
  Plan plan(graph, parameters, {.batch = 4});
  CHECK(plan.memory().scratch == wanted(4));

  plan.forward(4);
  CHECK(seen.replays == 0);  // first runs are not captured
  plan.forward(4);
  CHECK(seen.replays == 1);
  CHECK(seen.lent == wanted(4));

  plan.forward(1);
  CHECK(seen.replays == 1);
  plan.forward(1);
  CHECK(seen.replays == 2);
  CHECK(seen.lent == wanted(1));
  CHECK(plan.memory().scratch == wanted(1));
  CHECK(seen.drops == 1);  // what had the address of the memory before

  plan.forward(4);
  plan.forward(1);
  CHECK(seen.replays == 4);
  CHECK(seen.drops == 1);
}

}  // namespace
