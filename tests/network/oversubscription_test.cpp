// More work than threads: plans that share a pool, and what a pool costs when there is no work.
#include <chrono>
#include <ctime>
#include <thread>

#include "../../core/thread_pool.h"
#include "../../kernels/open.h"
#include "../../network/plan.h"
#include "../catch.h"
#include "plan_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using layers::Conv;
using layers::Dense;
using layers::Flatten;

Graph small_network() {
  GraphBuilder b;
  const int x = b.input("x", {13, 11, 3});
  const int a = b.add("a", Conv{.out = 17, .kernel = {3, 3}, .activation = Activation::relu}, {x});
  const int c = b.add("c", Conv{.out = 5, .kernel = {3, 3}, .stride = {2, 2}, .pool = {2, 2}}, {a});
  return b.build({b.add("d", Dense{.out = 7}, {b.add("f", Flatten{}, {c})})});
}

// Outputs and gradients of several training passes, one after the other.
std::vector<Doubles> passes(const std::shared_ptr<Executor>& executor, std::uint64_t seed) {
  const QueueHandle queue = open_queue({.device = {DeviceKind::cpu, 0}, .executor = executor});
  const Graph graph = small_network();
  constexpr std::int64_t kBatch = 5;
  Plan plan(graph, std::make_shared<Parameters>(queue, random_weights(graph, DType::f32, seed)),
            {.batch = kBatch, .mode = Mode::train});
  std::vector<Doubles> results;
  for (std::uint64_t pass = 0; pass < 20; ++pass) {
    const std::int64_t n = 1 + static_cast<std::int64_t>(pass) % kBatch;
    const auto fill = [&](const View& to, std::uint64_t stream) {
      Random random(seed, stream);
      float* const values = to.as<float>();
      for (std::int64_t i = 0; i < to.count(); ++i)
        values[i] = static_cast<float>(random.uniform(-1, 1));
    };
    fill(plan.input(0, n), pass);
    plan.forward(n);
    results.push_back(read(plan.output(0, n)));
    fill(plan.output_gradient(0, n), 1000 + pass);
    plan.backward(n);
    results.push_back(read(plan.gradients()));
  }
  return results;
}

// Of all threads of this process.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

TEST_CASE("plans of several threads on one pool of two give what each gives alone") {
  const auto alone = std::make_shared<ThreadPool>(1);
  for (const int callers : {2, 5}) {
    const auto pool = std::make_shared<ThreadPool>(2);
    std::vector<std::vector<Doubles>> together(static_cast<std::size_t>(callers));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < together.size(); ++i)
      threads.emplace_back([&, i] { together[i] = passes(pool, i + 1); });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < together.size(); ++i) {
      const std::vector<Doubles> expected = passes(alone, i + 1);
      REQUIRE(together[i].size() == expected.size());
      CHECK(together[i] == expected);  // to the bit
      CHECK(expected[0] != expected[2]);
    }
  }
}

TEST_CASE("plans of several threads with pools of their own give what each gives alone") {
  std::vector<std::vector<Doubles>> together(3);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < together.size(); ++i)
    threads.emplace_back([&, i] { together[i] = passes(std::make_shared<ThreadPool>(2), i + 1); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < together.size(); ++i)
    CHECK(together[i] == passes(std::make_shared<ThreadPool>(1), i + 1));
}

TEST_CASE("an idle pool uses no processor") {
  const auto pool = std::make_shared<ThreadPool>(4);
  CHECK(passes(pool, 1).size() == 40);
  const double before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  // One thread that waits by asking again and again would use 0.4 s, four of them more.
  CHECK(cpu_seconds() - before < 0.04);
}
