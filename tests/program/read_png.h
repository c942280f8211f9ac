// Pictures as pixels, to see what was drawn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <cairo.h>

#include "../../apps/report/canvas.h"
#include "../catch.h"

namespace ratnet {

struct Picture {
  int width = 0;
  int height = 0;
  std::vector<Colour> pixels;
  Colour at(int x, int y) const {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
};

inline Picture read_png(const std::string& path) {
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      cairo_image_surface_create_from_png(path.c_str()), cairo_surface_destroy);
  REQUIRE(cairo_surface_status(surface.get()) == CAIRO_STATUS_SUCCESS);
  Picture picture{cairo_image_surface_get_width(surface.get()),
                  cairo_image_surface_get_height(surface.get()),
                  {}};
  const unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      const auto* pixel = reinterpret_cast<const std::uint32_t*>(data + y * stride) + x;
      picture.pixels.push_back({static_cast<std::uint8_t>(*pixel >> 16),
                                static_cast<std::uint8_t>(*pixel >> 8),
                                static_cast<std::uint8_t>(*pixel)});
    }
  return picture;
}

inline int count_of(const std::vector<Colour>& pixels, Colour colour) {
  return static_cast<int>(std::count(pixels.begin(), pixels.end(), colour));
}

}  // namespace ratnet
