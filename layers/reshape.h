// A sample under other sizes.
#pragma once

#include "layer.h"
#include "sliding.h"

namespace ratnet::inline v1::layers {

// [N, ...] -> [N, shape...], where one number of the shape may be -1: what is left. Costs nothing:
// the memory stays, so that the last dimension still runs fastest.
struct Reshape {
  Sizes shape = {-1};

  static constexpr const char* kind = "reshape";
  static constexpr auto fields = std::tuple{Field{"shape", &Reshape::shape}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Reshape>> examples();
};

}  // namespace ratnet::inline v1::layers
