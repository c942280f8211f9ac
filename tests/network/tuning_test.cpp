// Choice of algorithms by measurement, with clocks that the tests make.
#include "../../network/tuning.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../../core/atomic_file.h"
#include "../../core/processor.h"
#include "../../core/version.h"
#include "../../kernels/cpu/cpu_queue.h"
#include "../catch.h"
#include "allocation_watch.h"
#include "plan_runs.h"
#include "temporary_folder.h"

using namespace ratnet;
using namespace ratnet::testing;
using nlohmann::json;

namespace {

using Times = std::map<std::string, double>;

// A clock by which every algorithm takes the same time in every run of any problem, so long that
// runs are not repeated between two looks at it; `calls` counts those.
TuningOptions by_times(const Times& times, const std::string& cache = "", int* calls = nullptr) {
  return {.cache = cache,
          .processor = "a processor",
          .time = [=](const std::string&, const std::string& algorithm,
                      const std::function<void()>& run) {
            run();
            if (calls) ++*calls;
            return times.at(algorithm);
          }};
}

const Tuner::Trial kIdle{.prepare = [] {}, .run = [](std::size_t) {}};

std::size_t choice(Tuning& tuning, const std::vector<std::string>& candidates,
                   const std::string& problem = "p") {
  return tuning.choose(problem, candidates, kIdle).candidate;
}

}  // namespace

TEST_CASE("the fastest is taken where it is clearly faster than what the rule takes") {
  const std::vector<std::string> candidates = {"a", "b", "c"};
  const auto taken = [&](const Times& times) {
    Tuning tuning(by_times(times));
    return choice(tuning, candidates);
  };
  CHECK(taken({{"a", 1e-1}, {"b", 0.92e-1}, {"c", 2e-1}}) == 0);
  CHECK(taken({{"a", 1e-1}, {"b", 0.88e-1}, {"c", 2e-1}}) == 1);
  CHECK(taken({{"a", 1e-1}, {"b", 0.88e-1}, {"c", 0.2e-1}}) == 2);
  CHECK(taken({{"a", 1e-1}, {"b", 1e-1}, {"c", 1e-1}}) == 0);
  CHECK(taken({{"a", 5}, {"b", 4}, {"c", 30}}) == 1);

  Tuning tuning(by_times({{"a", 4.0}, {"b", 2.0}}));
  CHECK(tuning.choose("p", {"a", "b"}, kIdle).gain == 2);
  CHECK_THROWS_AS(tuning.choose("p", {}, kIdle), Error);
}

TEST_CASE("candidates take turns, medians count, and the hopeless run once") {
  std::vector<std::string> turns;
  int round = 0;
  TuningOptions options{.cache = "", .processor = "a processor"};
  // Every third time something else disturbs `b`, which is the faster one.
  options.time = [&](const std::string&, const std::string& algorithm,
                     const std::function<void()>& run) {
    run();
    turns.push_back(algorithm);
    if (algorithm == "slow") return 0.1;
    if (algorithm == "a") return 30e-3;
    return ++round % 3 == 0 ? 500e-3 : 25e-3;
  };
  int runs = 0;
  const Tuner::Trial trial{.prepare = [] {}, .run = [&](std::size_t) { ++runs; }};
  Tuning tuning(options);
  CHECK(tuning.choose("p", {"a", "b", "slow"}, trial).candidate == 1);
  REQUIRE(turns.size() == 13);  // in the fifth round the second is over that a problem has
  CHECK(std::vector(turns.begin(), turns.begin() + 7) ==
        std::vector<std::string>{"a", "b", "slow", "a", "b", "a", "b"});
  CHECK(std::count(turns.begin(), turns.end(), "slow") == 1);
  CHECK(runs == static_cast<int>(turns.size()));  // long runs are not repeated within a turn
}

TEST_CASE("a problem is measured once, and what was measured is told") {
  int calls = 0;
  TuningOptions options = by_times({{"a", 2e-1}, {"b", 1e-1}}, "", &calls);
  std::vector<std::int64_t> told;
  options.told = [&](std::int64_t problems, double) { told.push_back(problems); };
  Tuning tuning(options);
  CHECK(choice(tuning, {"a", "b"}) == 1);
  const int measured = calls;
  CHECK(choice(tuning, {"a", "b"}) == 1);
  CHECK(calls == measured);
  CHECK(choice(tuning, {"a", "b"}, "q") == 1);
  CHECK(calls == 2 * measured);
  CHECK(told == std::vector<std::int64_t>{1, 2});
  CHECK(tuning.summary().measured == 2);
  CHECK(tuning.summary().seconds > 0);
  CHECK(to_string(tuning.summary()).find("0 problems known, 2 measured") == 0);
}

