// The pixels of a PNG with a palette and no filter (ISO/IEC 15948), to see what was drawn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <zlib.h>

#include "../../imaging/colour.h"
#include "../catch.h"

namespace ratnet::testing {

struct DrawnPicture {
  std::int64_t width = 0, height = 0;
  std::vector<Colour> pixels;
  Colour at(std::int64_t row, std::int64_t column) const {
    return pixels[static_cast<std::size_t>(row * width + column)];
  }
};

inline DrawnPicture read_palette_png(const std::string& png) {
  const auto u8 = [&](std::size_t i) { return static_cast<unsigned char>(png.at(i)); };
  const auto u32 = [&](std::size_t i) {
    return std::size_t{u8(i)} << 24 | std::size_t{u8(i + 1)} << 16 | std::size_t{u8(i + 2)} << 8 |
           u8(i + 3);
  };
  DrawnPicture picture{static_cast<std::int64_t>(u32(16)), static_cast<std::int64_t>(u32(20)), {}};
  REQUIRE(u8(24) == 8);
  REQUIRE(u8(25) == 3);
  std::vector<Colour> palette;
  const auto row = static_cast<std::size_t>(picture.width + 1);
  std::vector<unsigned char> indices(row * static_cast<std::size_t>(picture.height));
  for (std::size_t at = 8; at + 12 <= png.size(); at += 12 + u32(at)) {
    const std::string type = png.substr(at + 4, 4);
    if (type == "PLTE")
      for (std::size_t i = at + 8; i < at + 8 + u32(at); i += 3)
        palette.push_back({u8(i), u8(i + 1), u8(i + 2)});
    if (type != "IDAT") continue;
    uLongf size = indices.size();
    REQUIRE(uncompress(indices.data(), &size,
                       reinterpret_cast<const unsigned char*>(png.data()) + at + 8,
                       u32(at)) == Z_OK);
    REQUIRE(size == indices.size());
  }
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (i % row == 0)
      REQUIRE(indices[i] == 0);  // no filter
    else
      picture.pixels.push_back(palette.at(indices[i]));
  }
  return picture;
}

}  // namespace ratnet::testing
