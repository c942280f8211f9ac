#include "conv_transpose.h"

#include <algorithm>

#include "../kernels/activation.h"
#include "../kernels/bias.h"
#include "../kernels/conv.h"
#include "../kernels/reduce.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

// The window of the convolution that comes back from the output, and the output's shape.
struct Way {
  Window back;
  Shape output;
};

Way way_of(const ConvTranspose& layer, const Shape& input) {
  const int rank = input.rank() - 2;
  static const Sizes none;
  Way way{window_over(input,
                      {none, layer.stride, none, layer.padding, layer.pad_before, layer.pad_after},
                      ConvTranspose::kind),
          Shape{input[0]}};
  for (int i = 0; i < rank; ++i) {
    const auto d = static_cast<std::size_t>(i);
    way.back.kernel[d] = size_along(layer.kernel, i, rank, 1, ConvTranspose::kind, "kernel");
    way.back.dilation[d] = size_along(layer.dilation, i, rank, 1, ConvTranspose::kind, "dilation");
  }
  way.back.check(ConvTranspose::kind);
  for (int i = 0; i < rank; ++i) {
    const auto d = static_cast<std::size_t>(i);
    const std::int64_t stride = way.back.stride[d];
    const std::int64_t reach = way.back.dilation[d] * (way.back.kernel[d] - 1) + 1;
    std::int64_t size = (input[i + 1] - 1) * stride + reach;
    if (layer.padding == Padding::same) {
      const std::int64_t total = std::max<std::int64_t>(0, reach - stride);
      way.back.pad_before[d] = total / 2;
      way.back.pad_after[d] = total - total / 2;
      size = input[i + 1] * stride;
    } else {
      size -= way.back.pad_before[d] + way.back.pad_after[d];
    }
    require(size >= 1, ConvTranspose::kind, ": an input of ", input[i + 1], " with padding ",
            way.back.pad_before[d], " + ", way.back.pad_after[d], " leaves no output");
    way.output.push_back(size);
  }
  way.output.push_back(layer.out);
  return way;
}

}  // namespace

LayerShapes ConvTranspose::infer(std::span<const Shape> inputs, bool) const {
  const Shape& input = inputs[0];
  require(out >= 1 && out <= (1 << 24), "conv_transpose: out is ", out,
          ", expected 1 or more channels");
  check_fused_activation(kind, activation, slope);
  const Way way = way_of(*this, input);
  LayerShapes shapes;
  shapes.output = way.output;
  Shape weight;
  for (int d = 0; d < way.back.rank; ++d)
    weight.push_back(way.back.kernel[static_cast<std::size_t>(d)]);
  weight.push_back(out);
  weight.push_back(input.back());
  shapes.weights.push_back(
      {"weight", weight, init, way.back.taps() * input.back(), way.back.taps() * out});
  if (bias) shapes.weights.push_back({"bias", {out}});
  if (activation != Activation::none) shapes.backward_scratch.push_back({shapes.output});
  // The bias's gradient, first by sample and row: many short sums in place of few long ones.
  if (bias) shapes.backward_scratch.push_back({Shape{input[0], way.output[1], out}});
  shapes.backward_needs_input = true;
  shapes.backward_needs_output = activation != Activation::none;
  shapes.multiply_adds =
      static_cast<double>(input.count()) * static_cast<double>(way.back.taps() * out);
  return shapes;
}

void ConvTranspose::forward(const ForwardCall& call) const {
  submit(call.queue, ConvBackwardData{.dy = call.inputs[0],
                                      .weight = call.weights[0],
                                      .dx = call.output,
                                      .window = way_of(*this, call.inputs[0].shape).back,
                                      .precision = call.precision});
  if (bias || activation != Activation::none)
    submit(call.queue, AddBias{.x = call.output,
                               .bias = bias ? call.weights[1] : ConstView{},
                               .y = call.output,
                               .activation = activation,
                               .slope = slope});
}

void ConvTranspose::backward(const BackwardCall& call) const {
  const Window window = way_of(*this, call.inputs[0].shape).back;
  ConstView dy = call.doutput;
  if (activation != Activation::none) {
    submit(call.queue, ActivateBackward{.y = call.output,
                                        .dy = dy,
                                        .dx = call.scratch[0],
                                        .activation = activation,
                                        .slope = slope});
    dy = call.scratch[0];
  }
  if (call.dweights[0]) {
    submit(call.queue, ConvBackwardWeights{.x = dy,
                                           .dy = call.inputs[0],
                                           .dweight = call.dweights[0],
                                           .window = window,
                                           .precision = call.precision});
    if (bias) {
      const View rows = call.scratch.back();
      const std::int64_t count = rows.shape[0] * rows.shape[1];
      submit(call.queue, v1::Reduce{.x = dy.reshaped({count, dy.count() / (count * out), out}),
                                    .y = rows.reshaped({count, out}),
                                    .by = Reduction::sum});
      submit(call.queue, v1::Reduce{.x = rows.reshaped({1, count, out}),
                                    .y = call.dweights[1].reshaped({1, out}),
                                    .by = Reduction::sum});
    }
  }
  if (call.dinputs[0])
    submit(call.queue, v1::Conv{.x = dy,
                                .weight = call.weights[0],
                                .y = call.dinputs[0],
                                .window = window,
                                .precision = call.precision});
}

std::vector<LayerExample<ConvTranspose>> ConvTranspose::examples() {
  return {
      {{.out = 3}, {{2, 3, 4, 2}}},
      {{.out = 2, .kernel = {3}, .padding = Padding::valid}, {{2, 5, 3}}},
      {{.out = 2,
        .kernel = {3, 4},
        .stride = {2, 3},
        .padding = Padding::custom,
        .pad_before = {1, 0},
        .pad_after = {0, 2},
        .bias = false},
       {{1, 3, 2, 2}}},
      {{.out = 4, .kernel = {3}, .dilation = {2}, .activation = Activation::relu}, {{2, 4, 5, 3}}},
      {{.out = 2, .kernel = {2}, .activation = Activation::leaky_relu}, {{1, 2, 3, 2, 2}}}};
}

}  // namespace ratnet::inline v1::layers
