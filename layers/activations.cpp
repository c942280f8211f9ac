#include "activations.h"

#include "../kernels/activation.h"
#include "../kernels/submit.h"
#include "same_shape.h"

namespace ratnet::inline v1::layers {
namespace {

void activate(const ForwardCall& call, Activation activation, double slope = 0) {
  submit(call.queue,
         Activate{.x = call.inputs[0], .y = call.output, .activation = activation, .slope = slope});
}

void activate_backward(const BackwardCall& call, Activation activation, double slope = 0) {
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
void Relu::forward(const ForwardCall& call) const { activate(call, Activation::relu); }
void Relu::backward(const BackwardCall& call) const { activate_backward(call, Activation::relu); }
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

LayerShapes Elu::infer(std::span<const Shape> inputs, bool) const {
  check_activation(kind, Activation::elu, alpha);
  return keeping_output(inputs[0]);
}
void Elu::forward(const ForwardCall& call) const { activate(call, Activation::elu, alpha); }
void Elu::backward(const BackwardCall& call) const {
  activate_backward(call, Activation::elu, alpha);
}
std::vector<LayerExample<Elu>> Elu::examples() {
  return {{{}, {{2, 5, 3}}}, {{.alpha = 0.3}, {{2, 7}}}};
}

LayerShapes Sigmoid::infer(std::span<const Shape> inputs, bool) const {
  return keeping_output(inputs[0]);
}
void Sigmoid::forward(const ForwardCall& call) const { activate(call, Activation::sigmoid); }
void Sigmoid::backward(const BackwardCall& call) const {
  activate_backward(call, Activation::sigmoid);
}
std::vector<LayerExample<Sigmoid>> Sigmoid::examples() { return {{{}, {{2, 5, 3}}}}; }

LayerShapes Tanh::infer(std::span<const Shape> inputs, bool) const {
  return keeping_output(inputs[0]);
}
void Tanh::forward(const ForwardCall& call) const { activate(call, Activation::tanh); }
void Tanh::backward(const BackwardCall& call) const { activate_backward(call, Activation::tanh); }
std::vector<LayerExample<Tanh>> Tanh::examples() { return {{{}, {{2, 5, 3}}}}; }

LayerShapes Softplus::infer(std::span<const Shape> inputs, bool) const {
  return keeping_output(inputs[0]);
}
void Softplus::forward(const ForwardCall& call) const { activate(call, Activation::softplus); }
void Softplus::backward(const BackwardCall& call) const {
  activate_backward(call, Activation::softplus);
}
std::vector<LayerExample<Softplus>> Softplus::examples() { return {{{}, {{2, 5, 3}}}}; }

}  // namespace ratnet::inline v1::layers
