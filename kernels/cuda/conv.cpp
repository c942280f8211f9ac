#include "../conv.h"

#include <string>

#include "conv_gemm.h"
#include "pool_activated.h"

namespace ratnet::inline v1 {
namespace {

// The result before pooling.
Shape unpooled(const Conv& op) { return op.window.output(op.x.shape, op.y.shape.back(), op.kName); }

ConvForward forward(const Conv& op) {
  return {op.kName,      geometry_of(op.x.shape, unpooled(op), op.window),
          op.x,          op.weight,
          op.bias,       op.y,
          op.activation, op.slope,
          op.precision};
}
ConvData backward_data(const ConvBackwardData& op) {
  return {op.kName,    geometry_of(op.dx.shape, op.dy.shape, op.window), op.dy, op.weight, op.dx,
          op.precision};
}
ConvWeights backward_weights(const ConvBackwardWeights& op) {
  return {op.kName,    geometry_of(op.x.shape, op.dy.shape, op.window),
          op.x,        op.dy,
          op.dweight,  op.dbias,
          op.precision};
}

}  // namespace

OpNote plan(CudaQueue&, const Conv& op) {
  const std::string algorithm = algorithm_of(forward(op).geometry, op.x.dtype, op.precision);
  if (op.pool.rank == 0) return note_of(algorithm.c_str(), 0);
  return note_of((algorithm + ", then max_pool").c_str(),
                 View(nullptr, op.x.dtype, unpooled(op)).bytes());
}

void run(CudaQueue& queue, const Conv& op) {
  ConvForward call = forward(op);
  if (op.pool.rank == 0) return run(queue, call);
  call.y = View(queue.working_memory(plan(queue, op).scratch_bytes), op.x.dtype, unpooled(op));
  call.activation = Activation::none;
  run(queue, call);
  max_pool_activated(queue, MaxPool{call.y, op.y, op.argmax, op.pool}, op.activation, op.slope);
}

OpNote plan(CudaQueue&, const ConvBackwardData& op) {
  return note_of(algorithm_of(backward_data(op).geometry, op.dy.dtype, op.precision), 0);
}

void run(CudaQueue& queue, const ConvBackwardData& op) { run(queue, backward_data(op)); }

OpNote plan(CudaQueue&, const ConvBackwardWeights& op) {
  const ConvWeights call = backward_weights(op);
  return note_of(algorithm_of(call.geometry, op.x.dtype, op.precision), scratch_bytes(call));
}

void run(CudaQueue& queue, const ConvBackwardWeights& op) { run(queue, backward_weights(op)); }

}  // namespace ratnet::inline v1
