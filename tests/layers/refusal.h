// How a layer is refused: as its user shall read it.
#pragma once

#include <string>

#include "one_layer.h"

namespace ratnet::testing {

// What became of `call`.
struct Outcome {
  bool refused = false;
  std::string wrong = {};  // where it ended otherwise than in an Error (usage) that begins so
};
template <class Call>
Outcome outcome(const std::string& beginning, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (error.kind() != ErrorKind::usage || !what.starts_with(beginning))
      return {true, "kind " + std::to_string(static_cast<int>(error.kind())) + ": " + what};
    return {true, {}};
  }
  return {};
}

// Of building a graph of the layer: a message begins with its name and its kind.
inline Outcome building(const Layer& layer, const std::vector<Shape>& inputs) {
  return outcome("layer 'layer': " + std::string(kind_of(layer)) + ": ",
                 [&] { (void)graph_of(layer, inputs); });
}

}  // namespace ratnet::testing
