// Small pictures as PNG in memory (ISO/IEC 15948).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "colour.h"

namespace ratnet::inline v1 {

struct PaletteColour {
  Colour colour;
  std::uint8_t opacity = 255;  // 0: nothing of it shows
};

// pixels: [height, width]. Throws Error (usage) for another number of them, and sides outside of
// 1..16384.
std::string grey_png(std::span<const std::uint8_t> pixels, int width, int height);

// pixels: [height, width], which of the 1 to 256 colours each has. Throws as above, and for a pixel
// beyond the palette.
std::string palette_png(std::span<const std::uint8_t> pixels, int width, int height,
                        std::span<const PaletteColour> palette);

}  // namespace ratnet::inline v1
