#include "reduce.h"

#include "../kernels/reduce.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1::layers {
namespace {

// The input as [outer, middle, inner], of which the middle goes.
Shape in_three(const Shape& input, ReduceOver over) {
  const std::int64_t sample = input.with_first(1).count();
  switch (over) {
    case ReduceOver::spatial:
      return {input[0], input.back() ? sample / input.back() : 0, input.back()};
    case ReduceOver::channels:
      return {input.back() ? input.count() / input.back() : 0, input.back(), 1};
    case ReduceOver::sample: break;
  }
  return {input[0], sample, 1};
}

LayerShapes reduced(const char* kind, const Shape& input, ReduceOver over, Reduction by,
                    bool training) {
  const int least = over == ReduceOver::spatial ? 3 : 2;
  require(input.rank() >= least, kind, ": needs an input ",
          least == 3 ? "[N, spatial..., C]" : "[N, ..., C]", ", got ", input);
  for (int d = 1; d < input.rank(); ++d)
    require(input[d] >= 1, kind, ": an input of ", input, " has nothing to reduce");
  LayerShapes shapes;
  switch (over) {
    case ReduceOver::spatial: shapes.output = {input[0], input.back()}; break;
    case ReduceOver::channels:
      shapes.output = input;
      shapes.output[input.rank() - 1] = 1;
      break;
    case ReduceOver::sample: shapes.output = {input[0], 1}; break;
  }
  if (training && by == Reduction::max) shapes.kept.push_back({shapes.output, false, DType::i32});
  return shapes;
}

void reduce(const ForwardCall& call, ReduceOver over, Reduction by) {
  const Shape whole = in_three(call.inputs[0].shape, over), rest{whole[0], whole[2]};
  submit(call.queue, v1::Reduce{.x = call.inputs[0].reshaped(whole),
                                .y = call.output.reshaped(rest),
                                .argmax = call.kept.empty() ? View{} : call.kept[0].reshaped(rest),
                                .by = by});
}

void reduce_backward(const BackwardCall& call, ReduceOver over, Reduction by) {
  if (!call.dinputs[0]) return;
  const Shape whole = in_three(call.dinputs[0].shape, over), rest{whole[0], whole[2]};
  submit(call.queue,
         ReduceBackward{.dy = call.doutput.reshaped(rest),
                        .argmax = call.kept.empty() ? ConstView{} : call.kept[0].reshaped(rest),
                        .dx = call.dinputs[0].reshaped(whole),
                        .by = by});
}

}  // namespace

LayerShapes GlobalPool::infer(std::span<const Shape> inputs, bool training) const {
  require(by != Reduction::sum,
          "global_pool: takes the mean or the maximum; a sum is for layer 'reduce'");
  return reduced(kind, inputs[0], ReduceOver::spatial, by, training);
}
void GlobalPool::forward(const ForwardCall& call) const { reduce(call, ReduceOver::spatial, by); }
void GlobalPool::backward(const BackwardCall& call) const {
  reduce_backward(call, ReduceOver::spatial, by);
}
std::vector<LayerExample<GlobalPool>> GlobalPool::examples() {
  return {{{}, {{2, 3, 4, 5}}},
          {{}, {{2, 7, 3}}},
          {{.by = Reduction::max}, {{2, 3, 4, 5}}},
          {{.by = Reduction::max}, {{1, 2, 3, 2, 2}}}};
}

LayerShapes Reduce::infer(std::span<const Shape> inputs, bool training) const {
  return reduced(kind, inputs[0], over, by, training);
}
void Reduce::forward(const ForwardCall& call) const { reduce(call, over, by); }
void Reduce::backward(const BackwardCall& call) const { reduce_backward(call, over, by); }
std::vector<LayerExample<Reduce>> Reduce::examples() {
  std::vector<LayerExample<Reduce>> list;
  for (const Reduction by : {Reduction::sum, Reduction::mean, Reduction::max}) {
    for (const ReduceOver over : {ReduceOver::spatial, ReduceOver::channels, ReduceOver::sample})
      list.push_back({{.over = over, .by = by}, {{2, 3, 2, 5}}});
    list.push_back({{.by = by}, {{2, 5, 3}}});
    list.push_back({{.over = ReduceOver::channels, .by = by}, {{1, 2, 2, 3, 4}}});
    list.push_back({{.over = ReduceOver::sample, .by = by}, {{3, 7}}});
  }
  return list;
}

}  // namespace ratnet::inline v1::layers
