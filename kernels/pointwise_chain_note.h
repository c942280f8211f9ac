// Which steps a chain of pointwise operations has, for every backend's plan().
#pragma once

#include <cstdio>
#include <string>

#include "pointwise_chain.h"

namespace ratnet::inline v1 {

// "elu, multiply, add + relu".
inline OpNote note_of(const PointwiseChain& op) {
  constexpr const char* kCombined[] = {"", "add", "multiply"};
  std::string steps;
  for (int i = 0; i < op.count; ++i) {
    const PointwiseStep& what = op.steps[i].what;
    const bool combines = what.combine != Combine::none;
    if (i > 0) steps += ", ";
    if (combines) steps += kCombined[static_cast<int>(what.combine)];
    if (combines && what.activation != Activation::none) steps += " + ";
    if (!combines || what.activation != Activation::none)
      steps += kActivationNames[static_cast<int>(what.activation)];
  }
  OpNote note;
  std::snprintf(note.algorithm, sizeof note.algorithm, "%s", steps.c_str());
  return note;
}

}  // namespace ratnet::inline v1
