// Where a picture parts into dark and bright.
#pragma once

#include <span>

namespace ratnet::inline v1 {

// The level that leaves the least variance within the values below and above it (Otsu, IEEE Trans.
// Systems, Man, and Cybernetics 9, 1979), by a histogram of 256 bins from `low` to `high`; values
// beyond count in the outermost bins; all must be finite. Throws Error (usage) unless low < high,
// both finite.
double otsu_threshold(std::span<const float> values, double low, double high);

}  // namespace ratnet::inline v1
