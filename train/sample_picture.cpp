#include "sample_picture.h"

#include <algorithm>
#include <cmath>

#include "../core/quantile.h"
#include "../imaging/png.h"
#include "dataset.h"

namespace ratnet::inline v1 {
namespace {

constexpr Colour kClasses[] = {{230, 159, 0}, {86, 180, 233}, {0, 158, 115},  {240, 228, 66},
                               {0, 114, 178}, {213, 94, 0},   {204, 121, 167}};
constexpr Colour kNoLabel{128, 128, 128};
constexpr std::size_t kClassColours = std::size(kClasses);

// The palette: greys from black to white, then the colours of classes, then that of none.
constexpr int kGreys = 240;
constexpr std::uint8_t kWhite = kGreys - 1;

std::vector<PaletteColour> make_palette() {
  std::vector<PaletteColour> palette;
  for (int i = 0; i < kGreys; ++i) {
    const auto grey = static_cast<std::uint8_t>(std::lround(255.0 * i / (kGreys - 1)));
    palette.push_back({{grey, grey, grey}});
  }
  for (const Colour& colour : kClasses) palette.push_back({colour});
  palette.push_back({kNoLabel});
  return palette;
}

const std::vector<PaletteColour>& palette() {
  static const std::vector<PaletteColour> made = make_palette();
  return made;
}

std::uint8_t index_of_class(std::uint8_t label) {
  if (label == 0) return 0;
  if (label == kUnlabelled) return kGreys + kClassColours;
  return static_cast<std::uint8_t>(kGreys + (label - 1) % kClassColours);
}

// share: 0 black to 1 white.
std::uint8_t index_of_grey(double share) {
  if (!(share > 0)) return 0;  // NaN too
  return static_cast<std::uint8_t>(std::lround(std::min(share, 1.0) * kWhite));
}

}  // namespace

Colour class_colour(std::uint8_t label) { return palette()[index_of_class(label)].colour; }

SamplePicture::SamplePicture(const Shape& image) : image_(image) {
  const int rank = image.rank();
  require(rank == 3 || rank == 4, "a picture of an image of shape ", to_string(image),
          ", expected [H, W, C] or [D, H, W, C]");
  const std::int64_t height = image[rank - 3], width = image[rank - 2];
  if (rank == 4) first_ = image[0] / 2 * height * width;
  step_ = (std::max(height, width) + kPanelSide - 1) / kPanelSide;
  rows_ = (height + step_ - 1) / step_;
  columns_ = (width + step_ - 1) / step_;
}

template <class At>
void SamplePicture::add(At&& colour_at) {
  const std::int64_t width = image_[image_.rank() - 2];
  Panel panel;
  for (std::int64_t r = 0; r < rows_; ++r)
    for (std::int64_t c = 0; c < columns_; ++c)
      panel.push_back(colour_at(first_ + r * step_ * width + c * step_));
  panels_.push_back(std::move(panel));
}

const float* SamplePicture::values_of(const ConstView& image) const {
  require(image.dtype == DType::f32 && image.shape == image_, "a panel of shape ",
          to_string(image.shape), " in a picture of shape ", to_string(image_));
  return image.as<float>();
}

GreyRange SamplePicture::range_of(const ConstView& image) const {
  const float* const values = values_of(image);
  const std::int64_t pixels = image_[image_.rank() - 3] * image_[image_.rank() - 2];
  std::vector<float> finite;
  for (std::int64_t p = first_; p < first_ + pixels; ++p)
    if (const float value = values[p * image_.back()]; std::isfinite(value))
      finite.push_back(value);
  if (finite.empty()) return {};
  GreyRange range{quantile_linear(finite, 0.01), quantile_linear(finite, 0.99)};
  if (range.white > range.black) return range;
  const auto [least, most] = std::ranges::minmax(finite);
  range = {static_cast<double>(least), static_cast<double>(most)};
  if (!(range.white > range.black)) range.white = range.black + 1;
  return range;
}

void SamplePicture::add_image(const ConstView& image, const GreyRange& range) {
  const float* const values = values_of(image);
  add([&](std::int64_t p) {
    const auto value = static_cast<double>(values[p * image_.back()]);
    return index_of_grey((value - range.black) / (range.white - range.black));
  });
}

void SamplePicture::add_difference(const ConstView& a, const ConstView& b, const GreyRange& range) {
  const float *const of_a = values_of(a), *const of_b = values_of(b);
  add([&](std::int64_t p) {
    const std::int64_t i = p * image_.back();
    const double difference = std::abs(static_cast<double>(of_a[i]) - static_cast<double>(of_b[i]));
    return index_of_grey(2 * difference / (range.white - range.black));
  });
}

void SamplePicture::add_classes(const std::function<std::uint8_t(std::int64_t pixel)>& class_at) {
  add([&](std::int64_t p) { return index_of_class(class_at(p)); });
}

std::string SamplePicture::png() const {
  const auto n = std::ssize(panels_);
  require(n > 0, "a picture without a panel");
  const std::int64_t width = n * columns_ + (n - 1) * kPanelGap;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(rows_ * width), kWhite);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t r = 0; r < rows_; ++r)
      std::copy_n(panels_[static_cast<std::size_t>(i)].begin() + r * columns_, columns_,
                  pixels.begin() + r * width + i * (columns_ + kPanelGap));
  return palette_png(pixels, static_cast<int>(width), static_cast<int>(rows_), palette());
}

}  // namespace ratnet::inline v1
