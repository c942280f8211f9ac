// Thumbnails of the most probable dark slices, each beside what the slice usually looks like.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

class Canvas;

struct SliceThumbnail {
  std::int64_t volume = 0;
  std::int64_t slice = 0;
  double probability = 0;
  int width = 0;
  int height = 0;
  double pixel_aspect = 1;             // height of a pixel over its width
  std::vector<std::uint8_t> pixels{};  // [height, width] grey
  // The same slice when it is well (median over time, or a neighbour in time), in the same grey
  // window; empty where there is none.
  std::vector<std::uint8_t> reference{};  // [height, width] grey
};

constexpr std::size_t kMostThumbnails = 12;

// Height in pixels that draw_contact_sheet takes at this width for the first kMostThumbnails.
int contact_sheet_height(std::span<const SliceThumbnail> slices, int width);

// Draws them in rows from (x, y) on. Throws Error (usage) when a thumbnail's sizes do not agree.
void draw_contact_sheet(Canvas& canvas, double x, double y, int width,
                        std::span<const SliceThumbnail> slices);

}  // namespace ratnet::inline v1
