// Convolutions by cuDNN.
#include "../column_sums.h"
#include "../transpose.h"
#include "../vendor.h"
#include "../vendor_plans.h"
#include "plan.h"

namespace ratnet::inline v1 {
namespace {

struct State : VendorPlans<cudnnHandle_t, ConvProblem, PlanAnswer> {
  explicit State(CudaQueue& queue) {
    why = cudnn_library().why;
    if (!why.empty()) return;
    try {
      queue.use_device();
      check_cudnn(cudnn_library().create(&handle), "cudnnCreate");
      check_cudnn(cudnn_library().set_stream(handle, queue.stream), "cudnnSetStream");
    } catch (const Error& error) {
      why = error.what();
    }
  }
  State(const State&) = delete;
  ~State() {
    plans = {};
    if (handle) cudnn_library().destroy(handle);
  }
};

State& state_of(CudaQueue& queue) {
  if (!queue.cudnn) queue.cudnn = std::make_shared<State>(queue);
  return *static_cast<State*>(queue.cudnn.get());
}

template <class Call>
const PlanAnswer& answer_of(CudaQueue& queue, const Call& call) {
  State& state = state_of(queue);
  const ConvProblem problem = problem_of(call);
  return state.prepared(queue, call.what, problem, [&] {
    return plan_convolution(problem, {state.handle, nullptr});
  });
}

// The tensors that cuDNN reads and writes where they lie; weights are copied.
std::pair<const void*, const void*> in_place(const ConvForward& call) {
  return {call.x.data, call.y.data};
}
std::pair<const void*, const void*> in_place(const ConvData& call) {
  return {call.dy.data, call.dx.data};
}
std::pair<const void*, const void*> in_place(const ConvWeights& call) {
  return {call.x.data, call.dy.data};
}
bool is_aligned(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % kTensorAlignment == 0;
}

template <class Call>
const char* declines(CudaQueue& queue, const Call& call) {
  if (call.dtype() != DType::f32) return "the tensors are not f32";
  if (call.geometry.groups != 1) return "the channels are grouped";
  if (is_empty(call.geometry)) return "a tensor is empty";
  if (!is_aligned(in_place(call).first) || !is_aligned(in_place(call).second))
    return "a tensor is not aligned to 16 bytes";
  const State& state = state_of(queue);
  if (!state.why.empty()) return state.why.c_str();
  const PlanAnswer& answer = answer_of(queue, call);
  return answer.plan ? nullptr : answer.declined.c_str();
}

// Working memory: cuDNN's own, then the weights in its order, then the sums of the bias.
struct Layout {
  std::size_t weights, sums, bytes;  // two offsets and the size of all

  Layout(const EnginePlan& plan, const WindowGeometry& g, std::size_t sums_bytes) {
    const auto rounded = [](std::size_t size) { return (size + 255) / 256 * 256; };
    weights = rounded(plan.workspace_bytes);
    sums =
        weights + rounded(static_cast<std::size_t>(product(g.kernel) * g.channels * g.outputs) * 4);
    bytes = sums + sums_bytes;
  }
};

template <class Call>
OpNote plan(CudaQueue& queue, const Call& call) {
  const EnginePlan& engine = *answer_of(queue, call).plan;
  const std::string line =
      text("cudnn engine ", engine.engine, engine.tensor_cores ? ", tensor cores" : "",
           engine.compiled ? ", compiled for it" : "");
  return note_of(line.c_str(), Layout(engine, call.geometry, bias_sums_bytes(call)).bytes);
}

// What a run works with.
struct Prepared {
  const EnginePlan* plan;
  char* memory;
  Layout layout;
  std::int64_t taps_and_channels;

  void* weights() const { return memory + layout.weights; }
};

template <class Call>
Prepared prepare(CudaQueue& queue, const Call& call) {
  const EnginePlan& plan = *answer_of(queue, call).plan;
  const Layout layout(plan, call.geometry, bias_sums_bytes(call));
  return {&plan, static_cast<char*>(queue.working_memory(layout.bytes)), layout,
          product(call.geometry.kernel) * call.geometry.channels};
}

// Our weights are a matrix [taps and Cin, Cout], cuDNN's its transpose.
void bring_weights(CudaQueue& queue, const char* what, const Prepared& run, const ConstView& weight,
                   std::int64_t outputs, Precision precision) {
  if (precision == Precision::bf16)
    transpose_rounded(queue, what, weight.as<float>(), run.taps_and_channels, outputs,
                      static_cast<std::uint16_t*>(run.weights()));
  else
    transpose(queue, what, weight.as<float>(), run.taps_and_channels, outputs,
              static_cast<float*>(run.weights()));
}

struct Argument {
  TensorId id;
  const void* data;
};

void execute(CudaQueue& queue, const char* what, const EnginePlan& plan, void* workspace,
             std::initializer_list<Argument> arguments) {
  std::vector<std::int64_t> ids;
  std::vector<void*> data;
  for (const Argument& argument : arguments) {
    if (!argument.data) continue;
    ids.push_back(argument.id);
    data.push_back(const_cast<void*>(argument.data));
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "arguments");
  pack.set_all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
      .set_all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, data)
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
      .finalize();
  queue.use_device();
  check_cudnn(cudnn_library().execute(state_of(queue).handle, plan.plan.raw(), pack.raw()),
              text(what, ": cudnn engine ", plan.engine).c_str());
}

void run_forward(CudaQueue& queue, const ConvForward& call) {
  const Prepared run = prepare(queue, call);
  bring_weights(queue, call.what, run, call.weight, call.geometry.outputs, call.precision);
  execute(
      queue, call.what, *run.plan, run.memory,
      {{kX, call.x.data}, {kWeight, run.weights()}, {kBias, call.bias.data}, {kY, call.y.data}});
}

void run_data(CudaQueue& queue, const ConvData& call) {
  const Prepared run = prepare(queue, call);
  bring_weights(queue, call.what, run, call.weight, call.geometry.outputs, call.precision);
  execute(queue, call.what, *run.plan, run.memory,
          {{kY, call.dy.data}, {kWeight, run.weights()}, {kX, call.dx.data}});
}

void run_weights(CudaQueue& queue, const ConvWeights& call) {
  const Prepared run = prepare(queue, call);
  execute(queue, call.what, *run.plan, run.memory,
          {{kX, call.x.data}, {kY, call.dy.data}, {kWeight, run.weights()}});
  transpose(queue, call.what, static_cast<const float*>(run.weights()), call.geometry.outputs,
            run.taps_and_channels, call.dweight.as<float>());
  if (call.dbias) column_sums(queue, call.what, call.dy, call.dbias, run.memory + run.layout.sums);
}

}  // namespace

constinit const CudaAlgorithm<ConvForward> cudnn_forward = {"cudnn", declines<ConvForward>,
                                                            plan<ConvForward>, run_forward};
constinit const CudaAlgorithm<ConvData> cudnn_data = {"cudnn", declines<ConvData>, plan<ConvData>,
                                                      run_data};
constinit const CudaAlgorithm<ConvWeights> cudnn_weights = {"cudnn", declines<ConvWeights>,
                                                            plan<ConvWeights>, run_weights};

}  // namespace ratnet::inline v1
