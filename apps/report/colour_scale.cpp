#include "colour_scale.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {
namespace {

Colour mix(Colour from, Colour to, double share) {
  const auto channel = [share](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + share * (b - a)));
  };
  return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue)};
}

}  // namespace

Colour colour_of(double probability, double threshold) {
  const double p = std::clamp(probability, 0.0, 1.0);
  if (p < threshold) return mix({238, 243, 248}, {158, 192, 217}, p / threshold);
  const double share = threshold < 1 ? (p - threshold) / (1 - threshold) : 1.0;
  if (share < 0.5) return mix({238, 138, 44}, {196, 66, 10}, share * 2);
  return mix({196, 66, 10}, {110, 14, 16}, share * 2 - 1);
}

}  // namespace ratnet::inline v1
