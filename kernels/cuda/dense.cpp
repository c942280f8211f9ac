#include "../dense.h"

#include "implicit_gemm.h"
#include "vendor.h"

namespace ratnet::inline v1 {
namespace {

constexpr const CudaAlgorithm<ConvForward>* kForward[] = {&cublaslt_forward,
                                                          &kImplicitGemm<ConvForward>};
constexpr const CudaAlgorithm<ConvData>* kData[] = {&cublaslt_data, &kImplicitGemm<ConvData>};
constexpr const CudaAlgorithm<ConvWeights>* kWeights[] = {&cublaslt_weights,
                                                          &kImplicitGemm<ConvWeights>};

ConvForward call_of(const Dense& op) {
  return {op.kName,      dense_geometry(op.x.shape, op.y.shape),
          op.x,          op.weight,
          op.bias,       op.y,
          op.activation, op.slope,
          op.precision};
}

ConvData call_of(const DenseBackwardData& op) {
  return {op.kName,    dense_geometry(op.dx.shape, op.dy.shape), op.dy, op.weight, op.dx,
          op.precision};
}

ConvWeights call_of(const DenseBackwardWeights& op) {
  return {op.kName,    dense_geometry(op.x.shape, op.dy.shape), op.x, op.dy, op.dweight, op.dbias,
          op.precision};
}

}  // namespace

OpNote plan(CudaQueue& queue, const Dense& op) { return describe(kForward, queue, call_of(op)); }

void run(CudaQueue& queue, const Dense& op) {
  const ConvForward call = call_of(op);
  choose(kForward, queue, call).run(queue, call);
}

OpNote plan(CudaQueue& queue, const DenseBackwardData& op) {
  return describe(kData, queue, call_of(op));
}

void run(CudaQueue& queue, const DenseBackwardData& op) {
  const ConvData call = call_of(op);
  choose(kData, queue, call).run(queue, call);
}

OpNote plan(CudaQueue& queue, const DenseBackwardWeights& op) {
  return describe(kWeights, queue, call_of(op));
}

void run(CudaQueue& queue, const DenseBackwardWeights& op) {
  const ConvWeights call = call_of(op);
  choose(kWeights, queue, call).run(queue, call);
}

}  // namespace ratnet::inline v1
