// Asks cuDNN, without a GPU, for the plan of every convolution that we have: it makes plans for a
// device that is only described.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "../../apps/dark_slices/ratnet.h"
#include "../../kernels/cuda/cudnn/plan.h"
#include "../catch.h"
#include "recorded_convolutions.h"

using namespace ratnet;

namespace {

// CTest takes this word for a skipped test.
bool skipped() {
  if (cudnn_library().why.empty()) return false;
  WARN("skipped: " << cudnn_library().why);
  return true;
}

// Some engines are compiled while the program runs, which cuDNN does through the driver's library.
bool has_driver() { return dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) != nullptr; }

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

Descriptor described_device(const std::string& json) {
  Descriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "device");
  device.set_all<char>(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
  device.finalize();
  return device;
}
Descriptor h100() {
  const char* folder = std::getenv("RATNET_RECORDED_DEVICES");
  return described_device(
      read_file(std::string(folder ? folder : RATNET_SOURCE_DIR "/tests/cudnn") + "/h100.json"));
}

ConvProblem asked(const Conv& op) {
  const bool pooled = op.pool.rank > 0;
  const Shape full = op.window.output(op.x.shape, op.y.shape.back(), op.kName);
  return problem_of(ConvForward{op.kName, geometry_of(op.x.shape, full, op.window), op.x, op.weight,
                                op.bias, op.y, pooled ? Activation::none : op.activation, op.slope,
                                op.precision});
}
ConvProblem asked(const ConvBackwardData& op) {
  return problem_of(ConvData{op.kName, geometry_of(op.dx.shape, op.dy.shape, op.window), op.dy,
                             op.weight, op.dx, op.precision});
}
ConvProblem asked(const ConvBackwardWeights& op) {
  return problem_of(ConvWeights{op.kName, geometry_of(op.x.shape, op.dy.shape, op.window), op.x,
                                op.dy, op.dweight, op.dbias, op.precision});
}

// Only by an engine that is compiled while the program runs.
bool needs_driver(const ConvProblem& problem) {
  return problem.precision == Precision::bf16 || problem.activation == Activation::leaky_relu;
}

// How many plans were made, and of how many problems.
struct Count {
  int problems = 0, plans = 0;
};
using Counts = std::map<std::pair<Direction, Precision>, Count>;

void check_plans(const Graph& graph, std::int64_t batch, const Descriptor& device, Counts& counts) {
  for (const Precision precision : {Precision::f32, Precision::tf32, Precision::bf16})
    for (const auto& convolution : testing::recorded_convolutions(graph, batch, precision)) {
      const ConvProblem problem = std::visit([](const auto& op) { return asked(op); }, convolution);
      const PlanAnswer answer = plan_convolution(problem, {nullptr, &device});
      INFO(to_string(problem) << ": " << answer.declined);
      CHECK((answer.plan != nullptr) == answer.declined.empty());
      Count& count = counts[{problem.direction, problem.precision}];
      ++count.problems;
      if (needs_driver(problem)) {
        if (!has_driver()) CHECK(answer.declined == "no engine for it");
        continue;
      }
      REQUIRE(answer.plan);
      ++count.plans;
      if (precision == Precision::f32) CHECK_FALSE(answer.plan->tensor_cores);
      CHECK(answer.plan->workspace_bytes <= std::size_t{1} << 30);
    }
}

// The engine's settings as cuDNN writes them.
std::string settings_of(const EnginePlan& plan) {
  const auto attribute = CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;
  std::string json(static_cast<std::size_t>(plan.plan.get_all<char>(attribute, {})), ' ');
  plan.plan.get_all<char>(attribute, json);
  const auto from = json.find("knobChoices");
  REQUIRE(from != std::string::npos);
  return json.substr(from, json.find('}', from) - from);
}

void print(const char* what, const Counts& counts) {
  constexpr const char* kDirections[] = {"forward", "backward data", "backward weights"};
  for (const auto& [key, count] : counts)
    std::printf("%s, %s, %s: %d plans of %d\n", what, kDirections[static_cast<int>(key.first)],
                std::string(name_of(key.second)).c_str(), count.plans, count.problems);
}

