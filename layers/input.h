// Where data enters a graph.
#pragma once

#include "layer.h"

namespace ratnet::inline v1::layers {

struct Input {
  std::vector<std::int64_t> shape = {};  // of one sample, channels last: {64, 64, 1}

  static constexpr const char* kind = "input";
  static constexpr int arity = 0;
  static constexpr auto fields = std::tuple{Field{"shape", &Input::shape}};
};

}  // namespace ratnet::inline v1::layers
