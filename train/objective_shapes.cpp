#include "objective_shapes.h"

namespace ratnet::inline v1 {
namespace {

// [N, H, W, C] as people write it, without the batch.
std::string sample(const Shape& shape) {
  std::string text;
  for (int d = 1; d < shape.rank(); ++d) text += (d > 1 ? ", " : "") + std::to_string(shape[d]);
  return "[" + text + "]";
}

// What the loss reads instead of `output`; empty where that suits.
std::string wanted(const LossTerm& term, const Shape& output, const Shape& input) {
  if (term.kind == LossKind::gaussian_kl) return "";
  if (term.target == LossTarget::image)
    return output == input ? "" : "an image like the input, " + sample(input);
  const bool one = term.kind == LossKind::binary_cross_entropy;
  const bool dice = term.kind == LossKind::dice;
  const bool pixels = term.target == LossTarget::masks;
  const bool channels = one ? output.back() == 1 : output.back() >= (dice ? 1 : 2);
  const bool places = pixels ? output.rank() >= 3 && output.without_last() == input.without_last()
                             : output.rank() == 2 || (one && output.count() == 1);
  if (channels && places) return "";
  std::string text = dice ? "probabilities [" : one ? "one logit [" : "logits of K >= 2 classes [";
  for (int d = 1; pixels && d + 1 < input.rank(); ++d) text += std::to_string(input[d]) + ", ";
  return text + (one ? "1]" : "K]") + (pixels ? " for masks" : " for labels");
}

}  // namespace

void check_shapes(const Graph& whole, const Objective& objective) {
  const Graph graph = graph_for(whole, objective);
  const auto shapes = graph.infer(1, false);
  const auto of_output = [&](const std::string& name) {
    return shapes[static_cast<std::size_t>(graph.outputs()[output_of(graph, name)])].output;
  };
  const Shape input = shapes[static_cast<std::size_t>(graph.inputs().at(0))].output;
  for (const LossTerm& term : objective) {
    const Shape output = of_output(term.output);
    if (const std::string other = wanted(term, output, input); !other.empty())
      fail(ErrorKind::input, described(term), " gets ", sample(output), ", but reads ", other);
    if (term.kind != LossKind::gaussian_kl) continue;
    if (term.log_variance.empty())
      fail(ErrorKind::input, described(term), " needs the output log_variance");
    if (const Shape other = of_output(term.log_variance); other != output)
      fail(ErrorKind::input, described(term), " gets a mean of ", sample(output),
           " and a log_variance of ", sample(other), ", which have to be alike");
  }
}

}  // namespace ratnet::inline v1
