#include "empty.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {

bool is_empty_slice(std::span<const float> slice) {
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto first = std::find_if(slice.begin(), slice.end(), finite);
  return std::all_of(first, slice.end(),
                     [&](float value) { return !std::isfinite(value) || value == *first; });
}

}  // namespace ratnet::inline v1
