#include "dense.h"

#include "../kernels/dense.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {

LayerShapes Dense::infer(std::span<const Shape> inputs, bool) const {
  const Shape& input = inputs[0];
  require(input.rank() == 2, "dense: needs an input [N, features], got ", input,
          "; put a flatten layer before it");
  require(out >= 1 && out <= (1 << 24), "dense: out is ", out, ", expected 1 or more");
  check_fused_activation(kind, activation, slope);
  LayerShapes shapes;
  shapes.output = {input[0], out};
  shapes.weights.push_back({"weight", {input[1], out}, init, input[1], out});
  if (bias) shapes.weights.push_back({"bias", {out}});
  if (activation != Activation::none) shapes.backward_scratch.push_back({shapes.output});
  shapes.backward_needs_input = true;
  shapes.backward_needs_output = activation != Activation::none;
  shapes.multiply_adds = static_cast<double>(input.count()) * static_cast<double>(out);
  return shapes;
}

void Dense::forward(const ForwardCall& call) const {
  submit(call.queue, v1::Dense{.x = call.inputs[0],
                               .weight = call.weights[0],
                               .bias = bias ? call.weights[1] : ConstView{},
                               .y = call.output,
                               .activation = activation,
                               .slope = slope,
                               .precision = call.precision});
}

void Dense::backward(const BackwardCall& call) const {
  ConstView dy = call.doutput;
  if (activation != Activation::none) {
    submit(call.queue, ActivateBackward{.y = call.output,
                                        .dy = dy,
                                        .dx = call.scratch[0],
                                        .activation = activation,
                                        .slope = slope});
    dy = call.scratch[0];
  }
  if (call.dweights[0])
    submit(call.queue, DenseBackwardWeights{.x = call.inputs[0],
                                            .dy = dy,
                                            .dweight = call.dweights[0],
                                            .dbias = bias ? call.dweights[1] : View{},
                                            .precision = call.precision});
  if (call.dinputs[0])
    submit(call.queue, DenseBackwardData{.dy = dy,
                                         .weight = call.weights[0],
                                         .dx = call.dinputs[0],
                                         .precision = call.precision});
}

std::vector<LayerExample<Dense>> Dense::examples() {
  return {{{.out = 3}, {{4, 5}}},
          {{.out = 1, .bias = false, .init = Init::truncated_normal}, {{2, 7}}},
          {{.out = 6, .activation = Activation::relu, .init = Init::glorot_normal}, {{3, 4}}}};
}

}  // namespace ratnet::inline v1::layers
