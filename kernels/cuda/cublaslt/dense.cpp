// Dense layers by cuBLASLt.
#include <algorithm>

#include "../../activation.h"
#include "../column_sums.h"
#include "../vendor.h"
#include "../vendor_plans.h"
#include "matmul.h"

namespace ratnet::inline v1 {
namespace {

struct Answer {
  std::unique_ptr<ProductPlan> plan;  // nullptr where cuBLASLt declines
  std::string declined;               // why
};

struct State : VendorPlans<cublasLtHandle_t, Product, Answer> {
  explicit State(CudaQueue& queue) {
    why = cublaslt_library().why;
    if (!why.empty()) return;
    try {
      queue.use_device();
      check_cublaslt(cublaslt_library().create(&handle), "cublasLtCreate");
    } catch (const Error& error) {
      why = error.what();
    }
  }
  State(const State&) = delete;
  ~State() {
    plans = {};
    if (handle) cublaslt_library().destroy(handle);
  }
};

State& state_of(CudaQueue& queue) {
  if (!queue.cublaslt) queue.cublaslt = std::make_shared<State>(queue);
  return *static_cast<State*>(queue.cublaslt.get());
}

std::uint32_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data) | 16;
  return static_cast<std::uint32_t>(address & -address);
}

// A call as a product, with its memory.
struct Task {
  Product product;
  const void *left, *right, *bias;
  void* result;
};

Task finished(Task task) {
  task.product.bias = task.bias != nullptr;
  task.product.left_alignment = alignment_of(task.left);
  task.product.right_alignment = alignment_of(task.right);
  // The bias is read as the result is written, in vectors.
  task.product.result_alignment = std::min(alignment_of(task.result), alignment_of(task.bias));
  return task;
}

Task task_of(const ConvForward& call) {
  const WindowGeometry& g = call.geometry;
  Product product{g.batch, g.outputs, g.channels};
  product.precision = call.precision;
  return finished({product, call.x.data, call.weight.data, call.bias.data, call.y.data});
}

Task task_of(const ConvData& call) {
  const WindowGeometry& g = call.geometry;
  Product product{g.batch, g.channels, g.outputs};
  product.right_transposed = true;
  product.precision = call.precision;
  return finished({product, call.dy.data, call.weight.data, nullptr, call.dx.data});
}

Task task_of(const ConvWeights& call) {
  const WindowGeometry& g = call.geometry;
  Product product{g.channels, g.outputs, g.batch};
  product.left_transposed = true;
  product.precision = call.precision;
  return finished({product, call.x.data, call.dy.data, nullptr, call.dweight.data});
}

Answer& answer_of(CudaQueue& queue, const char* what, const Product& product) {
  State& state = state_of(queue);
  return state.prepared(queue, what, product, [&] {
    Answer answer;
    try {
      answer.plan = std::make_unique<ProductPlan>(state.handle, product);
    } catch (const Error& error) {
      answer.declined = error.what();
    }
    return answer;
  });
}

template <class Call>
const char* declines(CudaQueue& queue, const Call& call) {
  if (call.dtype() != DType::f32) return "the tensors are not f32";
  const WindowGeometry& g = call.geometry;
  if (g.batch == 0 || g.channels == 0 || g.outputs == 0) return "a tensor is empty";
  const State& state = state_of(queue);
  if (!state.why.empty()) return state.why.c_str();
  const Answer& answer = answer_of(queue, call.what, task_of(call).product);
  return answer.plan ? nullptr : answer.declined.c_str();
}

// Working memory: cuBLASLt's own, then the sums of the bias.
std::size_t sums_offset(const ProductPlan& plan) {
  return (plan.workspace_bytes() + 255) / 256 * 256;
}
template <class Call>
OpNote plan(CudaQueue& queue, const Call& call) {
  const ProductPlan& plan = *answer_of(queue, call.what, task_of(call).product).plan;
  return note_of("cublaslt", sums_offset(plan) + bias_sums_bytes(call));
}

// Its working memory.
template <class Call>
char* multiply(CudaQueue& queue, const Call& call) {
  const Task task = task_of(call);
  ProductPlan& plan = *answer_of(queue, call.what, task.product).plan;
  char* memory =
      static_cast<char*>(queue.working_memory(sums_offset(plan) + bias_sums_bytes(call)));
  queue.use_device();
  plan.run(state_of(queue).handle, queue.stream, task.left, task.right, task.bias, task.result,
           memory);
  return memory;
}

// Its own relu may lose a NaN, and it has no other activation.
void run_forward(CudaQueue& queue, const ConvForward& call) {
  multiply(queue, call);
  if (call.activation != Activation::none)
    run(queue, Activate{call.y, call.y, call.activation, call.slope});
}

void run_data(CudaQueue& queue, const ConvData& call) { multiply(queue, call); }

void run_weights(CudaQueue& queue, const ConvWeights& call) {
  const std::size_t sums = sums_offset(*answer_of(queue, call.what, task_of(call).product).plan);
  char* memory = multiply(queue, call);
  if (call.dbias) column_sums(queue, call.what, call.dy, call.dbias, memory + sums);
}

}  // namespace

constinit const CudaAlgorithm<ConvForward> cublaslt_forward = {"cublaslt", declines<ConvForward>,
                                                               plan<ConvForward>, run_forward};
constinit const CudaAlgorithm<ConvData> cublaslt_data = {"cublaslt", declines<ConvData>,
                                                         plan<ConvData>, run_data};
constinit const CudaAlgorithm<ConvWeights> cublaslt_weights = {"cublaslt", declines<ConvWeights>,
                                                               plan<ConvWeights>, run_weights};

}  // namespace ratnet::inline v1
