#include "map_raster.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "colour_scale.h"

namespace ratnet::inline v1 {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// [rows.pixels, columns.pixels]: the highest probability in each pixel, NaN where all are empty.
std::vector<float> worst_in_pixels(const SliceMap& map, const Cells& columns, const Cells& rows) {
  std::vector<float> worst(
      static_cast<std::size_t>(columns.pixels) * static_cast<std::size_t>(rows.pixels), kNaN);
  std::size_t at = 0;
  for (int y = 0; y < rows.pixels; ++y)
    for (int x = 0; x < columns.pixels; ++x, ++at)
      for (std::int64_t v = columns.first(x); v < columns.last(x); ++v)
        for (std::int64_t s = rows.first(y); s < rows.last(y); ++s) {
          const float p = map.probability[static_cast<std::size_t>(v * map.slices + s)];
          if (!(p <= worst[at]) && !std::isnan(p)) worst[at] = p;
        }
  return worst;
}

}  // namespace

Cells volume_cells(std::int64_t volumes) {
  constexpr int kComfortable = 900, kWidest = 1400, kNarrowest = 200;
  if (volumes > kWidest) return {volumes, kWidest};
  const int n = static_cast<int>(volumes);
  const int size = n <= kComfortable / 2 ? std::min(48, kComfortable / n) : kWidest / n;
  return {volumes, n * std::max(size, kNarrowest / n)};
}

Cells slice_cells(std::int64_t slices) {
  constexpr int kComfortable = 360, kTallest = 900;
  if (slices > kTallest) return {slices, kTallest};
  const int n = static_cast<int>(slices);
  if (n == 1) return {1, 40};
  return {slices, n * std::clamp(kComfortable / n, std::min(5, kTallest / n), 24)};
}

std::vector<Colour> map_pixels(const SliceMap& map, const Cells& columns, const Cells& rows) {
  const std::vector<float> worst = worst_in_pixels(map, columns, rows);
  const auto is_dark = [&](float p) { return static_cast<double>(p) >= map.threshold; };
  std::vector<Colour> pixels(worst.size());
  for (int y = 0; y < rows.pixels; ++y)
    for (int x = 0; x < columns.pixels; ++x) {
      const auto at = static_cast<std::size_t>(y) * static_cast<std::size_t>(columns.pixels) +
                      static_cast<std::size_t>(x);
      float p = worst[at];
      // A dark slice narrower than three pixels borrows from its neighbours that are not dark.
      if (columns.size() < 3 && !is_dark(p)) {
        if (x > 0 && is_dark(worst[at - 1])) p = worst[at - 1];
        if (x + 1 < columns.pixels && is_dark(worst[at + 1])) p = worst[at + 1];
      }
      if ((columns.gapped() && x % columns.size() == columns.size() - 1) ||
          (rows.gapped() && y % rows.size() == rows.size() - 1))
        pixels[at] = {255, 255, 255};
      else if (std::isnan(p))
        pixels[at] = on_hatch(x, y) ? kEmptyHatch : kEmpty;
      else
        pixels[at] = colour_of(p, map.threshold);
    }
  return pixels;
}

}  // namespace ratnet::inline v1
