#include "upsample.h"

#include <algorithm>

#include "../kernels/resample.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

// Sizes past this would overflow the index arithmetic.
constexpr std::int64_t kMost = std::int64_t{1} << 30;

std::int64_t factor_along(const Upsample& layer, const Shape& input, int d) {
  return size_along(layer.factor, d, input.rank() - 2, 1, Upsample::kind, "factor");
}

SampledLine line(const Upsample& layer, std::int64_t factor, std::int64_t in) {
  const bool linear = layer.mode == Interpolation::linear;
  if (layer.align == Alignment::corners) {
    const std::int64_t last = in * factor - 1, divisor = std::max<std::int64_t>(1, last);
    // floor(place + 1/2) rounds.
    return linear ? SampledLine{in - 1, 0, divisor} : SampledLine{2 * (in - 1), last, 2 * divisor};
  }
  if (layer.align == Alignment::half_pixel && linear) return {2, 1 - factor, 2 * factor};
  return {1, 0, factor};
}

Sampling sampling_of(const Upsample& layer, const Shape& input) {
  Sampling sampling;
  sampling.linear = layer.mode == Interpolation::linear;
  for (int d = 0; d + 2 < input.rank(); ++d)
    sampling.lines[static_cast<std::size_t>(d)] =
        line(layer, factor_along(layer, input, d), input[d + 1]);
  return sampling;
}

}  // namespace

LayerShapes Upsample::infer(std::span<const Shape> inputs, bool) const {
  const Shape& input = inputs[0];
  require(input.rank() >= 3 && input.rank() <= 5,
          "upsample: needs an input [N, 1 to 3 spatial sizes, C], got ", input);
  LayerShapes shapes;
  shapes.output = input;
  for (int d = 0; d + 2 < input.rank(); ++d) {
    const std::int64_t times = factor_along(*this, input, d), size = input[d + 1];
    require(times >= 1, "upsample: factors are 1 or more, got ", times);
    require(size <= kMost / times, "upsample: ", size, " times ", times, " is more than a size of ",
            kMost);
    shapes.output[d + 1] = size * times;
  }
  return shapes;
}

void Upsample::forward(const ForwardCall& call) const {
  submit(call.queue, Resample{.x = call.inputs[0],
                              .y = call.output,
                              .sampling = sampling_of(*this, call.inputs[0].shape)});
}

void Upsample::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  submit(call.queue, ResampleBackward{.dy = call.doutput,
                                      .dx = call.dinputs[0],
                                      .sampling = sampling_of(*this, call.inputs[0].shape)});
}

std::vector<LayerExample<Upsample>> Upsample::examples() {
  std::vector<LayerExample<Upsample>> list;
  for (const Interpolation mode : {Interpolation::nearest, Interpolation::linear})
    for (const Alignment align : {Alignment::half_pixel, Alignment::corners, Alignment::top_left}) {
      list.push_back({{.factor = {3}, .mode = mode, .align = align}, {{2, 4, 2}}});
      list.push_back({{.factor = {2, 3}, .mode = mode, .align = align}, {{1, 3, 2, 3}}});
      list.push_back({{.mode = mode, .align = align}, {{1, 2, 1, 3, 1}}});
    }
  return list;
}

}  // namespace ratnet::inline v1::layers
