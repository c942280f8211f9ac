#include "concat.h"

#include "../kernels/copy_box.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

constexpr std::int64_t kMostChannels = std::int64_t{1} << 40;

// The start of a tensor, and the place of its channels in the output.
Shape origin(const Shape& like, std::int64_t channel) {
  Shape place = like;
  for (int d = 0; d < place.rank(); ++d) place[d] = 0;
  place[place.rank() - 1] = channel;
  return place;
}

}  // namespace

LayerShapes Concat::infer(std::span<const Shape> inputs, bool) const {
  Shape output = inputs[0];
  require(output.rank() >= 2, "concat: needs inputs [N, ..., C], got ", output);
  output[output.rank() - 1] = 0;
  for (const Shape& input : inputs) {
    Shape others = input;
    if (others.rank() > 0) others[others.rank() - 1] = inputs[0].back();
    require(others == inputs[0], "concat: inputs may differ in their channels only, got ",
            inputs[0], " and ", input);
    require(input.back() <= kMostChannels - output.back(), "concat: more than ", kMostChannels,
            " channels");
    output[output.rank() - 1] += input.back();
  }
  LayerShapes shapes;
  shapes.output = output;
  return shapes;
}

void Concat::forward(const ForwardCall& call) const {
  std::int64_t channel = 0;
  for (const ConstView& input : call.inputs) {
    submit(call.queue, CopyBox{.x = input,
                               .y = call.output,
                               .from = origin(input.shape, 0),
                               .to = origin(input.shape, channel),
                               .size = input.shape});
    channel += input.shape.back();
  }
}

void Concat::backward(const BackwardCall& call) const {
  std::int64_t channel = 0;
  for (std::size_t i = 0; i < call.dinputs.size(); ++i) {
    const View& dinput = call.dinputs[i];
    const Shape& shape = call.inputs[i].shape;
    if (dinput)
      submit(call.queue, CopyBox{.x = call.doutput,
                                 .y = dinput,
                                 .from = origin(shape, channel),
                                 .to = origin(shape, 0),
                                 .size = shape});
    channel += shape.back();
  }
}

std::vector<LayerExample<Concat>> Concat::examples() {
  return {{{}, {{2, 3, 4, 2}, {2, 3, 4, 5}, {2, 3, 4, 1}}},
          {{}, {{2, 5, 3}, {2, 5, 3}}},
          {{}, {{1, 2, 3, 2, 4}, {1, 2, 3, 2, 1}}},
          {{}, {{3, 2}, {3, 7}}},
          {{}, {{2, 3, 2}}}};
}

}  // namespace ratnet::inline v1::layers
