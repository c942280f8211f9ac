#include "map_legend.h"

#include <cmath>
#include <cstdio>
#include <vector>

namespace ratnet::inline v1 {
namespace {

constexpr int kBarWidth = 22;
constexpr int kBarHeight = 150;

}  // namespace

std::string format(const char* how, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, how, value);
  return buffer;
}

int legend_height(bool with_empty) { return 42 + kBarHeight + (with_empty ? 54 : 26); }

void draw_legend(Canvas& canvas, double threshold, double x, double y, bool with_empty) {
  canvas.text(x, y + 11, "probability that the", kHeading);
  canvas.text(x, y + 27, "slice lost signal", kHeading);
  const double top = y + 42;
  std::vector<Colour> bar;
  for (int row = 0; row < kBarHeight; ++row)
    bar.insert(bar.end(), kBarWidth, colour_of(1 - (row + 0.5) / kBarHeight, threshold));
  canvas.image(x, top, kBarWidth, kBarHeight, bar, kBarWidth, kBarHeight);
  canvas.frame(x, top, kBarWidth, kBarHeight, kGrid);

  const double middle = top + kBarHeight / 2.0;
  canvas.text(x - 7, top + 8, "1", kTick, Align::right);
  canvas.text(x - 7, middle + 4, "0.5", kTick, Align::right);
  canvas.text(x - 7, top + kBarHeight, "0", kTick, Align::right);
  const double at = top + std::round(kBarHeight * (1 - threshold));
  canvas.line(x, at, x + kBarWidth + 7, at, kInk, 2);
  canvas.text(x + kBarWidth + 12, at + 4, "threshold " + format("%.3g", threshold),
              {.size = 13, .bold = true});
  canvas.text(x + kBarWidth + 12, at + 20, "dark from here up", kTick);

  if (!with_empty) return;
  std::vector<Colour> swatch;
  for (int row = 0; row < 18; ++row)
    for (int column = 0; column < kBarWidth; ++column)
      swatch.push_back(on_hatch(column, row) ? kEmptyHatch : kEmpty);
  const double swatch_y = top + kBarHeight + 30;
  canvas.image(x, swatch_y, kBarWidth, 18, swatch, kBarWidth, 18);
  canvas.frame(x, swatch_y, kBarWidth, 18, kGrid);
  canvas.text(x + kBarWidth + 8, swatch_y + 13, "not judged", kTick);
}

}  // namespace ratnet::inline v1
