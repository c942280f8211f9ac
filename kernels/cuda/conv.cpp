#include "../conv.h"
#include "../pointwise.h"

#include "conv_grouped.h"
#include "implicit_gemm.h"
#include "pool_activated.h"
#include "vendor.h"

namespace ratnet::inline v1 {
namespace {

constexpr const CudaAlgorithm<ConvForward>* kForward[] = {
    &cudnn_forward, &kConvGrouped<ConvForward>, &kImplicitGemm<ConvForward>};
constexpr const CudaAlgorithm<ConvData>* kData[] = {&cudnn_data, &kConvGrouped<ConvData>,
                                                    &kImplicitGemm<ConvData>};
constexpr const CudaAlgorithm<ConvWeights>* kWeights[] = {
    &cudnn_weights, &kConvGrouped<ConvWeights>, &kImplicitGemm<ConvWeights>};

// The convolution without what an operation of its own does after it: pooling, where y is without
// memory here, or an addition.
ConvForward call_of(const Conv& op) {
  const Shape full = op.window.output(op.x.shape, op.y.shape.back(), op.kName);
  const WindowGeometry geometry = geometry_of(op.x.shape, full, op.window, op.groups);
  const bool whole = op.pool.rank == 0 && !op.added;
  return {op.kName,
          geometry,
          op.x,
          op.weight,
          op.bias,
          op.pool.rank == 0 ? op.y : View(nullptr, op.x.dtype, full),
          whole ? op.activation : Activation::none,
          op.slope,
          op.precision};
}

ConvData call_of(const ConvBackwardData& op) {
  return {op.kName, geometry_of(op.dx.shape, op.dy.shape, op.window, op.groups),
          op.dy,    op.weight,
          op.dx,    op.precision};
}

ConvWeights call_of(const ConvBackwardWeights& op) {
  return {op.kName,    geometry_of(op.x.shape, op.dy.shape, op.window, op.groups),
          op.x,        op.dy,
          op.dweight,  op.dbias,
          op.precision};
}

// Where the result before pooling lies in working memory: behind the convolution's own.
std::size_t unpooled_offset(const OpNote& note) { return (note.scratch_bytes + 255) / 256 * 256; }

}  // namespace

OpNote plan(CudaQueue& queue, const Conv& op) {
  const ConvForward call = call_of(op);
  OpNote note = describe(kForward, queue, call);
  if (op.added) return note_of(text("add after ", note.algorithm).c_str(), note.scratch_bytes);
  if (op.pool.rank == 0) return note;
  const std::string line = text("max_pool after ", note.algorithm);
  return note_of(line.c_str(), unpooled_offset(note) + call.y.bytes());
}

void run(CudaQueue& queue, const Conv& op) {
  ConvForward call = call_of(op);
  const CudaAlgorithm<ConvForward>& algorithm = choose(kForward, queue, call);
  if (op.pool.rank == 0) {
    algorithm.run(queue, call);
    if (op.added) run(queue, Add{op.y, op.added, op.y, op.activation, op.slope});
    return;
  }
  const std::size_t offset = unpooled_offset(algorithm.plan(queue, call));
  call.y.data = static_cast<char*>(queue.working_memory(offset + call.y.bytes())) + offset;
  algorithm.run(queue, call);
  max_pool_activated(queue, MaxPool{call.y, op.y, op.argmax, op.pool}, op.activation, op.slope);
}

OpNote plan(CudaQueue& queue, const ConvBackwardData& op) {
  return describe(kData, queue, call_of(op));
}

void run(CudaQueue& queue, const ConvBackwardData& op) {
  const ConvData call = call_of(op);
  choose(kData, queue, call).run(queue, call);
}

OpNote plan(CudaQueue& queue, const ConvBackwardWeights& op) {
  return describe(kWeights, queue, call_of(op));
}

void run(CudaQueue& queue, const ConvBackwardWeights& op) {
  const ConvWeights call = call_of(op);
  choose(kWeights, queue, call).run(queue, call);
}

}  // namespace ratnet::inline v1
