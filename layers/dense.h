// Dense (fully connected) layer, with the activation that follows it.
#pragma once

#include "../core/activation.h"
#include "layer.h"

namespace ratnet::inline v1::layers {

// x [N, in] -> [N, out]; weight [in, out], bias [out].
struct Dense {
  std::int64_t out = 1;
  bool bias = true;
  Activation activation = Activation::none;
  double slope = 0.01;
  Init init = Init::he_normal;

  static constexpr const char* kind = "dense";
  static constexpr auto fields =
      std::tuple{Field{"out", &Dense::out}, Field{"bias", &Dense::bias},
                 Field{"activation", &Dense::activation}, Field{"slope", &Dense::slope},
                 Field{"init", &Dense::init}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Dense>> examples();
};

}  // namespace ratnet::inline v1::layers
