#include "../dense.h"

#include "conv_gemm.h"

namespace ratnet::inline v1 {
OpNote plan(CudaQueue&, const Dense&) { return note_of("gemm", 0); }

void run(CudaQueue& queue, const Dense& op) {
  run(queue, ConvForward{op.kName, dense_geometry(op.x.shape, op.y.shape), op.x, op.weight, op.bias,
                         op.y, op.activation, op.slope});
}

OpNote plan(CudaQueue&, const DenseBackwardData&) { return note_of("gemm", 0); }

void run(CudaQueue& queue, const DenseBackwardData& op) {
  run(queue, ConvData{op.kName, dense_geometry(op.dx.shape, op.dy.shape), op.dy, op.weight, op.dx});
}

OpNote plan(CudaQueue&, const DenseBackwardWeights& op) {
  return note_of("gemm",
                 weights_scratch_bytes(dense_geometry(op.x.shape, op.dy.shape), op.x.dtype));
}

void run(CudaQueue& queue, const DenseBackwardWeights& op) {
  run(queue, ConvWeights{op.kName, dense_geometry(op.x.shape, op.dy.shape), op.x, op.dy, op.dweight,
                         op.dbias});
}

}  // namespace ratnet::inline v1
