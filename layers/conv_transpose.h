// Transposed convolution: the adjoint of a convolution, by which decoders enlarge.
#pragma once

#include "../core/activation.h"
#include "layer.h"
#include "sliding.h"

namespace ratnet::inline v1::layers {

// x [N, spatial..., Cin] -> [N, larger..., out], that size from which a convolution with the same
// kernel, stride, dilation and padding comes back to the input's: same: stride * input; valid:
// (input - 1) * stride + reach, reach = dilation * (kernel - 1) + 1; custom: less pad_before +
// pad_after (torch.nn.ConvTranspose2d's padding on both sides, less its output_padding behind).
// weight [kernel..., out, Cin], bias [out].
struct ConvTranspose {
  std::int64_t out = 1;
  Sizes kernel = {2};
  Sizes stride = {2};
  Sizes dilation = {};
  Padding padding = Padding::same;
  Sizes pad_before = {};
  Sizes pad_after = {};
  bool bias = true;
  Activation activation = Activation::none;
  double slope = 0.01;
  Init init = Init::he_normal;

  static constexpr const char* kind = "conv_transpose";
  static constexpr auto fields = std::tuple{Field{"out", &ConvTranspose::out},
                                            Field{"kernel", &ConvTranspose::kernel},
                                            Field{"stride", &ConvTranspose::stride},
                                            Field{"dilation", &ConvTranspose::dilation},
                                            Field{"padding", &ConvTranspose::padding},
                                            Field{"pad_before", &ConvTranspose::pad_before},
                                            Field{"pad_after", &ConvTranspose::pad_after},
                                            Field{"bias", &ConvTranspose::bias},
                                            Field{"activation", &ConvTranspose::activation},
                                            Field{"slope", &ConvTranspose::slope},
                                            Field{"init", &ConvTranspose::init}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<ConvTranspose>> examples();
};

}  // namespace ratnet::inline v1::layers
