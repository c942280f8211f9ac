#include "../conv.h"

#include "conv_gemm.h"
#include "pool_activated.h"

namespace ratnet::inline v1 {
namespace {

// The result before pooling.
Shape unpooled(const Conv& op) { return op.window.output(op.x.shape, op.y.shape.back(), op.kName); }

}  // namespace

OpNote plan(CudaQueue&, const Conv& op) {
  if (op.pool.rank == 0) return note_of("implicit_gemm", 0);
  return note_of("implicit_gemm, then max_pool", View(nullptr, op.x.dtype, unpooled(op)).bytes());
}

void run(CudaQueue& queue, const Conv& op) {
  const Shape full = unpooled(op);
  ConvForward call{op.kName,      geometry_of(op.x.shape, full, op.window),
                   op.x,          op.weight,
                   op.bias,       op.y,
                   op.activation, op.slope};
  if (op.pool.rank == 0) return run(queue, call);
  call.y = View(queue.working_memory(plan(queue, op).scratch_bytes), op.x.dtype, full);
  call.activation = Activation::none;
  run(queue, call);
  max_pool_activated(queue, MaxPool{call.y, op.y, op.argmax, op.pool}, op.activation, op.slope);
}

OpNote plan(CudaQueue&, const ConvBackwardData&) { return note_of("implicit_gemm", 0); }

void run(CudaQueue& queue, const ConvBackwardData& op) {
  run(queue, ConvData{op.kName, geometry_of(op.dx.shape, op.dy.shape, op.window), op.dy, op.weight,
                      op.dx});
}

OpNote plan(CudaQueue&, const ConvBackwardWeights& op) {
  return note_of("implicit_gemm", weights_scratch_bytes(
                                      geometry_of(op.x.shape, op.dy.shape, op.window), op.x.dtype));
}

void run(CudaQueue& queue, const ConvBackwardWeights& op) {
  run(queue, ConvWeights{op.kName, geometry_of(op.x.shape, op.dy.shape, op.window), op.x, op.dy,
                         op.dweight, op.dbias});
}

}  // namespace ratnet::inline v1
