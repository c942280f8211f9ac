#include "pad.h"

#include "../kernels/copy_box.h"
#include "../kernels/resample.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

// Larger values would overflow the index arithmetic and mean nothing.
constexpr std::int64_t kMost = std::int64_t{1} << 22;

// What is cut or added at the two ends of dimension d (1, ...) of an input.
struct Margins {
  std::int64_t before, after;
};
Margins margins(const Pad& pad, const Shape& input, int d) {
  const int rank = input.rank() - 2;
  if (d > rank) return {0, 0};
  return {size_along(pad.before, d - 1, rank, 0, Pad::kind, "before"),
          size_along(pad.after, d - 1, rank, 0, Pad::kind, "after")};
}

std::int64_t cropped(const Sizes& sizes, const Shape& input, int d, const char* what) {
  const int rank = input.rank() - 2;
  const auto index = static_cast<std::size_t>(d - 1);
  if (sizes.size() == static_cast<std::size_t>(rank) + 1) return sizes[index];
  return d > rank ? 0 : size_along(sizes, d - 1, rank, 0, Crop::kind, what);
}
Margins margins(const Crop& crop, const Shape& input, int d) {
  return {cropped(crop.before, input, d, "before"), cropped(crop.after, input, d, "after")};
}

// change(size, margins) for the size of each dimension of the input.
template <class Layer, class Change>
LayerShapes changed(const Layer& layer, const Shape& input, const Change& change) {
  require(input.rank() >= 3 && input.rank() <= 5, Layer::kind,
          ": needs an input [N, 1 to 3 spatial sizes, C], got ", input);
  LayerShapes shapes;
  shapes.output = input;
  for (int d = 1; d < input.rank(); ++d) {
    const Margins m = margins(layer, input, d);
    require(m.before >= 0 && m.before <= kMost && m.after >= 0 && m.after <= kMost, Layer::kind,
            ": before and after must be 0 to ", kMost, ", got ", m.before, " and ", m.after);
    shapes.output[d] = change(input[d], m);
  }
  return shapes;
}

// Where the smaller of the two tensors begins in the larger.
template <class Layer>
Shape start(const Layer& layer, const Shape& input) {
  Shape place = input;
  place[0] = 0;
  for (int d = 1; d < input.rank(); ++d) place[d] = margins(layer, input, d).before;
  return place;
}

Shape zeros(const Shape& like) {
  Shape place = like;
  for (int d = 0; d < place.rank(); ++d) place[d] = 0;
  return place;
}

void cut(Queue& queue, const ConstView& large, const Shape& start, const View& small) {
  submit(queue,
         CopyBox{
             .x = large, .y = small, .from = start, .to = zeros(small.shape), .size = small.shape});
}

void surround(Queue& queue, const ConstView& small, const Shape& start, const View& large) {
  submit(queue, CopyBox{.x = small,
                        .y = large,
                        .from = zeros(small.shape),
                        .to = start,
                        .size = small.shape,
                        .clear = true});
}

Sampling sampling_of(const Pad& pad, const Shape& input) {
  Sampling sampling;
  sampling.reflect = pad.mode == PadMode::reflect;
  for (int d = 0; d + 2 < input.rank(); ++d)
    sampling.lines[static_cast<std::size_t>(d)].start = -margins(pad, input, d + 1).before;
  return sampling;
}

}  // namespace

LayerShapes Crop::infer(std::span<const Shape> inputs, bool) const {
  return changed(*this, inputs[0], [](std::int64_t size, const Margins& m) {
    require(m.before + m.after < size, "crop: ", m.before, " + ", m.after, " leave nothing of ",
            size);
    return size - m.before - m.after;
  });
}
void Crop::forward(const ForwardCall& call) const {
  cut(call.queue, call.inputs[0], start(*this, call.inputs[0].shape), call.output);
}
void Crop::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  surround(call.queue, call.doutput, start(*this, call.inputs[0].shape), call.dinputs[0]);
}
std::vector<LayerExample<Crop>> Crop::examples() {
  return {{{.before = {1}, .after = {2}}, {{2, 6, 3}}},
          {{.before = {1, 0}, .after = {0, 2}}, {{2, 3, 5, 2}}},
          {{.after = {1, 0, 1}}, {{1, 3, 2, 4, 2}}},
          {{.before = {0, 1, 2}, .after = {0, 0, 1}}, {{2, 3, 2, 5}}}};
}

LayerShapes Pad::infer(std::span<const Shape> inputs, bool) const {
  return changed(*this, inputs[0], [&](std::int64_t size, const Margins& m) {
    require(mode != PadMode::reflect || (m.before < size && m.after < size), "pad: ", size,
            " pixels can be mirrored for up to ", size - 1, ", not ", m.before, " and ", m.after);
    require(size <= std::int64_t{1} << 40, "pad: a size of ", size, " is too much");
    return m.before + size + m.after;
  });
}
void Pad::forward(const ForwardCall& call) const {
  const Shape& input = call.inputs[0].shape;
  if (mode == PadMode::zero)
    return surround(call.queue, call.inputs[0], start(*this, input), call.output);
  submit(call.queue,
         Resample{.x = call.inputs[0], .y = call.output, .sampling = sampling_of(*this, input)});
}
void Pad::backward(const BackwardCall& call) const {
  if (!call.dinputs[0]) return;
  const Shape& input = call.inputs[0].shape;
  if (mode == PadMode::zero)
    return cut(call.queue, call.doutput, start(*this, input), call.dinputs[0]);
  submit(call.queue,
         ResampleBackward{
             .dy = call.doutput, .dx = call.dinputs[0], .sampling = sampling_of(*this, input)});
}
std::vector<LayerExample<Pad>> Pad::examples() {
  std::vector<LayerExample<Pad>> list;
  for (const PadMode mode : {PadMode::zero, PadMode::reflect, PadMode::edge}) {
    list.push_back({{.before = {2}, .after = {1}, .mode = mode}, {{2, 3, 2}}});
    list.push_back({{.before = {1, 0}, .after = {2, 3}, .mode = mode}, {{2, 3, 4, 3}}});
    list.push_back({{.before = {1}, .mode = mode}, {{1, 2, 3, 2, 2}}});
  }
  return list;
}

}  // namespace ratnet::inline v1::layers