TEST_CASE("what there is no time or no memory to measure is left to the rule for good") {
  TuningOptions options = by_times({{"a", 2.0}, {"b", 1.0}});
  options.seconds = 5;
  Tuning tuning(options);
  CHECK(choice(tuning, {"a", "b"}, "first") == 1);
  const Tuner::Choice left = tuning.choose("second", {"a", "b"}, kIdle);
  CHECK(left.candidate == 0);
  CHECK(left.why_not == "the time for measuring was used up");
  CHECK(choice(tuning, {"a", "b"}, "first") == 1);

  Tuning small(by_times({{"a", 2.0}, {"b", 1.0}}));
  const Tuner::Trial no_memory{.prepare = [] { fail(ErrorKind::device, "too large"); }, .run = {}};
  CHECK(small.choose("p", {"a", "b"}, no_memory).why_not == "too large");
  CHECK(small.choose("p", {"a", "b"}, kIdle).why_not == "too large");
  CHECK(small.summary().left == 1);
  const Tuner::Trial broken{.prepare = [] { fail(ErrorKind::internal, "broken"); }, .run = {}};
  CHECK_THROWS_AS(small.choose("q", {"a", "b"}, broken), Error);
}

TEST_CASE("the cache keeps choices, of several processes") {
  const TemporaryFolder folder;
  const std::string cache = folder / "deeper/still/tuning.json";
  const Times times = {{"a", 2e-1}, {"b", 1e-1}}, other_times = {{"a", 1e-1}, {"b", 2e-1}};
  Tuning first(by_times(times, cache)), meanwhile(by_times(other_times, cache));
  CHECK(choice(first, {"a", "b"}, "p") == 1);
  CHECK(choice(meanwhile, {"a", "b"}, "q") == 0);
  CHECK(choice(first, {"a", "b"}, "r") == 1);
  CHECK(first.summary().cache == cache);
  CHECK(first.summary().cache_note.empty());

  int calls = 0;
  Tuning later(by_times(other_times, cache, &calls));
  const Tuner::Choice known = later.choose("p", {"a", "b"}, kIdle);
  CHECK(known.candidate == 1);
  CHECK(known.gain == 2);
  CHECK(choice(later, {"a", "b"}, "q") == 0);
  CHECK(choice(later, {"a", "b"}, "r") == 1);
  CHECK(calls == 0);
  CHECK(later.summary().known == 3);

  // Of other algorithms, as another build has them.
  CHECK(choice(later, {"b", "a"}, "s") == 1);
  CHECK(choice(later, {"b", "a"}, "p") == 0);
  Tuning newer(by_times({{"a", 3e-1}, {"b", 2e-1}, {"c", 1e-1}}, cache, &(calls = 0)));
  CHECK(choice(newer, {"a", "b", "c"}, "p") == 2);
  CHECK(calls > 0);
  CHECK(json::parse(read_file(cache, 1 << 20)).at("seconds").size() == 4);
}

TEST_CASE("a cache that is damaged or of another machine is ignored and written anew") {
  const TemporaryFolder folder;
  const std::string cache = folder / "tuning.json";
  const Times times = {{"a", 2e-1}, {"b", 1e-1}};
  Tuning(by_times(times, cache)).choose("p", {"a", "b"}, kIdle);
  const json good = json::parse(read_file(cache, 1 << 20));
  const auto with = [&](const char* key, const json& value) {
    json changed = good;
    changed[key] = value;
    return changed.dump();
  };
  json many = json::object();
  for (int i = 0; i < 5000; ++i) many[std::to_string(i)] = {{"a", 1}, {"b", 2}};
  const std::string whole = good.dump();
  const std::vector<std::string> bad = {
      "",
      "{",
      "[]",
      "null",
      whole.substr(0, whole.size() / 2),
      std::string(100, '['),
      std::string(100000, '['),
      std::string((std::size_t{4} << 20) + 1, ' ') + whole,
      with("format", "ratnet tuning 2"),
      with("format", 1),
      with("processor", "another"),
      with("version", version() + "x"),
      with("seconds", json::array({1, 2})),
      with("seconds", "p"),
      with("seconds", many),
      with("seconds", {{"p", 1}}),
      with("seconds", {{"p", json::array({1, 2})}}),
      with("seconds", {{"p", {{"a", -1}, {"b", 2}}}}),
      with("seconds", {{"p", {{"a", 0}, {"b", 2}}}}),
      with("seconds", {{"p", {{"a", "1"}, {"b", 2}}}}),
      with("seconds", {{"p", {{"a", nullptr}, {"b", 2}}}}),
      R"({"format":"ratnet tuning 1","processor":"a processor","version":")" + version() +
          R"(","seconds":{"p":{"a":1e999,"b":1}}})",
  };
  for (const std::string& content : bad) {
    INFO(content.substr(0, 80));
    write_file(cache, content);
    int calls = 0;
    Tuning tuning(by_times(times, cache, &calls));
    CHECK(choice(tuning, {"a", "b"}) == 1);
    CHECK(calls > 0);
    CHECK(tuning.summary().known == 0);
    CHECK(tuning.summary().cache_note.find("ignored: ") == 0);
    CHECK(json::parse(read_file(cache, 1 << 20)) == good);
  }
  // What is there names algorithms that do not take the problem: they cannot be chosen.
  write_file(cache, with("seconds", {{"p", {{"a", 1}, {"b", 2}, {"x", 1e-9}}}}));
  int calls = 0;
  Tuning tuning(by_times(times, cache, &calls));
  CHECK(choice(tuning, {"a", "b"}) == 1);
  CHECK(calls > 0);
}

