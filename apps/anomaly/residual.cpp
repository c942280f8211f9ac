#include "residual.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "../../core/error.h"
#include "../../imaging/ssim_map.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::array<std::string_view, 4> kNames{"positive", "absolute", "negative", "ssim"};

}  // namespace

std::string_view name_of(Residual residual) { return kNames[static_cast<std::size_t>(residual)]; }

Residual parse_residual(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  require(found != kNames.end(), "unknown residual '", name,
          "': use positive, absolute, negative or ssim");
  return static_cast<Residual>(found - kNames.begin());
}

float departure(Residual residual, float difference) {
  if (residual == Residual::positive) return std::max(difference, 0.0f);
  if (residual == Residual::negative) return std::max(-difference, 0.0f);
  return std::abs(difference);
}

void residual_map(Residual residual, std::span<const float> image, std::span<const float> expected,
                  std::int64_t rows, std::int64_t columns, std::span<float> result) {
  require(static_cast<std::int64_t>(image.size()) == rows * columns &&
              expected.size() == image.size() && result.size() == image.size(),
          "residual: ", image.size(), ", ", expected.size(), " and ", result.size(), " values of ",
          rows, " x ", columns, " pixels");
  if (residual == Residual::ssim) {
    ssim_map(image, expected, rows, columns, kBrightest, result);
    for (float& value : result) value = 1 - value;
    return;
  }
  for (std::size_t i = 0; i < image.size(); ++i)
    result[i] = departure(residual, image[i] - expected[i]);
}

}  // namespace ratnet::inline v1
