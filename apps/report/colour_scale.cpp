#include "colour_scale.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ratnet::inline v1 {
namespace {

Colour mix(Colour from, Colour to, double share) {
  const auto channel = [share](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + share * (b - a)));
  };
  return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue)};
}

// A linear channel in [0, 1] as sRGB (IEC 61966-2-1).
std::uint8_t encoded(double linear) {
  const double x = std::clamp(linear, 0.0, 1.0);
  const double y = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * y));
}

}  // namespace

Colour colour_of(double probability, double threshold) {
  const double p = std::clamp(probability, 0.0, 1.0);
  if (p < threshold) return mix({238, 243, 248}, {158, 192, 217}, p / threshold);
  const double share = threshold < 1 ? (p - threshold) / (1 - threshold) : 1.0;
  if (share < 0.5) return mix({238, 138, 44}, {196, 66, 10}, share * 2);
  return mix({196, 66, 10}, {110, 14, 16}, share * 2 - 1);
}

Colour heat_of(double share) {
  const double at = std::clamp(share, 0.0, 1.0);
  const double lightness = 0.50 + 0.43 * at, chroma = 0.19 - 0.05 * at;
  const double hue = (15 + 90 * at) * std::numbers::pi / 180;
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

}  // namespace ratnet::inline v1
