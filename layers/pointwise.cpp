#include "pointwise.h"

#include <cmath>

#include "../kernels/activation.h"
#include "../kernels/pointwise.h"
#include "../kernels/softmax.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

LayerShapes unchanged(const Shape& input) {
  LayerShapes shapes;
  shapes.output = input;
  return shapes;
}

LayerShapes keeping_output(const Shape& input) {
  LayerShapes shapes = unchanged(input);
  shapes.backward_needs_output = true;
  return shapes;
}

void activate(const ForwardCall& call, Activation activation, double slope) {
  submit(call.queue,
         Activate{.x = call.inputs[0], .y = call.output, .activation = activation, .slope = slope});
}

void activate_backward(const BackwardCall& call, Activation activation, double slope) {
  if (!call.dinputs[0]) return;
  submit(call.queue, ActivateBackward{.y = call.output,
                                      .dy = call.doutput,
                                      .dx = call.dinputs[0],
                                      .activation = activation,
                                      .slope = slope});
}

}  // namespace

LayerShapes Relu::infer(std::span<const Shape> inputs, bool) const {
  return keeping_output(inputs[0]);
}
void Relu::forward(const ForwardCall& call) const { activate(call, Activation::relu, 0); }
void Relu::backward(const BackwardCall& call) const {
  activate_backward(call, Activation::relu, 0);
}
std::vector<LayerExample<Relu>> Relu::examples() { return {{{}, {{2, 3, 4, 2}}}}; }

LayerShapes LeakyRelu::infer(std::span<const Shape> inputs, bool) const {
  require(slope >= 0 && slope <= 1, "leaky_relu: slope is ", slope, ", expected 0 to 1");
  return keeping_output(inputs[0]);
}
void LeakyRelu::forward(const ForwardCall& call) const {
  activate(call, Activation::leaky_relu, slope);
}
void LeakyRelu::backward(const BackwardCall& call) const {
  activate_backward(call, Activation::leaky_relu, slope);
}
std::vector<LayerExample<LeakyRelu>> LeakyRelu::examples() {
  return {{{.slope = 0.3}, {{2, 5, 3}}}};
}

LayerShapes Add::infer(std::span<const Shape> inputs, bool) const {
  require(inputs[0] == inputs[1], "add: inputs have shapes ", inputs[0], " and ", inputs[1]);
  check_activation(kind, activation, slope);
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

LayerShapes Dropout::infer(std::span<const Shape> inputs, bool training) const {
  require(probability >= 0 && probability < 1, "dropout: probability is ", probability,
          ", expected 0 or more and less than 1");
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
