// Cropping and padding.
#pragma once

#include "layer.h"
#include "sliding.h"

namespace ratnet::inline v1 {

// What stands beyond the ends. reflect: the image mirrored at its last pixel, which is not repeated
// (PyTorch's name); edge: the last pixel (PyTorch's "replicate").
enum class PadMode : std::uint8_t { zero, reflect, edge };

namespace layers {

// x [N, spatial..., C] without the first `before` and the last `after` of each spatial dimension.
struct Crop {
  Sizes before = {};  // of the channels too where it has one number more
  Sizes after = {};

  static constexpr const char* kind = "crop";
  static constexpr auto fields =
      std::tuple{Field{"before", &Crop::before}, Field{"after", &Crop::after}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Crop>> examples();
};

// x [N, spatial..., C] with so much more before and after each spatial dimension; reflect takes
// less than the dimension has.
struct Pad {
  Sizes before = {};
  Sizes after = {};
  PadMode mode = PadMode::zero;

  static constexpr const char* kind = "pad";
  static constexpr auto fields = std::tuple{Field{"before", &Pad::before},
                                            Field{"after", &Pad::after}, Field{"mode", &Pad::mode}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Pad>> examples();
};

}  // namespace layers
}  // namespace ratnet::inline v1
