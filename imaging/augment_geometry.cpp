#include "augment_geometry.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {
namespace {

// Of normal coefficients of deviation 1, the mean square of a cubic B-spline along one axis.
constexpr double kSplineMeanSquare = 151.0 / 315.0;

// Below this many knot spacings the field is injective, in two dimensions as in three.
constexpr double kNoFold = 0.4;

DisplacementField draw_field(double deviation, double knot_spacing, const ImageGrid& grid,
                             const Number3& spacing, Random& random) {
  const Size3 knots = knots_of(grid, spacing, knot_spacing);
  double mean_square = 1;
  for (const std::int64_t n : grid.size)
    if (n > 1) mean_square *= kSplineMeanSquare;
  DisplacementField field{.spacing = knot_spacing};
  field.coefficients.resize(static_cast<std::size_t>(knots[0] * knots[1] * knots[2] * 3));
  for (double& coefficient : field.coefficients)
    coefficient = std::clamp(random.normal(0, deviation / std::sqrt(mean_square)),
                             -kNoFold * knot_spacing, kNoFold * knot_spacing);
  return field;
}

}  // namespace

bool GeometryAugmentation::any() const {
  return rotation != Number3{} || scaling > 1 || shear > 0 || mirror != std::array<bool, 3>{} ||
         elastic > 0;
}

void check_augmentation(const GeometryAugmentation& options) {
  const auto chance = [](const char* name, double value) {
    require(value >= 0 && value <= 1, "augmentation: ", name, " must be 0 to 1, got ", value);
  };
  for (const double degrees : options.rotation)
    require(degrees >= 0 && degrees <= 180, "augmentation: rotation must be 0 to 180 degrees, got ",
            degrees);
  require(options.scaling >= 1 && options.scaling <= 16, "augmentation: scaling must be 1 to 16, ",
          "got ", options.scaling);
  require(options.shear >= 0 && options.shear <= 4, "augmentation: shear must be 0 to 4, got ",
          options.shear);
  require(options.elastic >= 0 && std::isfinite(options.elastic),
          "augmentation: elastic must be 0 mm or more, got ", options.elastic);
  require(options.elastic_spacing > 0 && std::isfinite(options.elastic_spacing),
          "augmentation: elastic_spacing must be above 0 mm, got ", options.elastic_spacing);
  require(std::isfinite(options.outside), "augmentation: outside must be finite, got ",
          options.outside);
  chance("rotation_chance", options.rotation_chance);
  chance("scaling_chance", options.scaling_chance);
  chance("shear_chance", options.shear_chance);
  chance("elastic_chance", options.elastic_chance);
}

Deformation draw_deformation(const GeometryAugmentation& options, const ImageGrid& grid,
                             const Number3& spacing, Random& random) {
  Deformation drawn{.spacing = spacing};
  const bool rotated = random.chance(options.rotation_chance);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double degrees = random.uniform(-options.rotation[axis], options.rotation[axis]);
    if (rotated) drawn.rotation[axis] = degrees;
  }
  const bool scaled = random.chance(options.scaling_chance);
  const double most = std::log(options.scaling);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double scale = std::exp(random.uniform(-most, most));
    if (scaled) drawn.scale[axis] = options.same_scaling && axis > 0 ? drawn.scale[0] : scale;
  }
  const bool sheared = random.chance(options.shear_chance);
  for (double& shear : drawn.shear) {
    const double drawn_shear = random.uniform(-options.shear, options.shear);
    if (sheared) shear = drawn_shear;
  }
  for (std::size_t axis = 0; axis < 3; ++axis)
    drawn.mirror[axis] = random.chance(0.5) && options.mirror[axis];
  const bool displaced = random.chance(options.elastic_chance);
  const double deviation = random.uniform(0, options.elastic);
  if (displaced && options.elastic > 0)
    drawn.field = draw_field(deviation, options.elastic_spacing, grid, spacing, random);
  return drawn;
}

void augment_geometry(const GeometryAugmentation& options, const Number3& spacing,
                      const ConstView& image, const ConstView& mask, const View& moved,
                      const View& moved_mask, Random& random) {
  const ImageGrid grid = image_grid("augment_geometry", image);
  deform(draw_deformation(options, grid, spacing, random), image, mask, moved, moved_mask,
         options.outside, options.labels);
}

}  // namespace ratnet::inline v1
