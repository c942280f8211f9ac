// The structural similarity of two images, pixel by pixel.
#pragma once

#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

// SSIM (Wang, Bovik, Sheikh and Simoncelli, 2004) at every pixel: -1 to 1, 1 where the images are
// the same. Gaussian window of 11 x 11 pixels, sigma 1.5, over whose part inside the image the
// weights add up to 1; C1 = (0.01 L)^2 and C2 = (0.03 L)^2 for the data range L. a, b and result:
// [rows, columns]. Throws Error (usage) for other sizes or a range that is not above 0.
void ssim_map(std::span<const float> a, std::span<const float> b, std::int64_t rows,
              std::int64_t columns, double data_range, std::span<float> result);

}  // namespace ratnet::inline v1
