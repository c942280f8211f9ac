#include "../dense.h"

#include "conv_gemm.h"

namespace ratnet::inline v1 {
namespace {

ConvForward forward(const Dense& op) {
  return {op.kName,      dense_geometry(op.x.shape, op.y.shape),
          op.x,          op.weight,
          op.bias,       op.y,
          op.activation, op.slope,
          op.precision};
}
ConvData backward_data(const DenseBackwardData& op) {
  return {op.kName,    dense_geometry(op.dx.shape, op.dy.shape), op.dy, op.weight, op.dx,
          op.precision};
}
ConvWeights backward_weights(const DenseBackwardWeights& op) {
  return {op.kName,    dense_geometry(op.x.shape, op.dy.shape), op.x, op.dy, op.dweight, op.dbias,
          op.precision};
}

}  // namespace

OpNote plan(CudaQueue&, const Dense& op) {
  return note_of(algorithm_of(forward(op).geometry, op.x.dtype, op.precision), 0);
}

void run(CudaQueue& queue, const Dense& op) { run(queue, forward(op)); }

OpNote plan(CudaQueue&, const DenseBackwardData& op) {
  return note_of(algorithm_of(backward_data(op).geometry, op.dy.dtype, op.precision), 0);
}

void run(CudaQueue& queue, const DenseBackwardData& op) { run(queue, backward_data(op)); }

OpNote plan(CudaQueue&, const DenseBackwardWeights& op) {
  const ConvWeights call = backward_weights(op);
  return note_of(algorithm_of(call.geometry, op.x.dtype, op.precision), scratch_bytes(call));
}

void run(CudaQueue& queue, const DenseBackwardWeights& op) { run(queue, backward_weights(op)); }

}  // namespace ratnet::inline v1
