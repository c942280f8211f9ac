// Convolution over 1 to 3 spatial dimensions, with the activation and pooling that follow it.
#pragma once

#include "../core/activation.h"
#include "layer.h"
#include "sliding.h"

namespace ratnet::inline v1::layers {

// x [N, spatial..., Cin] -> y [N, positions..., out]; weight [kernel..., Cin / groups, out], bias
// [out]. With groups, neighbouring channels are convolved by themselves (groups == Cin: depthwise).
// `activation` and `pool` (non-overlapping maxima) are what the plan moves in here from layers of
// their own; written here directly they mean the same. The same goes for a second input, of the
// shape of y: it is added before the activation, and then there is no pool.
struct Conv {
  std::int64_t out = 1;
  Sizes kernel = {3};
  Sizes stride = {};
  Sizes dilation = {};
  Padding padding = Padding::same;
  Sizes pad_before = {};
  Sizes pad_after = {};
  std::int64_t groups = 1;
  bool bias = true;
  Activation activation = Activation::none;
  double slope = 0.01;
  Sizes pool = {};
  Init init = Init::he_normal;

  static constexpr const char* kind = "conv";
  static constexpr int arity = kOneOrTwo;
  static constexpr auto fields = std::tuple{Field{"out", &Conv::out},
                                            Field{"kernel", &Conv::kernel},
                                            Field{"stride", &Conv::stride},
                                            Field{"dilation", &Conv::dilation},
                                            Field{"padding", &Conv::padding},
                                            Field{"pad_before", &Conv::pad_before},
                                            Field{"pad_after", &Conv::pad_after},
                                            Field{"groups", &Conv::groups},
                                            Field{"bias", &Conv::bias},
                                            Field{"activation", &Conv::activation},
                                            Field{"slope", &Conv::slope},
                                            Field{"pool", &Conv::pool},
                                            Field{"init", &Conv::init}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Conv>> examples();
};

}  // namespace ratnet::inline v1::layers
