#include "plan.h"

#include <algorithm>
#include <array>
#include <vector>

#include "../../../core/text.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kMostWorkspace = std::int64_t{1} << 30;
constexpr std::int64_t kReferenceBatch = 32;
constexpr std::size_t kMostNotes = 32;  // cuDNN 9.19 knows 10, newer ones may know more

// Why engines were not taken.
struct Refused {
  int offered = 0, nondeterministic = 0, inexact = 0, too_large = 0;
  std::string failed;  // the first that could not be finalized

  std::string text() const {
    if (offered == 0) return "no engine for it";
    std::string line = v1::text("of ", offered, " engines ", nondeterministic,
                                " are not deterministic, ", inexact, " do not keep the precision");
    if (too_large) line += v1::text(", ", too_large, " need more than 1 GiB");
    if (!failed.empty()) line += ", " + failed;
    return line;
  }
};

struct Notes {
  std::array<cudnnBackendNumericalNote_t, kMostNotes> of{};
  std::int64_t count = 0;
  bool has(cudnnBackendNumericalNote_t note) const {
    return std::find(of.begin(), of.begin() + count, note) != of.begin() + count;
  }
};

bool keeps(Precision precision, const Notes& notes) {
  if (precision == Precision::f32 && notes.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) return false;
  // Inputs that an engine converts by itself may become f16, which has not their range.
  for (const auto note :
       {CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
        CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD,
        CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6,
        CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13})
    if (notes.has(note)) return false;
  return true;
}

// Engines with their settings, the one that is expected to be fastest first.
std::vector<Descriptor> configurations(const OperationGraph& graph, const PlanDevice& device,
                                       cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "heuristics");
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (!device.handle) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device.description);
  heuristics.finalize();
  const auto count = heuristics.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, {});
  std::vector<Descriptor> found;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < count; ++i) {
    found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "engine configuration");
    raw.push_back(found.back().raw());
  }
  const auto filled = heuristics.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, raw);
  found.erase(found.begin() + filled, found.end());
  return found;
}

Descriptor engine_of(const Descriptor& configuration) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR, "engine");
  cudnnBackendDescriptor_t raw = engine.raw();
  configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, {&raw, 1});
  return engine;
}

// The same engine with the same settings, for another graph.
Descriptor moved_to(const OperationGraph& graph, const Descriptor& configuration,
                    const PlanDevice& device) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR, "engine");
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.graph)
      .set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX,
           engine_of(configuration).get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
  if (!device.handle) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, *device.description);
  engine.finalize();
  std::vector<Descriptor> settings;
  std::vector<cudnnBackendDescriptor_t> raw;
  const auto count = configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, {});
  for (std::int64_t i = 0; i < count; ++i) {
    settings.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, "setting of an engine");
    raw.push_back(settings.back().raw());
  }
  Descriptor moved(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "engine configuration");
  moved.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  if (count > 0) {
    configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, raw);
    moved.set_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, raw);
  }
  moved.finalize();
  return moved;
}

// nullptr where it is refused; throws Error where it cannot be finalized.
std::unique_ptr<EnginePlan> try_engine(const Descriptor& configuration, const PlanDevice& device,
                                       Precision precision, Refused& refused) {
  const Descriptor engine = engine_of(configuration);
  Notes notes;
  notes.count =
      engine.get_all<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, notes.of);
  if (notes.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) {
    ++refused.nondeterministic;
    return nullptr;
  }
  if (!keeps(precision, notes)) {
    ++refused.inexact;
    return nullptr;
  }
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "plan");
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (device.handle)
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, device.handle);
  else
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *device.description);
  plan.finalize();
  const auto workspace = plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  if (workspace > kMostWorkspace) {
    ++refused.too_large;
    return nullptr;
  }
  std::array<cudnnBackendBehaviorNote_t, kMostNotes> behaviour{};
  const auto behaviours =
      engine.get_all<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, behaviour);
  auto made = std::make_unique<EnginePlan>(EnginePlan{{}, std::move(plan)});
  made->engine = engine.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  made->tensor_cores = notes.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  made->compiled = std::count(behaviour.begin(), behaviour.begin() + behaviours,
                              CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) > 0;
  made->workspace_bytes = static_cast<std::size_t>(workspace);
  return made;
}

}  // namespace

PlanAnswer plan_convolution(const ConvProblem& problem, const PlanDevice& device) {
  ConvProblem reference = problem;
  if (problem.direction != Direction::backward_weights) reference.geometry.batch = kReferenceBatch;
  try {
    OperationGraph graph = make_graph(problem, device.handle);
    const OperationGraph reference_graph = make_graph(reference, device.handle);
    Refused refused;
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
      for (const Descriptor& chosen : configurations(reference_graph, device, mode)) {
        ++refused.offered;
        try {
          Descriptor configuration = moved_to(graph, chosen, device);
          auto plan = try_engine(configuration, device, problem.precision, refused);
          if (!plan) continue;
          plan->parts = std::move(graph.parts);
          plan->parts.push_back(std::move(graph.graph));
          plan->parts.push_back(std::move(configuration));
          return {std::move(plan), ""};
        } catch (const Error& error) {
          if (refused.failed.empty()) refused.failed = error.what();
        }
      }
    return {nullptr, refused.text()};
  } catch (const Error& error) {
    return {nullptr, error.what()};
  }
}

}  // namespace ratnet::inline v1
