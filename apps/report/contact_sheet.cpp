#include "contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "../../core/error.h"
#include "canvas.h"
#include "colour_scale.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kBox = 120;  // the longer side of a thumbnail
constexpr int kPairGap = 3;
constexpr int kItemGap = 22;
constexpr int kHeading = 30;
constexpr int kCaption = 46;

struct Grid {
  int item_width = 0;
  int columns = 0;
  int rows = 0;
};

Grid grid_of(std::span<const SliceThumbnail> slices, int width) {
  const bool pairs = std::any_of(slices.begin(), slices.end(),
                                 [](const SliceThumbnail& s) { return !s.reference.empty(); });
  Grid grid;
  grid.item_width = pairs ? 2 * kBox + kPairGap : 150;
  grid.columns = std::max(1, (width + kItemGap) / (grid.item_width + kItemGap));
  const int count = static_cast<int>(std::min(slices.size(), kMostThumbnails));
  grid.rows = (count + grid.columns - 1) / grid.columns;
  return grid;
}

void check(const SliceThumbnail& s) {
  const auto count = static_cast<std::size_t>(std::max(s.width, 0)) *
                     static_cast<std::size_t>(std::max(s.height, 0));
  require(
      count > 0 && s.pixels.size() == count && (s.reference.empty() || s.reference.size() == count),
      "a thumbnail of ", s.width, " x ", s.height, " with ", s.pixels.size(), " and ",
      s.reference.size(), " pixels");
  require(s.pixel_aspect > 0 && std::isfinite(s.pixel_aspect), "a pixel aspect of ",
          s.pixel_aspect);
}

// The image in the middle of the box at (x, y), its proportions kept.
void draw_grey(Canvas& canvas, double x, double y, const SliceThumbnail& s,
               std::span<const std::uint8_t> grey) {
  std::vector<Colour> pixels;
  pixels.reserve(grey.size());
  for (const std::uint8_t value : grey) pixels.push_back({value, value, value});
  const double tall = s.height * s.pixel_aspect;
  const double scale = kBox / std::max<double>(s.width, tall);
  const double width = std::max(1.0, std::round(s.width * scale));
  const double height = std::max(1.0, std::round(tall * scale));
  canvas.rectangle(x, y, kBox, kBox, {0, 0, 0});
  canvas.image(x + std::floor((kBox - width) / 2), y + std::floor((kBox - height) / 2), width,
               height, pixels, s.width, s.height);
}

}  // namespace

int contact_sheet_height(std::span<const SliceThumbnail> slices, int width) {
  return slices.empty() ? 0 : kHeading + grid_of(slices, width).rows * (kBox + kCaption);
}

void draw_contact_sheet(Canvas& canvas, double x, double y, int width,
                        std::span<const SliceThumbnail> slices) {
  if (slices.empty()) return;
  const Grid grid = grid_of(slices, width);
  const auto shown = slices.first(std::min(slices.size(), kMostThumbnails));
  const bool pairs = grid.item_width > kBox + kItemGap + 10;
  const Font heading{.size = 15, .bold = true};
  canvas.text(x, y + 14,
              shortened(canvas,
                        pairs ? "Most probable dark slices, each beside the same slice as it "
                                "usually looks"
                              : "Most probable dark slices",
                        heading, width),
              heading);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const SliceThumbnail& s = shown[i];
    check(s);
    const auto columns = static_cast<std::size_t>(grid.columns);
    const std::size_t column = i % columns, row = i / columns;
    const double left = x + static_cast<double>(column) * (grid.item_width + kItemGap);
    const double top = y + kHeading + static_cast<double>(row) * (kBox + kCaption);
    draw_grey(canvas, left, top, s, s.pixels);
    if (!s.reference.empty()) draw_grey(canvas, left + kBox + kPairGap, top, s, s.reference);
    char caption[96];
    std::snprintf(caption, sizeof caption, "volume %lld, slice %lld",
                  static_cast<long long>(s.volume), static_cast<long long>(s.slice));
    canvas.text(left, top + kBox + 15, caption, {.size = 12});
    std::snprintf(caption, sizeof caption, "probability %.3f", s.probability);
    canvas.text(left, top + kBox + 30, caption, {.size = 12, .colour = kFaintInk});
  }
}

}  // namespace ratnet::inline v1
