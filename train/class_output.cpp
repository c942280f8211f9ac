#include "class_output.h"

#include <algorithm>
#include <cmath>

#include "dataset.h"

namespace ratnet::inline v1 {
namespace {

const LossTerm* deciding_term(const Objective& objective, LossTarget target) {
  for (const LossTerm& term : objective)
    if (term.target == target &&
        (term.kind == LossKind::cross_entropy || term.kind == LossKind::binary_cross_entropy))
      return &term;
  for (const LossTerm& term : objective)
    if (term.target == target && term.kind == LossKind::dice) return &term;
  return nullptr;
}

int node_of(const Graph& graph, const std::string& output) {
  return output.empty() ? graph.outputs()[output_of(graph, output)] : graph.find(output);
}

}  // namespace

int ClassOutput::decide(const float* row) const {
  if (width == 1) return row[0] > (logits ? 0.0f : 0.5f);
  return static_cast<int>(std::max_element(row, row + width) - row);
}

void ClassOutput::to_probabilities(const float* row, std::span<double> probabilities) const {
  require(probabilities.size() == static_cast<std::size_t>(classes()), probabilities.size(),
          " probabilities of ", classes(), " classes");
  if (width == 1) {
    const auto value = static_cast<double>(row[0]);
    probabilities[1] = logits ? 1 / (1 + std::exp(-value)) : value;
    probabilities[0] = logits ? 1 / (1 + std::exp(value)) : 1 - value;
    return;
  }
  std::copy_n(row, width, probabilities.begin());
  if (!logits) return;
  const double top = *std::ranges::max_element(probabilities);
  double sum = 0;
  for (double& p : probabilities) sum += p = std::exp((p - top) / temperature);
  for (double& p : probabilities) p /= sum;
}

double ClassOutput::margin(const float* row) const {
  require(classes() == 2, "a margin between ", classes(), " classes");
  if (width == 1) return static_cast<double>(row[0]);
  return static_cast<double>(row[1]) - (logits ? static_cast<double>(row[0]) : 0);
}

std::optional<ClassOutput> class_output(const Graph& graph, const Objective& objective,
                                        LossTarget target) {
  const LossTerm* const term = deciding_term(objective, target);
  if (!term) return std::nullopt;
  const auto node = static_cast<std::size_t>(node_of(graph, term->output));
  ClassOutput output{.output = term->output,
                     .width = graph.infer(1, false)[node].output.back(),
                     .logits = term->kind != LossKind::dice};
  if (output.width > kUnlabelled)
    fail(ErrorKind::input, "the output '", graph.nodes()[node].name, "' tells ", output.width,
         " classes apart, more than the ", int{kUnlabelled},
         " that labels of one byte can name (255 stands for no label)");
  for (const int other : graph.outputs())
    if (const auto* softmax =
            std::get_if<layers::Softmax>(&graph.nodes()[static_cast<std::size_t>(other)].layer);
        softmax && output.logits && restates(graph, other, output))
      output.temperature = softmax->temperature;
  return output;
}

bool restates(const Graph& graph, int node, const ClassOutput& output) {
  const Node& other = graph.nodes()[static_cast<std::size_t>(node)];
  return (std::holds_alternative<layers::Softmax>(other.layer) ||
          std::holds_alternative<layers::LogSoftmax>(other.layer) ||
          std::holds_alternative<layers::Sigmoid>(other.layer)) &&
         other.inputs[0] == node_of(graph, output.output);
}

}  // namespace ratnet::inline v1
