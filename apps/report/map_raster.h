// The cells of the map as pixels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "canvas.h"
#include "map_png.h"

namespace ratnet::inline v1 {

// How many cells lie on how many pixels along one side.
struct Cells {
  std::int64_t count = 1;
  int pixels = 1;

  int size() const { return static_cast<int>(pixels / count); }  // 0: several to a pixel
  bool gapped() const { return size() >= 8; }                    // a white line between cells
  // The cells first..last-1 that pixel p shows.
  std::int64_t first(int p) const { return p * count / pixels; }
  std::int64_t last(int p) const {
    return std::max(first(p) + 1, (static_cast<std::int64_t>(p) + 1) * count / pixels);
  }
  // Position of the middle of a cell, in pixels.
  double centre(double cell) const { return (cell + 0.5) * pixels / static_cast<double>(count); }
};

Cells volume_cells(std::int64_t volumes);
Cells slice_cells(std::int64_t slices);

// [rows.pixels, columns.pixels]: the worst slice of those that share a pixel, in its colour; empty
// slices hatched; dark slices at least three pixels wide.
std::vector<Colour> map_pixels(const SliceMap& map, const Cells& columns, const Cells& rows);

}  // namespace ratnet::inline v1
