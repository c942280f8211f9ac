// A colour of a picture.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  bool operator==(const Colour&) const = default;
};

}  // namespace ratnet::inline v1
