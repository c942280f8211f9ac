// The median filter, which takes away what is smaller than half of its window and keeps edges.
#pragma once

#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

// Each pixel becomes the median of the `window` x `window` pixels (odd, 1 to 255) around it; beyond
// the border lies the border's value. image and result: [rows, columns], not the same memory. A
// moving histogram (Huang, Yang and Tang, 1979) of the values' ranks, so exact for floats too, in
// time proportional to the window's edge. Throws Error (usage) for other sizes or windows, and for
// more than 2^25 pixels with a margin of half a window.
void median_filter(std::span<const float> image, std::int64_t rows, std::int64_t columns,
                   std::int64_t window, std::span<float> result);

}  // namespace ratnet::inline v1
