#include "pointwise.h"

#include <cmath>

#include "../kernels/activation.h"
#include "../kernels/pointwise.h"
#include "../kernels/softmax.h"
#include "../kernels/spatial_dropout.h"
#include "../kernels/submit.h"
#include "same_shape.h"

namespace ratnet::inline v1::layers {
namespace {

void check_probability(const char* kind, double probability) {
  require(probability >= 0 && probability < 1, kind, ": probability is ", probability,
          ", expected 0 or more and less than 1");
}

}  // namespace

LayerShapes Add::infer(std::span<const Shape> inputs, bool) const {
  require(inputs[0] == inputs[1], "add: inputs have shapes ", inputs[0], " and ", inputs[1]);
  check_fused_activation(kind, activation, slope);
  return activation == Activation::none ? unchanged(inputs[0]) : keeping_output(inputs[0]);
}
void Add::forward(const ForwardCall& call) const {
  submit(call.queue, v1::Add{.a = call.inputs[0],
                             .b = call.inputs[1],
                             .y = call.output,
                             .activation = activation,
                             .slope = slope});
}
void Add::backward(const BackwardCall& call) const {
  // Both have the same gradient; without an activation this is a copy.
  for (const View& dinput : call.dinputs)
    if (dinput)
      submit(call.queue,
             ActivateBackward{.y = activation == Activation::none ? call.doutput : call.output,
                              .dy = call.doutput,
                              .dx = dinput,
                              .activation = activation,
                              .slope = slope});
}
std::vector<LayerExample<Add>> Add::examples() {
  return {{{}, {{2, 3, 4}, {2, 3, 4}}},
          {{.activation = Activation::relu}, {{2, 3, 4}, {2, 3, 4}}},
          {{.activation = Activation::leaky_relu, .slope = 0.3}, {{2, 5}, {2, 5}}}};
}

LayerShapes Multiply::infer(std::span<const Shape> inputs, bool) const {
  require(inputs[0] == inputs[1], "multiply: inputs have shapes ", inputs[0], " and ", inputs[1]);
  LayerShapes shapes = unchanged(inputs[0]);
  shapes.backward_needs_input = true;
  return shapes;
}
void Multiply::forward(const ForwardCall& call) const {
  submit(call.queue, v1::Multiply{.a = call.inputs[0], .b = call.inputs[1], .y = call.output});
}
void Multiply::backward(const BackwardCall& call) const {
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
    if (call.dinputs[i])
      submit(call.queue,
             v1::Multiply{.a = call.doutput, .b = call.inputs[1 - i], .y = call.dinputs[i]});
}
std::vector<LayerExample<Multiply>> Multiply::examples() {
  return {{{}, {{2, 3, 4}, {2, 3, 4}}}, {{}, {{2, 5}, {2, 5}}}};
}

LayerShapes Dropout::infer(std::span<const Shape> inputs, bool training) const {
  check_probability(kind, probability);
  LayerShapes shapes = unchanged(inputs[0]);
  shapes.same_memory = !training;
  return shapes;
}
void Dropout::forward(const ForwardCall& call) const {
  if (!call.training) return;
  submit(call.queue, v1::Dropout{.x = call.inputs[0],
                                 .y = call.output,
                                 .key = call.random,
                                 .keep = 1 - probability,
                                 .stream = call.stream});
}
void Dropout::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(call.queue, v1::Dropout{.x = call.doutput,
                                 .y = call.dinputs[0],
                                 .key = call.random,
                                 .keep = 1 - probability,
                                 .stream = call.stream});
}
std::vector<LayerExample<Dropout>> Dropout::examples() {
  return {{{.probability = 0.4}, {{3, 4, 5}}}};
}

LayerShapes SpatialDropout::infer(std::span<const Shape> inputs, bool training) const {
  check_probability(kind, probability);
  require(inputs[0].rank() >= 2, "spatial_dropout: needs an input [N, spatial..., C], got ",
          inputs[0]);
  LayerShapes shapes = unchanged(inputs[0]);
  shapes.same_memory = !training;
  return shapes;
}
void SpatialDropout::forward(const ForwardCall& call) const {
  if (!call.training) return;
  submit(call.queue, v1::SpatialDropout{.x = call.inputs[0],
                                        .y = call.output,
                                        .key = call.random,
                                        .keep = 1 - probability,
                                        .stream = call.stream});
}
void SpatialDropout::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(call.queue, v1::SpatialDropout{.x = call.doutput,
                                        .y = call.dinputs[0],
                                        .key = call.random,
                                        .keep = 1 - probability,
                                        .stream = call.stream});
}
std::vector<LayerExample<SpatialDropout>> SpatialDropout::examples() {
  return {{{.probability = 0.4}, {{3, 2, 2, 5}}}, {{}, {{3, 5}}}};
}

LayerShapes Softmax::infer(std::span<const Shape> inputs, bool) const {
  require(temperature > 0 && std::isfinite(temperature), "softmax: temperature is ", temperature,
          ", expected a positive number");
  return keeping_output(inputs[0]);
}
void Softmax::forward(const ForwardCall& call) const {
  submit(call.queue,
         v1::Softmax{.x = call.inputs[0], .y = call.output, .temperature = temperature});
}
void Softmax::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(
      call.queue,
      SoftmaxBackward{
          .y = call.output, .dy = call.doutput, .dx = call.dinputs[0], .temperature = temperature});
}
std::vector<LayerExample<Softmax>> Softmax::examples() {
  return {{{}, {{3, 4}}}, {{.temperature = 2.5}, {{2, 2}}}};
}

LayerShapes LogSoftmax::infer(std::span<const Shape> inputs, bool) const {
  return keeping_output(inputs[0]);
}
void LogSoftmax::forward(const ForwardCall& call) const {
  submit(call.queue, v1::Softmax{.x = call.inputs[0], .y = call.output, .log = true});
}
void LogSoftmax::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(call.queue,
         SoftmaxBackward{.y = call.output, .dy = call.doutput, .dx = call.dinputs[0], .log = true});
}
std::vector<LayerExample<LogSoftmax>> LogSoftmax::examples() {
  return {{{}, {{3, 4}}}, {{}, {{2, 2, 5}}}};
}

LayerShapes Flatten::infer(std::span<const Shape> inputs, bool) const {
  const Shape& input = inputs[0];
  require(input.rank() >= 2, "flatten: needs an input [N, ...], got ", input);
  LayerShapes shapes;
  shapes.output = {input[0], input.with_first(1).count()};
  shapes.same_memory = true;
  return shapes;
}
void Flatten::forward(const ForwardCall&) const {}  // same_memory: nothing moves
void Flatten::backward(const BackwardCall&) const {}
std::vector<LayerExample<Flatten>> Flatten::examples() { return {{{}, {{2, 3, 4, 2}}}}; }

}  // namespace ratnet::inline v1::layers
