// Runs one operation on host tensors, wherever the queue is.
#pragma once

#include <map>
#include <type_traits>

#include "../../kernels/all_ops.h"
#include "../../kernels/submit.h"
#include "test_device.h"

namespace ratnet::testing {

// visit(view) for every tensor of an operation.
template <class Op, class Visit>
void for_views(Op& op, Visit&& visit) {
  const auto all = [&](auto&... views) { (visit(views), ...); };
  using O = std::remove_const_t<Op>;
  if constexpr (std::is_same_v<O, Conv>)
    all(op.x, op.weight, op.bias, op.y, op.argmax);
  else if constexpr (std::is_same_v<O, AddBias>)
    all(op.x, op.bias, op.y);
  else if constexpr (std::is_same_v<O, Dense>)
    all(op.x, op.weight, op.bias, op.y);
  else if constexpr (std::is_same_v<O, ConvChain>) {
    all(op.x, op.scale, op.y);
    for (auto& stage : op.stages) all(stage.weight, stage.bias);
  } else if constexpr (std::is_same_v<O, PointwiseChain>) {
    all(op.x);
    for (auto& step : op.steps) all(step.with);
    all(op.y);
  } else if constexpr (std::is_same_v<O, ConvBackwardData> || std::is_same_v<O, DenseBackwardData>)
    all(op.dy, op.weight, op.dx);
  else if constexpr (std::is_same_v<O, ConvBackwardWeights> ||
                     std::is_same_v<O, DenseBackwardWeights>)
    all(op.x, op.dy, op.dweight, op.dbias);
  else if constexpr (std::is_same_v<O, MaxPool> || std::is_same_v<O, Reduce>)
    all(op.x, op.y, op.argmax);
  else if constexpr (std::is_same_v<O, MaxPoolBackward> || std::is_same_v<O, ReduceBackward>)
    all(op.dy, op.argmax, op.dx);
  else if constexpr (std::is_same_v<O, AvgPoolBackward> || std::is_same_v<O, ResampleBackward>)
    all(op.dy, op.dx);
  else if constexpr (std::is_same_v<O, ActivateBackward> || std::is_same_v<O, SoftmaxBackward>)
    all(op.y, op.dy, op.dx);
  else if constexpr (std::is_same_v<O, SoftmaxCrossEntropy>)
    all(op.logits, op.labels, op.class_weights, op.loss, op.dlogits, op.loss_sum);
  else if constexpr (std::is_same_v<O, Normalise>)
    all(op.x, op.scale, op.shift, op.y, op.mean, op.inv_deviation, op.running_mean,
        op.running_variance);
  else if constexpr (std::is_same_v<O, NormaliseBackward>)
    all(op.x, op.dy, op.mean, op.inv_deviation, op.scale, op.shift, op.dx, op.dscale, op.dshift);
  else if constexpr (std::is_same_v<O, FoldNorm>)
    all(op.weight, op.bias, op.mean, op.variance, op.scale, op.shift, op.folded_weight,
        op.folded_bias);
  else if constexpr (std::is_same_v<O, NormaliseBy>)
    all(op.x, op.mean, op.variance, op.scale, op.shift, op.y);
  else if constexpr (std::is_same_v<O, ElementLoss>)
    all(op.prediction, op.target, op.weights, op.mask, op.loss, op.dprediction, op.loss_sum);
  else if constexpr (std::is_same_v<O, DiceLoss>)
    all(op.probabilities, op.labels, op.loss, op.dprobabilities, op.loss_sum);
  else if constexpr (std::is_same_v<O, SsimLoss>)
    all(op.prediction, op.target, op.loss, op.dprediction, op.loss_sum);
  else if constexpr (std::is_same_v<O, GaussianKl>)
    all(op.mean, op.log_variance, op.loss, op.dmean, op.dlog_variance, op.loss_sum);
  else if constexpr (std::is_same_v<O, Add> || std::is_same_v<O, Multiply>)
    all(op.a, op.b, op.y);
  else if constexpr (std::is_same_v<O, Sgd>)
    all(op.weight, op.gradient, op.velocity, op.rate);
  else if constexpr (std::is_same_v<O, Adam>)
    all(op.weight, op.gradient, op.first_moment, op.second_moment, op.rates);
  else if constexpr (std::is_same_v<O, Dropout> || std::is_same_v<O, SpatialDropout>)
    all(op.x, op.y, op.key);
  else if constexpr (std::is_same_v<O, GaussianSample>)
    all(op.mean, op.log_variance, op.y, op.key);
  else if constexpr (std::is_same_v<O, GaussianSampleBackward>)
    all(op.dy, op.log_variance, op.dmean, op.dlog_variance, op.key);
  else if constexpr (std::is_same_v<O, Convert>)
    all(op.x, op.y, op.scales);
  else if constexpr (std::is_same_v<O, SetNumbers>)
    all(op.y);
  else if constexpr (std::is_same_v<O, ClipNorm>)
    all(op.gradient, op.norm);
  else if constexpr (std::is_same_v<O, Blend>)
    all(op.x, op.y, op.factor);
  else
    all(op.x, op.y);
}

// Whether a result keeps something of what is there.
template <class Op, class AnyView>
bool keeps_some_of(const Op& op, const AnyView& view) {
  if constexpr (std::is_same_v<Op, Normalise>)
    return static_cast<const void*>(&view) == &op.running_mean ||
           static_cast<const void*>(&view) == &op.running_variance;
  if constexpr (requires { op.accumulate; })
    return op.accumulate || static_cast<const void*>(&view) == &op.loss_sum;
  if constexpr (std::is_same_v<Op, CopyBox>) return !op.clear;
  return false;
}

// Runs an operation on tensors in host memory, wherever the queue is, and waits for it.
template <class Op>
void run_on(const QueueHandle& queue, Op op) {
  if (queue->device.kind == DeviceKind::cpu) return submit(*queue, op);
  op.check();
  struct Copy {
    void* host;
    Buffer memory;
    bool written = false;
  };
  std::map<const void*, Copy> copies;  // two tensors may be one
  // Other operations overwrite their results: whatever the device's memory held must not matter.
  constexpr bool updates = std::is_same_v<Op, Sgd> || std::is_same_v<Op, Adam> ||
                           std::is_same_v<Op, ClipNorm> || std::is_same_v<Op, Blend>;
  for_views(op, [&](auto& view) {
    if (!view) return;
    constexpr bool is_result = std::is_same_v<std::decay_t<decltype(view)>, View>;
    auto found = copies.find(view.data);
    if (found == copies.end()) {
      void* host = const_cast<void*>(static_cast<const void*>(view.data));
      found = copies.emplace(host, Copy{host, Buffer(queue, view.bytes()), false}).first;
      if (updates || !is_result || keeps_some_of(op, view))
        found->second.memory.upload(host, view.bytes());
    }
    found->second.written |= is_result;
    view.data = found->second.memory.data();
  });
  submit(*queue, op);
  for (const auto& [host, copy] : copies)
    if (copy.written) copy.memory.download(copy.host, copy.memory.bytes());
  wait(*queue);
}

}  // namespace ratnet::testing
