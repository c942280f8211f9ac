// The list of all operations: one line each. Every backend turns these lists into its function
// table, so an operation without a body in a backend stops that backend's link by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ratnet::inline v1 {

template <class... Ops>
struct OpList {
  static constexpr std::size_t size = sizeof...(Ops);
};

struct Conv;
struct ConvChain;
struct ConvBackwardData;  // transposed convolution forward
struct Dense;
struct AddBias;
struct MaxPool;
struct AvgPool;
struct Reduce;
struct Activate;
struct NormaliseBy;
struct Normalise;
struct FoldNorm;
struct Softmax;
struct Add;
struct Multiply;
struct PointwiseChain;
struct CopyBox;
struct Resample;
struct Convert;

// clang-format off
using InferOps = OpList<
    Conv,
    ConvChain,
    ConvBackwardData,
    Dense,
    AddBias,
    MaxPool,
    AvgPool,
    Reduce,
    Activate,
    NormaliseBy,
    Normalise,
    FoldNorm,
    Softmax,
    Add,
    Multiply,
    PointwiseChain,
    CopyBox,
    Resample,
    Convert>;
// clang-format on

struct ConvBackwardWeights;
struct DenseBackwardData;
struct DenseBackwardWeights;
struct MaxPoolBackward;
struct AvgPoolBackward;
struct ReduceBackward;
struct ActivateBackward;
struct NormaliseBackward;
struct SoftmaxBackward;
struct ResampleBackward;
struct Dropout;
struct SpatialDropout;
struct GaussianSample;
struct GaussianSampleBackward;
struct SoftmaxCrossEntropy;
struct ElementLoss;
struct DiceLoss;
struct SsimLoss;
struct GaussianKl;
struct SetNumbers;
struct Sgd;
struct Adam;
struct ClipNorm;
struct Blend;

// clang-format off
using TrainOps = OpList<
    ConvBackwardWeights,
    DenseBackwardData,
    DenseBackwardWeights,
    MaxPoolBackward,
    AvgPoolBackward,
    ReduceBackward,
    ActivateBackward,
    NormaliseBackward,
    SoftmaxBackward,
    ResampleBackward,
    Dropout,
    SpatialDropout,
    GaussianSample,
    GaussianSampleBackward,
    SoftmaxCrossEntropy,
    ElementLoss,
    DiceLoss,
    SsimLoss,
    GaussianKl,
    SetNumbers,
    Sgd,
    Adam,
    ClipNorm,
    Blend>;
// clang-format on

template <class... A, class... B>
OpList<A..., B...> joined(OpList<A...>, OpList<B...>);
using AllOps = decltype(joined(InferOps{}, TrainOps{}));

// Where an operation stands in every backend's table.
template <class Op, class... Ops>
constexpr std::size_t index_of(OpList<Ops...>) {
  std::size_t index = 0;
  const bool found = ((std::is_same_v<Op, Ops> || (++index, false)) || ...);
  return found ? index : sizeof...(Ops);
}

}  // namespace ratnet::inline v1