TEST_CASE("a cache that cannot be read or written does no harm") {
  const TemporaryFolder folder;
  const Times times = {{"a", 2e-1}, {"b", 1e-1}};
  std::ofstream(folder / "file") << "x";
  Tuning below_a_file(by_times(times, folder / "file/tuning.json"));
  CHECK(choice(below_a_file, {"a", "b"}) == 1);
  CHECK(choice(below_a_file, {"a", "b"}, "q") == 1);
  CHECK(below_a_file.summary().cache_note.find("not written: ") == 0);
  Tuning a_folder(by_times(times, folder.path()));
  CHECK(choice(a_folder, {"a", "b"}) == 1);
  CHECK_FALSE(a_folder.summary().cache_note.empty());
  Tuning nowhere(by_times(times));
  CHECK(choice(nowhere, {"a", "b"}) == 1);
  CHECK(folder.files() == 1);
}

TEST_CASE("the cache lies where the user's caches lie") {
  const auto with = [](const char* cache_home, const char* home) {
    struct Restore {
      std::string name, value;
      bool there;
      explicit Restore(const char* variable) : name(variable) {
        const char* now = std::getenv(variable);
        there = now != nullptr;
        value = there ? now : "";
      }
      ~Restore() { there ? setenv(name.c_str(), value.c_str(), 1) : unsetenv(name.c_str()); }
    } cache("XDG_CACHE_HOME"), user("HOME");
    cache_home ? setenv("XDG_CACHE_HOME", cache_home, 1) : unsetenv("XDG_CACHE_HOME");
    home ? setenv("HOME", home, 1) : unsetenv("HOME");
    return default_tuning_cache();
  };
  if (processor_name().empty()) {
    CHECK(with("/c", "/h").empty());
    return;
  }
  CHECK(with("/c", "/h").find("/c/ratnet/tuning-") == 0);
  CHECK(with("/c", nullptr).find("/c/ratnet/tuning-") == 0);
  CHECK(with(nullptr, "/h").find("/h/.cache/ratnet/tuning-") == 0);
  CHECK(with("relative", "/h").find("/h/.cache/ratnet/tuning-") == 0);
  CHECK(with("relative", "").empty());
  CHECK(with(nullptr, nullptr).empty());
  CHECK(with("/c", "/h").ends_with(".json"));
}

namespace {

// Convolutions with a choice of algorithms in every direction.
Graph convolutions() {
  GraphBuilder b;
  int last = b.add("one", layers::Conv{.out = 17, .kernel = {3, 3}}, {b.input("x", {16, 16, 16})});
  last = b.add("two", layers::Conv{.out = 8, .kernel = {3, 3}, .pool = {2, 2}}, {last});
  last = b.add("up", layers::ConvTranspose{.out = 8, .kernel = {2}, .stride = {2}}, {last});
  last = b.add("flat", layers::Flatten{}, {last});
  return b.build({b.add("dense", layers::Dense{.out = 3}, {last})});
}

const Times kPlainFirst = {{"conv_winograd", 4e-1},
                           {"conv_few_channels", 3e-1},
                           {"conv_direct", 2e-1},
                           {"conv_phases", 2e-1},
                           {"conv_im2col", 1e-1}};
const Times kDirectFirst = {{"conv_winograd", 4e-1},
                            {"conv_few_channels", 3e-1},
                            {"conv_direct", 1e-1},
                            {"conv_phases", 1e-1},
                            {"conv_im2col", 2e-1}};

std::shared_ptr<Parameters> parameters_with(std::shared_ptr<Tuner> tuner, int threads) {
  return std::make_shared<Parameters>(
      open_cpu(std::make_shared<ThreadPool>(threads), std::move(tuner)),
      random_weights(convolutions(), DType::f32, 4));
}

Results results_of(const std::shared_ptr<Tuner>& tuner, int threads, std::int64_t batch,
                   std::int64_t n) {
  const auto parameters = parameters_with(tuner, threads);
  Plan plan(convolutions(), parameters,
            {.batch = batch, .mode = Mode::train, .input_gradients = true});
  return run_once(plan, *parameters, n, 5);
}

Doubles inferred(const std::shared_ptr<Tuner>& tuner, int threads, const PlanOptions& options) {
  const auto parameters = parameters_with(tuner, threads);
  Plan plan(convolutions(), parameters, options);
  Doubles first;
  for (int run = 0; run < 2; ++run) {
    write_to(plan.queue(), plan.input(0, 1), random_doubles(plan.input(0, 1).count(), 3));
    plan.forward(1);
    const Doubles output = read_from(plan.queue(), plan.output(0, 1));
    if (run == 0) first = output;
    CHECK(output == first);
  }
  return first;
}

}  // namespace

