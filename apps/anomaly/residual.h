// How far an image lies from what it was expected to be.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ratnet::inline v1 {

enum class Residual : std::uint8_t {
  positive,  // brighter than expected: max(image - expected, 0)
  absolute,  // |image - expected|
  negative,  // darker: max(expected - image, 0)
  ssim,      // unlike in structure: 1 - SSIM (imaging/ssim_map.h)
};
std::string_view name_of(Residual residual);
// Throws Error (usage) with the known names for any other.
Residual parse_residual(std::string_view name);

// The largest value that prepared images have.
constexpr double kBrightest = 1.6;

// image, expected, result: [rows, columns]; higher is more unusual. Throws Error (usage) for other
// sizes.
void residual_map(Residual residual, std::span<const float> image, std::span<const float> expected,
                  std::int64_t rows, std::int64_t columns, std::span<float> result);

// Of a difference "image - expected" that stands alone, in any unit, and so has no structure: ssim
// is |difference|, too.
float departure(Residual residual, float difference);

}  // namespace ratnet::inline v1
