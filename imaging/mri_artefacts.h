// What an MRI scanner does to a picture: shading, blur, thick voxels, ghosts, noise. Each function
// changes the voxels of one scan in place: f32 [D, H, W], D 1 for an image. Nothing happens along
// an axis of one voxel. All throw Error (usage) for parameters out of range and for spans of
// another size than the scan's.
#pragma once

#include <span>
#include <vector>

#include "../core/image_grid.h"
#include "../core/random.h"

namespace ratnet::inline v1 {

// Cosines of the bias field up to this order: cos(pi i (d + 1/2) / D) cos(pi j ...) cos(pi k ...)
// with 1 <= i + j + k <= order.
std::int64_t bias_field_terms(const Size3& size, int order);

// Times exp(b), b the sum of those cosines, each scaled to a mean square of 1 and weighted by its
// coefficient, i slowest (the bias of Ashburner and Friston, NeuroImage 26, 2005). order: 1 to 8.
void multiply_bias_field(std::span<float> scan, const Size3& size, int order,
                         std::span<const double> coefficients);

// low + (high - low) * ((x - low) / (high - low))^gamma between the scan's least and largest value.
// A scan of one value stays as it is. gamma: above 0.
void change_gamma(std::span<float> scan, double gamma);

// Convolution with a Gaussian of `sigma` voxels (0 to 64) along each axis, cut at 4 sigma; beyond
// the border lies the border's value.
void blur_gaussian(std::span<float> scan, const Size3& size, double sigma);

// As if taken with voxels `factor` (1 to 64) times as long along `axis`: means over
// max(1, round(n / factor)) equal voxels, interpolated linearly back to n.
void lower_resolution(std::span<float> scan, const Size3& size, std::size_t axis, double factor);

// Ghosts along the phase-encode `axis`: the phase of k-space line k is off by
// phase * cos(2 pi k / period), as by a movement of that period (Wood and Henkelman, Medical
// Physics 12, 1985) or, for a period of 2, by the difference of odd and even echoes of EPI (N/2
// ghosts; Bruder and others, MRM 23, 1992). In the image these are `period` (2 to 16) weighted
// copies, n / period voxels apart, going round; the result is their magnitude. phase: radians.
// Where the period does not divide n, copies between voxels are interpolated linearly.
void add_ghosts(std::span<float> scan, const Size3& size, std::size_t axis, int period,
                double phase);

// x + normal noise of this deviation.
void add_gaussian_noise(std::span<float> scan, double deviation, Random& random);

// |x + complex normal noise of this deviation in each part|: the noise of magnitude images
// (Gudbjartsson and Patz, MRM 34, 1995).
void add_rician_noise(std::span<float> scan, double deviation, Random& random);

}  // namespace ratnet::inline v1
