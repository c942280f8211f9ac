// What the colours of the map mean.
#pragma once

#include <string>

#include "canvas.h"
#include "colour_scale.h"

namespace ratnet::inline v1 {

constexpr int kLegendWidth = 170;
constexpr Font kTick{.size = 12, .colour = kFaintInk};
constexpr Font kHeading{.size = 13};

// One number by a printf format, such as "%.3g".
std::string format(const char* how, double value);

// Height in pixels of the legend, with or without its line on empty slices.
int legend_height(bool with_empty);

// The colour bar with the threshold marked, its left edge at x (its numbers stand left of it).
void draw_legend(Canvas& canvas, double threshold, double x, double y, bool with_empty);

}  // namespace ratnet::inline v1
