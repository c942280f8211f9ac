#include "augment_intensity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mri_artefacts.h"

namespace ratnet::inline v1 {
namespace {

double root_mean_square(std::span<const float> scan) {
  double sum = 0;
  for (const float value : scan) sum += static_cast<double>(value) * value;
  return std::sqrt(sum / static_cast<double>(scan.size()));
}

// All coefficients are drawn whether the field is wanted or not.
std::vector<double> draw_bias(const IntensityAugmentation& options, const Size3& size,
                              Random& random) {
  const bool wanted = random.chance(options.bias_chance) && options.bias > 0;
  const double strength = random.uniform(0, options.bias);
  std::vector<double> coefficients(
      static_cast<std::size_t>(bias_field_terms(size, options.bias_order)));
  const double deviation =
      strength / std::sqrt(static_cast<double>(std::max<std::size_t>(1, coefficients.size())));
  for (double& coefficient : coefficients) coefficient = random.normal(0, deviation);
  if (!wanted) coefficients.clear();
  return coefficients;
}

void change_channel(const IntensityAugmentation& options, std::span<float> scan, const Size3& size,
                    std::span<const double> bias, Random& random) {
  const double level = root_mean_square(scan);
  const bool other_gamma = random.chance(options.gamma_chance) && options.gamma > 1;
  const double most = std::log(options.gamma);
  const double gamma = std::exp(random.uniform(-most, most));
  if (other_gamma) change_gamma(scan, gamma);

  if (!bias.empty()) multiply_bias_field(scan, size, options.bias_order, bias);

  const bool blurred = random.chance(options.blur_chance) && options.blur > 0;
  const double sigma = random.uniform(0, options.blur);
  if (blurred) blur_gaussian(scan, size, sigma);

  const bool coarse = random.chance(options.low_resolution_chance) && options.low_resolution > 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double factor = random.uniform(1, options.low_resolution);
    if (coarse) lower_resolution(scan, size, axis, factor);
  }

  const bool ghosted = random.chance(options.ghosts_chance) && options.ghosts > 0;
  const auto period = static_cast<int>(2 + random.integer(options.ghost_period - 1));
  const double phase = random.uniform(0, options.ghosts);
  if (ghosted) add_ghosts(scan, size, static_cast<std::size_t>(options.ghost_axis), period, phase);

  const bool rician = random.chance(options.rician_noise_chance) && options.rician_noise > 0;
  const double rician_noise = random.uniform(0, options.rician_noise);
  if (rician) add_rician_noise(scan, rician_noise * level, random);

  const bool gaussian = random.chance(options.gaussian_noise_chance) && options.gaussian_noise > 0;
  const double gaussian_noise = random.uniform(0, options.gaussian_noise);
  if (gaussian) add_gaussian_noise(scan, gaussian_noise * level, random);

  const double scale = random.uniform(1 - options.scale, 1 + options.scale);
  const double offset = random.uniform(-options.offset, options.offset) * level;
  if (options.scale > 0 || options.offset > 0)
    for (float& value : scan) value = static_cast<float>(value * scale + offset);
}

}  // namespace

bool IntensityAugmentation::any() const {
  return gamma > 1 || bias > 0 || blur > 0 || low_resolution > 1 || ghosts > 0 ||
         rician_noise > 0 || gaussian_noise > 0 || scale > 0 || offset > 0;
}

void check_augmentation(const IntensityAugmentation& options) {
  const auto within = [](const char* name, double value, double low, double high) {
    require(value >= low && value <= high, "augmentation: ", name, " must be ", low, " to ", high,
            ", got ", value);
  };
  within("gamma", options.gamma, 1, 16);
  within("bias", options.bias, 0, 4);
  within("bias_order", options.bias_order, 1, 8);
  within("blur", options.blur, 0, 64);
  within("low_resolution", options.low_resolution, 1, 64);
  within("ghosts", options.ghosts, 0, 4);
  within("ghost_period", options.ghost_period, 2, 16);
  within("ghost_axis", options.ghost_axis, 0, 2);
  within("rician_noise", options.rician_noise, 0, 100);
  within("gaussian_noise", options.gaussian_noise, 0, 100);
  within("scale", options.scale, 0, 0.999);
  within("offset", options.offset, 0, 100);
  within("gamma_chance", options.gamma_chance, 0, 1);
  within("bias_chance", options.bias_chance, 0, 1);
  within("blur_chance", options.blur_chance, 0, 1);
  within("low_resolution_chance", options.low_resolution_chance, 0, 1);
  within("ghosts_chance", options.ghosts_chance, 0, 1);
  within("rician_noise_chance", options.rician_noise_chance, 0, 1);
  within("gaussian_noise_chance", options.gaussian_noise_chance, 0, 1);
}

void augment_intensity(const IntensityAugmentation& options, const View& image, Random& random) {
  const ImageGrid grid = image_grid("augment_intensity", image);
  const auto voxels = static_cast<std::size_t>(grid.voxels());
  float* values = image.as<float>();
  if (options.ghosts > 0 || options.rician_noise > 0) {
    const float least = *std::min_element(values, values + image.count());
    if (least < 0)
      fail(ErrorKind::input,
           "augment_intensity: ghosts and Rician noise are of magnitudes, and the ",
           "image has a value of ", least, "; normalise it afterwards, or turn both off");
  }
  const std::vector<double> bias = draw_bias(options, grid.size, random);
  std::vector<float> scan(voxels);
  const auto channels = static_cast<std::size_t>(grid.channels);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < voxels; ++i) scan[i] = values[i * channels + c];
    change_channel(options, scan, grid.size, bias, random);
    for (std::size_t i = 0; i < voxels; ++i) values[i * channels + c] = scan[i];
  }
}

}  // namespace ratnet::inline v1
