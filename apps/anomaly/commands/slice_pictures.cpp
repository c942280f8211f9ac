#include "slice_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "../../../core/error.h"
#include "../../../imaging/png.h"
#include "../../report/colour_scale.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kWhite = 1.2;

// Steps of the overlay: 0 is clear.
std::uint8_t step(double share, int steps) {
  if (!(share > 0)) return 0;  // NaN too
  return static_cast<std::uint8_t>(std::lround(std::min(share, 1.0) * steps));
}

template <class Join>
std::vector<float> halved(std::span<const float> image, std::int64_t side, Join&& join) {
  require(side >= 2 && static_cast<std::int64_t>(image.size()) == side * side, "half of ",
          image.size(), " pixels as ", side, " x ", side);
  const auto n = static_cast<std::size_t>(side), half = n / 2;
  std::vector<float> result;
  for (std::size_t y = 0; y < half; ++y)
    for (std::size_t x = 0; x < half; ++x) {
      const float* at = image.data() + 2 * y * n + 2 * x;
      result.push_back(join(at[0], at[1], at[n], at[n + 1]));
    }
  return result;
}

}  // namespace

std::string slice_png(std::span<const float> image, std::int64_t side) {
  std::vector<std::uint8_t> pixels;
  for (const float value : image) pixels.push_back(step(static_cast<double>(value) / kWhite, 255));
  return grey_png(pixels, static_cast<int>(side), static_cast<int>(side));
}

std::string overlay_png(std::span<const float> map, std::int64_t side, double threshold) {
  constexpr int kSteps = 63;
  if (!(threshold > 0) || !std::isfinite(threshold)) return "";
  std::vector<std::uint8_t> pixels;
  for (const float value : map) {
    const double thresholds = static_cast<double>(value) / threshold;
    const double share = (thresholds - 1) / (kOverlayTop - 1);
    pixels.push_back(thresholds >= 1 ? std::max<std::uint8_t>(step(share, kSteps), 1) : 0);
  }
  if (std::ranges::all_of(pixels, [](std::uint8_t pixel) { return pixel == 0; })) return "";
  std::array<PaletteColour, kSteps + 1> palette{{{{}, 0}}};
  for (std::size_t i = 1; i <= kSteps; ++i)
    palette[i].colour = heat_of(static_cast<double>(i - 1) / (kSteps - 1));
  return palette_png(pixels, static_cast<int>(side), static_cast<int>(side), palette);
}

Crop crop_to_brain(const PreparedSubject& subject) {
  constexpr std::int64_t n = kJudgedSize, kAir = 4;
  std::int64_t top = n, left = n, bottom = -1, right = -1;
  const auto brain = subject.brain.values<std::uint8_t>();
  for (std::size_t i = 0; i < brain.size(); ++i) {
    if (!brain[i]) continue;
    const auto pixel = static_cast<std::int64_t>(i) % (n * n);
    top = std::min(top, pixel / n);
    bottom = std::max(bottom, pixel / n);
    left = std::min(left, pixel % n);
    right = std::max(right, pixel % n);
  }
  if (bottom < 0) return {};
  const std::int64_t longer = std::max(bottom - top, right - left) + 1 + 2 * kAir;
  const std::int64_t side = std::min(n, longer + longer % 2);
  const auto start = [&](std::int64_t first, std::int64_t last) {
    return std::clamp<std::int64_t>((first + last + 1 - side) / 2, 0, n - side);
  };
  return {start(top, bottom), start(left, right), side};
}

std::vector<float> cropped(std::span<const float> image, const Crop& crop) {
  require(static_cast<std::int64_t>(image.size()) == kJudgedSize * kJudgedSize, "a crop of ",
          image.size(), " pixels");
  std::vector<float> result;
  for (std::int64_t y = crop.row; y < crop.row + crop.side; ++y) {
    const auto row = image.subspan(static_cast<std::size_t>(y * kJudgedSize + crop.column),
                                   static_cast<std::size_t>(crop.side));
    result.insert(result.end(), row.begin(), row.end());
  }
  return result;
}

std::vector<float> half_mean(std::span<const float> image, std::int64_t side) {
  return halved(image, side,
                [](float a, float b, float c, float d) { return (a + b + c + d) / 4; });
}

std::vector<float> half_highest(std::span<const float> map, std::int64_t side) {
  return halved(map, side, [](float a, float b, float c, float d) {
    return std::max(std::max(a, b), std::max(c, d));
  });
}

}  // namespace ratnet::inline v1