TEST_CASE("a tuned plan computes by what was measured, and gives what it gave by rule") {
  const auto tuning = std::make_shared<Tuning>(by_times(kPlainFirst));
  const Results tuned = results_of(tuning, 2, 3, 3), by_rule = results_of(nullptr, 2, 3, 3);
  CHECK(tuning->summary().measured > 0);
  CHECK(relative(tuned.outputs[0], by_rule.outputs[0]) < 1e-5);
  CHECK(tuned.outputs[0] != by_rule.outputs[0]);
  CHECK(relative(tuned.input_gradients[0], by_rule.input_gradients[0]) < 1e-5);
  for (const auto& [name, gradient] : by_rule.gradients) {
    INFO(name);
    CHECK(relative(tuned.gradients.at(name), gradient) < 1e-5);
  }
  const Plan plan(convolutions(), parameters_with(tuning, 1), {.mode = Mode::train});
  int plain = 0;
  for (const Plan::Step& step : plan.steps())
    plain += step.algorithm.find("conv_im2col; measured, ") == 0;
  CHECK(plain == 8);  // three layers, forward and in both gradients, but not into the input
}

TEST_CASE("a tuned plan gives the same bits for any batch and threads, and from the same cache") {
  const TemporaryFolder folder;
  const std::string cache = folder / "tuning.json";
  const Results expected =
      results_of(std::make_shared<Tuning>(by_times(kDirectFirst, cache)), 1, 2, 2);
  // The same cache wins over another clock.
  const auto again = std::make_shared<Tuning>(by_times(kPlainFirst, cache));
  for (const int threads : {1, 3})
    for (const std::int64_t batch : {2, 7}) {
      const Results results = results_of(again, threads, batch, 2);
      CHECK(results.outputs == expected.outputs);
      CHECK(results.input_gradients == expected.input_gradients);
      CHECK(results.gradients == expected.gradients);
    }
  CHECK(again->summary().measured == 0);
  const Doubles alone = inferred(again, 1, {.batch = 1});
  CHECK(inferred(again, 2, {.batch = 6}) == alone);
  CHECK(inferred(again, 2, {.batch = 6, .keep_prepared = false}) == alone);
}

TEST_CASE("prepared weights are those of the algorithm that was measured") {
  const Graph graph = convolutions();
  const auto bytes = [&](const std::shared_ptr<Tuner>& tuner) {
    return Plan::memory_of(graph, parameters_with(tuner, 1), {.batch = 2}).prepared;
  };
  // The plain one prepares none, and the direct one's are smaller than transformed filters.
  const std::size_t plain = bytes(std::make_shared<Tuning>(by_times(kPlainFirst)));
  const std::size_t direct = bytes(std::make_shared<Tuning>(by_times(kDirectFirst)));
  CHECK(plain < direct);
  CHECK(direct < bytes(nullptr));
}

TEST_CASE("a run of a tuned plan allocates nothing") {
  if (!can_watch_allocations()) {
    WARN("skipped: a sanitizer has a heap of its own");
    return;
  }
  const auto tuning = std::make_shared<Tuning>(by_times(kDirectFirst));
  for (const int threads : {1, 3}) {
    const auto parameters = parameters_with(tuning, threads);
    Plan infer(convolutions(), parameters, {.batch = 4});
    Plan train(convolutions(), parameters, {.batch = 4, .mode = Mode::train});
    watch_allocations();
    for (const std::int64_t n : {4, 1}) {
      infer.forward(n);
      train.forward(n);
      train.backward(n);
    }
    CHECK(end_watching().count == 0);
  }
}