TEST_CASE("cuDNN has a plan for every convolution of every network") {
  if (skipped()) return;
  const Descriptor device = h100();
  Counts counts;
  for (const std::int64_t batch : {1, 32, 256}) check_plans(ratnet_graph(), batch, device, counts);
  print("RatNet", counts);
  CHECK(counts[{Direction::forward, Precision::f32}].plans == 9);
  CHECK(counts[{Direction::backward_data, Precision::tf32}].plans == 9);
  CHECK(counts[{Direction::backward_weights, Precision::f32}].plans == 9);
}

TEST_CASE("cuDNN has a plan for the convolution layer's examples") {
  if (skipped()) return;
  const Descriptor device = h100();
  Counts counts;
  for (const auto& example : layers::Conv::examples()) {
    const auto sizes = example.inputs[0].sizes();
    GraphBuilder builder;
    const int input = builder.input("x", {sizes.begin() + 1, sizes.end()});
    const int conv = builder.add("conv", example.layer, {input});
    check_plans(builder.build({conv}), sizes[0], device, counts);
  }
  print("examples", counts);
  CHECK(counts[{Direction::backward_data, Precision::f32}].plans ==
        static_cast<int>(layers::Conv::examples().size()));
}

TEST_CASE("tf32 takes tensor cores where cuDNN has them") {
  if (skipped()) return;
  const Descriptor device = h100();
  ConvProblem problem;
  problem.geometry = {32,        32,        32,        {1, 32, 32}, {1, 32, 32},
                      {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}};
  for (const auto direction :
       {Direction::forward, Direction::backward_data, Direction::backward_weights}) {
    problem.direction = direction;
    problem.precision = Precision::tf32;
    const PlanAnswer answer = plan_convolution(problem, {nullptr, &device});
    INFO(to_string(problem) << ": " << answer.declined);
    REQUIRE(answer.plan);
    CHECK(answer.plan->tensor_cores);
  }
}

TEST_CASE("a sample meets the same engine in every batch") {
  if (skipped()) return;
  const Descriptor device = h100();
  ConvProblem problem;
  problem.geometry = {1,         32,        16,        {1, 16, 16}, {1, 16, 16},
                      {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}};
  for (const Precision precision : {Precision::f32, Precision::tf32})
    for (const auto direction : {Direction::forward, Direction::backward_data}) {
      problem.precision = precision;
      problem.direction = direction;
      std::set<std::pair<std::int64_t, std::string>> engines;
      for (const std::int64_t batch : {1, 2, 7, 36, 256, 4096}) {
        problem.geometry.batch = batch;
        const PlanAnswer answer = plan_convolution(problem, {nullptr, &device});
        INFO(to_string(problem) << ": " << answer.declined);
        REQUIRE(answer.plan);
        engines.emplace(answer.plan->engine, settings_of(*answer.plan));
      }
      CHECK(engines.size() == 1);
    }
}

TEST_CASE("an impossible convolution is declined in cuDNN's own words") {
  if (skipped()) return;
  const Descriptor device = h100();
  ConvProblem problem;  // its output is larger than its input can fill
  problem.geometry = {2, 3, 4, {1, 5, 5}, {1, 9, 5}, {1, 3, 3}, {1, 0, 1}, {1, 1, 1}, {0, 1, 1}};
  const PlanAnswer answer = plan_convolution(problem, {nullptr, &device});
  CHECK_FALSE(answer.plan);
  INFO(answer.declined);
  CHECK(answer.declined.find("window: CUDNN_STATUS_BAD_PARAM") == 0);
}

TEST_CASE("a description that lacks something is refused") {
  if (skipped()) return;
  CHECK_THROWS_AS(described_device("{\"deviceVer\": 900}"), Error);
}

// On a machine with a GPU: writes device.json for this folder into the current one.
TEST_CASE("record the first device", "[.record]") {
  REQUIRE(cudnn_library().why.empty());
  Descriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "device");
  device.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, std::int32_t{0}).finalize();
  const auto size = device.get_all<char>(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, {});
  std::string json(static_cast<std::size_t>(size), ' ');
  device.get_all<char>(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
  json.resize(json.find_last_of('}') + 1);
  described_device(json);
  CHECK(std::ofstream("device.json") << json << "\n");
}

}  // namespace
