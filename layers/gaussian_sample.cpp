#include "gaussian_sample.h"

#include "../kernels/activation.h"
#include "../kernels/gaussian_sample.h"
#include "../kernels/submit.h"
#include "same_shape.h"

namespace ratnet::inline v1::layers {

LayerShapes GaussianSample::infer(std::span<const Shape> inputs, bool) const {
  require(inputs[0] == inputs[1], "gaussian_sample: the mean has shape ", inputs[0],
          ", the log variance ", inputs[1]);
  LayerShapes shapes = unchanged(inputs[0]);
  shapes.backward_needs_input = true;
  return shapes;
}

void GaussianSample::forward(const ForwardCall& call) const {
  if (!call.training)  // a copy: of two inputs none can share its memory with the output
    return submit(call.queue,
                  Activate{.x = call.inputs[0], .y = call.output, .activation = Activation::none});
  submit(call.queue, v1::GaussianSample{.mean = call.inputs[0],
                                        .log_variance = call.inputs[1],
                                        .y = call.output,
                                        .key = call.random,
                                        .stream = call.stream});
}

void GaussianSample::backward(const BackwardCall& call) const {
  if (!call.dinputs[0] && !call.dinputs[1]) return;
  submit(call.queue, GaussianSampleBackward{.dy = call.doutput,
                                            .log_variance = call.inputs[1],
                                            .dmean = call.dinputs[0],
                                            .dlog_variance = call.dinputs[1],
                                            .key = call.random,
                                            .stream = call.stream});
}

std::vector<LayerExample<GaussianSample>> GaussianSample::examples() {
  return {{{}, {{2, 7}, {2, 7}}}, {{}, {{2, 2, 3}, {2, 2, 3}}}};
}

}  // namespace ratnet::inline v1::layers
