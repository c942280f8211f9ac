#include "reshape.h"

namespace ratnet::inline v1::layers {

LayerShapes Reshape::infer(std::span<const Shape> inputs, bool) const {
  const Shape& input = inputs[0];
  require(input.rank() >= 1, "reshape: needs an input [N, ...], got ", input);
  require(!shape.empty() && shape.size() < static_cast<std::size_t>(Shape::kMaxRank),
          "reshape: a sample has 1 to ", Shape::kMaxRank - 1, " sizes, got ", shape.size());
  Shape output{input[0]};
  int open = -1;
  for (const std::int64_t size : shape) {
    require(size >= 1 || (size == -1 && open < 0), "reshape: sizes are 1 or more and -1 once, got ",
            size);
    if (size == -1) open = output.rank();
    output.push_back(size == -1 ? 1 : size);
  }
  const std::int64_t has = input.with_first(1).count(), takes = output.with_first(1).count();
  require(open < 0 ? has == takes : has % takes == 0, "reshape: a sample of ", has,
          " values does not fit sizes of ", takes);
  if (open >= 0) output[open] = has / takes;
  LayerShapes shapes;
  shapes.output = output;
  shapes.same_memory = true;
  return shapes;
}
void Reshape::forward(const ForwardCall&) const {}  // same_memory: nothing moves
void Reshape::backward(const BackwardCall&) const {}
std::vector<LayerExample<Reshape>> Reshape::examples() {
  return {{{.shape = {3, 8}}, {{2, 3, 4, 2}}},
          {{.shape = {2, -1, 3}}, {{2, 12}}},
          {{}, {{1, 2, 3, 2, 2}}}};
}

}  // namespace ratnet::inline v1::layers
