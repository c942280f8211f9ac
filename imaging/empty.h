// Slices without a picture: padding, or lost in reconstruction.
#pragma once

#include <span>

namespace ratnet::inline v1 {

// True when all pixels have the same value (zero or another) or none is finite. Such a slice is
// reported as empty, never judged.
bool is_empty_slice(std::span<const float> slice);

}  // namespace ratnet::inline v1
