#include "pool.h"

#include "../kernels/pool.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

template <class Layer>
Window window_of(const Layer& layer, const Shape& input) {
  static const Sizes none;
  return window_over(input,
                     {layer.kernel, layer.stride.empty() ? layer.kernel : layer.stride, none,
                      layer.padding, layer.pad_before, layer.pad_after},
                     Layer::kind);
}

template <class Layer>
LayerShapes pooled(const Layer& layer, const Shape& input) {
  LayerShapes shapes;
  shapes.output = pooled_shape(Layer::kind, input, window_of(layer, input));
  return shapes;
}

}  // namespace

LayerShapes MaxPool::infer(std::span<const Shape> inputs, bool training) const {
  LayerShapes shapes = pooled(*this, inputs[0]);
  if (training) shapes.kept.push_back({shapes.output, false, DType::u8});
  return shapes;
}

void MaxPool::forward(const ForwardCall& call) const {
  submit(call.queue, v1::MaxPool{.x = call.inputs[0],
                                 .y = call.output,
                                 .argmax = call.kept.empty() ? View{} : call.kept[0],
                                 .window = window_of(*this, call.inputs[0].shape)});
}

void MaxPool::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(call.queue, MaxPoolBackward{.dy = call.doutput,
                                     .argmax = call.kept[0],
                                     .dx = call.dinputs[0],
                                     .window = window_of(*this, call.inputs[0].shape)});
}

std::vector<LayerExample<MaxPool>> MaxPool::examples() {
  return {{{.kernel = {2, 2}}, {{2, 5, 4, 3}}},
          {{.kernel = {3}, .stride = {2}, .padding = Padding::same}, {{2, 7, 2}}},
          {{.kernel = {2, 2, 2}}, {{1, 4, 4, 2, 3}}}};
}

LayerShapes AvgPool::infer(std::span<const Shape> inputs, bool) const {
  return pooled(*this, inputs[0]);
}

void AvgPool::forward(const ForwardCall& call) const {
  submit(call.queue, v1::AvgPool{.x = call.inputs[0],
                                 .y = call.output,
                                 .window = window_of(*this, call.inputs[0].shape),
                                 .count_padding = count_padding});
}

void AvgPool::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(call.queue, AvgPoolBackward{.dy = call.doutput,
                                     .dx = call.dinputs[0],
                                     .window = window_of(*this, call.inputs[0].shape),
                                     .count_padding = count_padding});
}

std::vector<LayerExample<AvgPool>> AvgPool::examples() {
  return {{{.kernel = {2, 2}}, {{2, 4, 5, 3}}},
          {{.kernel = {3, 3}, .stride = {2, 2}, .padding = Padding::same}, {{1, 6, 5, 2}}},
          {{.kernel = {3},
            .stride = {1},
            .padding = Padding::custom,
            .pad_before = {1},
            .pad_after = {1},
            .count_padding = true},
           {{2, 6, 2}}}};
}

}  // namespace ratnet::inline v1::layers
