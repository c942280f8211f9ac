// Joining along channels.
#pragma once

#include "layer.h"

namespace ratnet::inline v1::layers {

// One or more inputs [N, spatial..., C_i], equal but for their channels -> [N, spatial..., sum of
// C_i], in the order of the inputs.
struct Concat {
  static constexpr const char* kind = "concat";
  static constexpr int arity = kOneOrMore;
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Concat>> examples();
};

}  // namespace ratnet::inline v1::layers
