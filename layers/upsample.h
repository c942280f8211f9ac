// Enlarging by whole factors.
#pragma once

#include "layer.h"
#include "sliding.h"

namespace ratnet::inline v1 {

// linear: along each dimension in turn, hence bilinear and trilinear.
enum class Interpolation : std::uint8_t { nearest, linear };

// Where output i of a dimension lies on the input, for a factor f and sizes in and out.
//   half_pixel: (i + 1/2) / f - 1/2    PyTorch's align_corners=False, Keras today
//   corners:    i (in - 1) / (out - 1) PyTorch's align_corners=True
//   top_left:   i / f                  TensorFlow 1's resize without align_corners
// nearest takes the pixel that this place is in, which is floor(i / f) for half_pixel and top_left,
// and for corners, like TensorFlow 1, the pixel at the place rounded, halves upward.
enum class Alignment : std::uint8_t { half_pixel, corners, top_left };

namespace layers {

// x [N, spatial..., C] -> [N, spatial * factor..., C]; beyond the ends stands the last pixel.
struct Upsample {
  Sizes factor = {2};
  Interpolation mode = Interpolation::nearest;
  Alignment align = Alignment::half_pixel;

  static constexpr const char* kind = "upsample";
  static constexpr auto fields =
      std::tuple{Field{"factor", &Upsample::factor}, Field{"mode", &Upsample::mode},
                 Field{"align", &Upsample::align}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Upsample>> examples();
};

}  // namespace layers
}  // namespace ratnet::inline v1
