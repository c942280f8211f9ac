#include "normalise.h"

#include "../kernels/activation.h"
#include "../kernels/normalise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

LayerShapes normalised(const char* who, const Shape& input, bool training, const NormOver& over,
                       double epsilon) {
  check_epsilon(who, epsilon);
  require(input.rank() >= 2, who, ": needs an input [N, ..., C], got ", input);
  LayerShapes shapes;
  shapes.output = input;
  if (training) shapes.kept.assign(2, {over.statistics(input), true, DType::f32, !over.per_sample});
  shapes.backward_needs_input = true;
  return shapes;
}

void add_scale_and_shift(LayerShapes& shapes) {
  const std::int64_t channels = shapes.output.back();
  shapes.weights.push_back({"scale", {channels}, Init::ones});
  shapes.weights.push_back({"shift", {channels}});
}

// --- of each sample: GroupNorm, and the two that are it with a fixed number of groups ---

template <class Layer>
NormOver over_of(const Layer& layer, const Shape& input) {
  if constexpr (std::is_same_v<Layer, GroupNorm>) return {true, layer.groups};
  return {true, std::is_same_v<Layer, InstanceNorm> ? input.back() : 1};
}

template <class Layer>
LayerShapes infer_samples(const Layer& layer, const Shape& input, bool training) {
  check_fused_activation(Layer::kind, layer.activation, layer.slope);
  const NormOver over = over_of(layer, input);
  require(over.groups >= 1 && input.back() % over.groups == 0, Layer::kind, ": ", input.back(),
          " channels do not divide into ", over.groups, " groups");
  LayerShapes shapes = normalised(Layer::kind, input, training, over, layer.epsilon);
  if (layer.affine) add_scale_and_shift(shapes);
  return shapes;
}

template <class Layer>
void forward_samples(const Layer& layer, const ForwardCall& call) {
  const bool keeps = !call.kept.empty();
  submit(call.queue, Normalise{.x = call.inputs[0],
                               .scale = layer.affine ? call.weights[0] : ConstView{},
                               .shift = layer.affine ? call.weights[1] : ConstView{},
                               .y = call.output,
                               .mean = keeps ? call.kept[0] : View{},
                               .inv_deviation = keeps ? call.kept[1] : View{},
                               .over = over_of(layer, call.inputs[0].shape),
                               .epsilon = layer.epsilon,
                               .activation = layer.activation,
                               .slope = layer.slope});
}

template <class Layer>
void backward_samples(const Layer& layer, const BackwardCall& call) {
  submit(call.queue, NormaliseBackward{.x = call.inputs[0],
                                       .dy = call.doutput,
                                       .mean = call.kept[0],
                                       .inv_deviation = call.kept[1],
                                       .scale = layer.affine ? call.weights[0] : ConstView{},
                                       .shift = layer.affine ? call.weights[1] : ConstView{},
                                       .dx = call.dinputs[0],
                                       .dscale = layer.affine ? call.dweights[0] : View{},
                                       .dshift = layer.affine ? call.dweights[1] : View{},
                                       .over = over_of(layer, call.inputs[0].shape),
                                       .activation = layer.activation,
                                       .slope = layer.slope});
}

}  // namespace

// --- of the batch ---

LayerShapes BatchNorm::infer(std::span<const Shape> inputs, bool training) const {
  check_fused_activation(kind, activation, slope);
  require(momentum >= 0 && momentum <= 1, "batch_norm: momentum is ", momentum,
          ", expected 0 to 1");
  LayerShapes shapes = normalised(kind, inputs[0], training, {}, epsilon);
  add_scale_and_shift(shapes);
  const std::int64_t channels = shapes.output.back();
  for (const auto& [name, init] :
       {std::pair{"mean", Init::zeros}, std::pair{"variance", Init::ones}})
    shapes.weights.push_back({.name = name, .shape = {channels}, .init = init, .statistic = true});
  shapes.frozen_backward_needs_output = activation != Activation::none;
  return shapes;
}

