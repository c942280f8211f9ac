// A sample and what a network makes of it as one small picture: panels side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../core/view.h"
#include "../imaging/colour.h"

namespace ratnet::inline v1 {

// The longest side of a panel; of larger images every second, third, ... pixel is shown.
constexpr std::int64_t kPanelSide = 256;
constexpr std::int64_t kPanelGap = 2;  // white pixels between panels

// In which colour a class of a mask is shown: 0 black, 255 (no label) grey, the others in turn the
// seven colours of Okabe and Ito, Color Universal Design, 2008, which differ for any colour vision.
Colour class_colour(std::uint8_t label);

// Which values are black and which are white.
struct GreyRange {
  double black = 0, white = 1;
};

// Images are [H, W, C], volumes [D, H, W, C], f32 on the host; of volumes the slice D / 2 is shown,
// of channels the first.
class SamplePicture {
 public:
  // Throws Error (usage) for images of another rank.
  explicit SamplePicture(const Shape& image);

  // The 1st and 99th percentile of what is shown of an image, its extremes where these are one, and
  // a range of 1 where those are one too. Values that are not finite do not count.
  GreyRange range_of(const ConstView& image) const;

  // Each adds a panel at the right. Throw Error (usage) for another shape. NaN is black.
  void add_image(const ConstView& image, const GreyRange& range);
  // |a - b|: nothing is black, half the range or more is white.
  void add_difference(const ConstView& a, const ConstView& b, const GreyRange& range);
  // class_at: of a pixel, counted through all of the image.
  void add_classes(const std::function<std::uint8_t(std::int64_t pixel)>& class_at);

  // Throws Error (usage) without a panel, and for more than a PNG is wide here.
  std::string png() const;

 private:
  using Panel = std::vector<std::uint8_t>;  // [rows_, columns_], of the palette
  template <class At>
  void add(At&& colour_at);
  const float* values_of(const ConstView& image) const;

  Shape image_;
  std::int64_t first_ = 0;  // the first pixel of the slice
  std::int64_t step_ = 1;   // between pixels that are shown
  std::int64_t rows_ = 0, columns_ = 0;
  std::vector<Panel> panels_;
};

}  // namespace ratnet::inline v1
