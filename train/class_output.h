// The output of a graph by which samples, or pixels, are told apart, and what its numbers mean.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "objective.h"

namespace ratnet::inline v1 {

struct ClassOutput {
  std::string output;      // the node that the loss reads; empty: the graph's only output
  std::int64_t width = 1;  // numbers for each sample or pixel; 1 speaks for class 1 against class 0
  bool logits = true;      // otherwise probabilities
  double temperature = 1;  // of the softmax by which the graph itself makes probabilities of them

  int classes() const { return width == 1 ? 2 : static_cast<int>(width); }
  // The most likely class, the first of equals. row: [width].
  int decide(const float* row) const;
  // row: [width]; probabilities: [classes()].
  void to_probabilities(const float* row, std::span<double> probabilities) const;
  // Of two classes, how much speaks for class 1: the log odds of logits (without the temperature),
  // otherwise its probability.
  double margin(const float* row) const;
};

// What the first cross-entropy with that target reads, else the first Dice loss; absent where
// there is neither. Throws Error: usage where that is no node of the graph, input where it tells
// more than 255 classes apart.
std::optional<ClassOutput> class_output(const Graph& graph, const Objective& objective,
                                        LossTarget target);

// Whether a node is made of that output alone, by a softmax, log-softmax or sigmoid.
bool restates(const Graph& graph, int node, const ClassOutput& output);

}  // namespace ratnet::inline v1
