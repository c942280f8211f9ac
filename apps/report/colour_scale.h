// Colours of the map: below the threshold calm pale blues, from it on strong oranges to dark red.
// Blue against orange, and lightness falling all the way, read the same with any colour vision and
// in print.
#pragma once

#include "canvas.h"

namespace ratnet::inline v1 {

constexpr Colour kInk{30, 34, 40};
constexpr Colour kFaintInk{95, 102, 112};
constexpr Colour kGrid{214, 218, 224};
constexpr Colour kStrong{196, 66, 10};   // one dark slice, where there is no probability
constexpr Colour kLine{52, 101, 145};    // a curve
constexpr Colour kEmpty{226, 226, 226};  // an empty slice, and the lines hatched over it
constexpr Colour kEmptyHatch{158, 158, 158};

// probability and threshold in [0, 1].
Colour colour_of(double probability, double threshold);

// From dark red over orange to pale yellow in equal steps of lightness as it is seen (Oklab:
// Ottosson, A perceptual color space for image processing, 2020), so that it reads on grey images
// with any colour vision. share in [0, 1].
Colour heat_of(double share);

// Whether the pixel at (x, y) of an empty slice lies on a line of its hatching.
constexpr bool on_hatch(int x, int y) { return (x + y) % 6 == 0; }

}  // namespace ratnet::inline v1