void BatchNorm::forward(const ForwardCall& call) const {
  if (!call.training || call.frozen) {
    submit(call.queue, NormaliseBy{.x = call.inputs[0],
                                   .mean = call.weights[2],
                                   .variance = call.weights[3],
                                   .scale = call.weights[0],
                                   .shift = call.weights[1],
                                   .y = call.output,
                                   .epsilon = epsilon,
                                   .activation = activation,
                                   .slope = slope});
    return;
  }
  const bool updates = !call.statistics.empty();
  submit(call.queue, Normalise{.x = call.inputs[0],
                               .scale = call.weights[0],
                               .shift = call.weights[1],
                               .y = call.output,
                               .mean = call.kept[0],
                               .inv_deviation = call.kept[1],
                               .running_mean = updates ? call.statistics[0] : View{},
                               .running_variance = updates ? call.statistics[1] : View{},
                               .epsilon = epsilon,
                               .momentum = momentum,
                               .activation = activation,
                               .slope = slope});
}

void BatchNorm::backward(const BackwardCall& call) const {
  if (call.frozen) {
    if (!call.dinputs[0]) return;
    ConstView dy = call.doutput;
    if (activation != Activation::none) {
      submit(call.queue, ActivateBackward{.y = call.output,
                                          .dy = dy,
                                          .dx = call.dinputs[0],
                                          .activation = activation,
                                          .slope = slope});
      dy = call.dinputs[0];
    }
    submit(call.queue, NormaliseBy{.x = dy,
                                   .variance = call.weights[3],
                                   .scale = call.weights[0],
                                   .y = call.dinputs[0],
                                   .epsilon = epsilon});
    return;
  }
  submit(call.queue, NormaliseBackward{.x = call.inputs[0],
                                       .dy = call.doutput,
                                       .mean = call.kept[0],
                                       .inv_deviation = call.kept[1],
                                       .scale = call.weights[0],
                                       .shift = call.weights[1],
                                       .dx = call.dinputs[0],
                                       .dscale = call.dweights[0],
                                       .dshift = call.dweights[1],
                                       .activation = activation,
                                       .slope = slope});
}

std::vector<LayerExample<BatchNorm>> BatchNorm::examples() {
  return {{{}, {{3, 4, 5, 3}}},
          {{.epsilon = 1e-3, .activation = Activation::relu}, {{4, 7, 2}}},
          {{.momentum = 0.5, .activation = Activation::leaky_relu, .slope = 0.2}, {{5, 6}}},
          {{}, {{2, 2, 3, 2, 5}}}};
}

LayerShapes GroupNorm::infer(std::span<const Shape> inputs, bool training) const {
  return infer_samples(*this, inputs[0], training);
}
void GroupNorm::forward(const ForwardCall& call) const { forward_samples(*this, call); }
void GroupNorm::backward(const BackwardCall& call) const { backward_samples(*this, call); }
std::vector<LayerExample<GroupNorm>> GroupNorm::examples() {
  return {{{.groups = 2}, {{2, 3, 4, 6}}},
          {{.groups = 3, .affine = false, .activation = Activation::relu}, {{2, 5, 3}}}};
}

LayerShapes InstanceNorm::infer(std::span<const Shape> inputs, bool training) const {
  return infer_samples(*this, inputs[0], training);
}
void InstanceNorm::forward(const ForwardCall& call) const { forward_samples(*this, call); }
void InstanceNorm::backward(const BackwardCall& call) const { backward_samples(*this, call); }
std::vector<LayerExample<InstanceNorm>> InstanceNorm::examples() {
  return {{{}, {{2, 4, 5, 3}}},
          {{.affine = false, .activation = Activation::leaky_relu}, {{3, 2, 3, 4, 2}}}};
}

LayerShapes LayerNorm::infer(std::span<const Shape> inputs, bool training) const {
  return infer_samples(*this, inputs[0], training);
}
void LayerNorm::forward(const ForwardCall& call) const { forward_samples(*this, call); }
void LayerNorm::backward(const BackwardCall& call) const { backward_samples(*this, call); }
std::vector<LayerExample<LayerNorm>> LayerNorm::examples() {
  return {{{}, {{3, 7}}},
          {{.epsilon = 1e-3, .activation = Activation::relu}, {{2, 4, 3, 2}}},
          {{.affine = false}, {{2, 5, 3}}}};
}

}  // namespace ratnet::inline v1::layers
