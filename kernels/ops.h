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
struct Dense;
struct AddBias;
struct MaxPool;
struct AvgPool;
struct Activate;
struct NormaliseBy;
struct Normalise;
struct FoldNorm;
struct Softmax;
struct Add;
struct Convert;
struct ConvChain;

using InferOps = OpList<Conv, Dense, AddBias, MaxPool, AvgPool, Activate, NormaliseBy, Normalise,
                        FoldNorm, Softmax, Add, Convert, ConvChain>;

struct ConvBackwardData;
struct ConvBackwardWeights;
struct DenseBackwardData;
struct DenseBackwardWeights;
struct MaxPoolBackward;
struct AvgPoolBackward;
struct ActivateBackward;
struct NormaliseBackward;
struct SoftmaxBackward;
struct SoftmaxCrossEntropy;
struct ElementLoss;
struct DiceLoss;
struct SsimLoss;
struct GaussianKl;
struct SetNumbers;
struct Dropout;
struct Sgd;
struct Adam;
struct ClipNorm;

using TrainOps = OpList<ConvBackwardData, ConvBackwardWeights, DenseBackwardData,
                        DenseBackwardWeights, MaxPoolBackward, AvgPoolBackward, ActivateBackward,
                        NormaliseBackward, SoftmaxBackward, SoftmaxCrossEntropy, ElementLoss,
                        DiceLoss, SsimLoss, GaussianKl, SetNumbers, Dropout, Sgd, Adam, ClipNorm>;

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
