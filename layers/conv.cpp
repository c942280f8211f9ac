#include "conv.h"

#include "../kernels/conv.h"
#include "../kernels/pointwise.h"
#include "../kernels/pool.h"
#include "../kernels/submit.h"
#include "conv_windows.h"

namespace ratnet::inline v1::layers {

Window window_of(const Conv& layer, const Shape& input) {
  return window_over(input,
                     {layer.kernel, layer.stride, layer.dilation, layer.padding, layer.pad_before,
                      layer.pad_after},
                     Conv::kind);
}

Window pool_of(const Conv& layer, const Shape& input) {
  if (layer.pool.empty()) return {};
  static const Sizes none;
  return window_over(input, {layer.pool, layer.pool, none, Padding::valid, none, none}, Conv::kind);
}

LayerShapes Conv::infer(std::span<const Shape> inputs, bool training) const {
  const Shape& input = inputs[0];
  require(out >= 1 && out <= (1 << 24), "conv: out is ", out, ", expected 1 or more channels");
  require(groups >= 1 && input.back() % groups == 0 && out % groups == 0, "conv: ", input.back(),
          " and ", out, " channels do not divide into ", groups, " groups");
  check_fused_activation(kind, activation, slope);
  const Window window = window_of(*this, input);
  const Window pooling = pool_of(*this, input);
  const Shape full = window.output(input, out, kind);

  LayerShapes shapes;
  shapes.output = pooling.rank ? pooling.output(full, out, kind) : full;
  if (inputs.size() == 2) {
    require(!pooling.rank, "conv: nothing is added before its pooling");
    require(inputs[1] == full, "conv: what is added has shape ", inputs[1], ", its sums ", full);
  }
  Shape weight;
  for (int d = 0; d < window.rank; ++d)
    weight.push_back(window.kernel[static_cast<std::size_t>(d)]);
  const std::int64_t in = input.back() / groups;
  weight.push_back(in);
  weight.push_back(out);
  shapes.weights.push_back(
      {"weight", weight, init, window.taps() * in, window.taps() * out / groups});
  if (bias) shapes.weights.push_back({"bias", {out}});
  if (training && pooling.rank) {
    shapes.kept.push_back({shapes.output, false, DType::u8});
    shapes.backward_scratch.push_back({full});
  }
  if (activation != Activation::none) shapes.backward_scratch.push_back({shapes.output});
  shapes.backward_needs_input = true;
  shapes.backward_needs_output = activation != Activation::none;
  shapes.multiply_adds =
      static_cast<double>(full.count()) * static_cast<double>(window.taps() * in);
  return shapes;
}

void Conv::forward(const ForwardCall& call) const {
  const Shape& input = call.inputs[0].shape;
  submit(call.queue, v1::Conv{.x = call.inputs[0],
                              .weight = call.weights[0],
                              .bias = bias ? call.weights[1] : ConstView{},
                              .added = call.inputs.size() == 2 ? call.inputs[1] : ConstView{},
                              .y = call.output,
                              .argmax = call.kept.empty() ? View{} : call.kept[0],
                              .window = window_of(*this, input),
                              .activation = activation,
                              .slope = slope,
                              .pool = pool_of(*this, input),
                              .groups = groups,
                              .precision = call.precision});
}

void Conv::backward(const BackwardCall& call) const {
  const Shape& input = call.inputs[0].shape;
  const Window window = window_of(*this, input);
  ConstView dy = call.doutput;
  // The activation keeps the order of its arguments, so its derivative may be taken after pooling,
  // where there is less of it.
  if (activation != Activation::none) {
    submit(call.queue, ActivateBackward{.y = call.output,
                                        .dy = dy,
                                        .dx = call.scratch.back(),
                                        .activation = activation,
                                        .slope = slope});
    dy = call.scratch.back();
  }
  if (call.dinputs.size() == 2 && call.dinputs[1])
    submit(call.queue, Convert{.x = dy, .y = call.dinputs[1]});
  if (!pool.empty()) {
    submit(call.queue, MaxPoolBackward{.dy = dy,
                                       .argmax = call.kept[0],
                                       .dx = call.scratch[0],
                                       .window = pool_of(*this, input)});
    dy = call.scratch[0];
  }
  if (call.dweights[0])
    submit(call.queue, ConvBackwardWeights{.x = call.inputs[0],
                                           .dy = dy,
                                           .dweight = call.dweights[0],
                                           .dbias = bias ? call.dweights[1] : View{},
                                           .window = window,
                                           .groups = groups,
                                           .precision = call.precision});
  if (call.dinputs[0])
    submit(call.queue, ConvBackwardData{.dy = dy,
                                        .weight = call.weights[0],
                                        .dx = call.dinputs[0],
                                        .window = window,
                                        .groups = groups,
                                        .precision = call.precision});
}

std::vector<LayerExample<Conv>> Conv::examples() {
  return {
      {{.out = 3, .kernel = {3}}, {{2, 7, 2}}},
      {{.out = 5, .kernel = {3, 3}}, {{2, 6, 5, 3}}},
      {{.out = 4, .kernel = {3, 2}, .stride = {2, 1}, .bias = false}, {{3, 7, 6, 2}}},
      {{.out = 3, .kernel = {3, 3}, .dilation = {2}, .padding = Padding::valid}, {{1, 8, 9, 2}}},
      {{.out = 2,
        .kernel = {2, 3},
        .padding = Padding::custom,
        .pad_before = {1, 0},
        .pad_after = {0, 2}},
       {{2, 4, 5, 1}}},
      {{.out = 4, .kernel = {3, 3}, .activation = Activation::relu, .pool = {2, 2}},
       {{2, 6, 7, 3}}},
      {{.out = 3,
        .kernel = {3, 3},
        .activation = Activation::leaky_relu,
        .slope = 0.2,
        .init = Init::glorot_uniform},
       {{2, 5, 4, 2}}},
      {{.out = 3, .kernel = {2, 3, 3}, .pool = {1, 2, 2}}, {{1, 3, 4, 5, 2}}},
      {{.out = 6, .kernel = {3, 3}, .stride = {2}, .groups = 3}, {{2, 5, 4, 3}}},
      {{.out = 4, .kernel = {2}, .groups = 2, .activation = Activation::relu}, {{2, 6, 6}}},
      {{.out = 3, .kernel = {3, 3}}, {{2, 5, 4, 2}, {2, 5, 4, 3}}},
      {{.out = 2, .kernel = {3}, .stride = {2}, .activation = Activation::leaky_relu},
       {{2, 7, 3}, {2, 4, 2}}},
  };
}

}  // namespace ratnet::inline v1::layers
