#include "bias_field.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../../core/error.h"
#include "../../core/quantile.h"
#include "../../imaging/morphology.h"
#include "../../imaging/mri_artefacts.h"
#include "brain_mask.h"
#include "prepared_subject.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kSize = 64;
constexpr std::int64_t kApart = 2;          // pixels between which differences are taken
constexpr std::int64_t kMostCompared = 64;  // slices; of more, every second, third, ...
constexpr std::size_t kFewest = 500;        // pixels of the brain, or differences
constexpr int kRounds = 12;
constexpr float kLargest = std::numeric_limits<float>::max();

using Terms = Eigen::Matrix<double, 7, 1>;
using Products = Eigen::Matrix<double, 7, 7>;

// From -1 to 1 over the field of view and over the stack.
double place(std::int64_t pixel, std::int64_t size) {
  return (2 * static_cast<double>(pixel) + 1) / static_cast<double>(size) - 1;
}
double height(std::int64_t slice, std::int64_t slices) {
  return slices == 1 ? 0 : 2 * static_cast<double>(slice) / static_cast<double>(slices - 1) - 1;
}

Terms terms_at(double x, double y, double z) { return {x, y, x * x, x * y, y * y, x * z, y * z}; }

// Of the logarithm, between two neighbours along a row or a column about (x, y).
struct Difference {
  float x, y, z, value;
  bool along_row;
};
constexpr double kDistance = 2. * kApart / kSize;

Terms terms_of(const Difference& d) {
  const double x = static_cast<double>(d.x), y = static_cast<double>(d.y),
               z = static_cast<double>(d.z);
  const Terms slope = d.along_row ? Terms{1, 0, 2 * x, y, 0, z, 0} : Terms{0, 1, 0, x, 2 * y, 0, z};
  return kDistance * slope;
}

void add_differences(std::span<const float> logarithm, std::span<const std::uint8_t> inner,
                     double z, std::vector<Difference>& differences) {
  for (const bool along_row : {true, false}) {
    const std::int64_t rows = along_row ? kSize : kSize - kApart,
                       columns = along_row ? kSize - kApart : kSize;
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t column = 0; column < columns; ++column) {
        const auto at = static_cast<std::size_t>(row * kSize + column);
        const std::size_t other =
            at + static_cast<std::size_t>(along_row ? kApart : kApart * kSize);
        if (!inner[at] || !inner[other]) continue;
        const double half = kDistance / 2;
        differences.push_back({static_cast<float>(place(column, kSize) + (along_row ? half : 0)),
                               static_cast<float>(place(row, kSize) + (along_row ? 0 : half)),
                               static_cast<float>(z), logarithm[other] - logarithm[at], along_row});
      }
  }
}

// Where brightness begins, and its median over the brain from there.
struct Levels {
  float zero;
  double median;
};

// Within the brain, from one pixel to another.
std::vector<Difference> differences_of(const Tensor& images, const Tensor& brain,
                                       const Levels& levels, const BiasFieldOptions& options) {
  const Tensor shares = resample_slices(brain_as_floats(brain), kSize);
  Tensor logarithms = resample_slices(images, kSize);
  const std::int64_t slices = images.shape()[0];
  const double least = options.least_level * levels.median;
  std::vector<Difference> differences;
  for (std::int64_t s = 0; s < slices; s += (slices + kMostCompared - 1) / kMostCompared) {
    const std::span<float> values = slice_of<float>(logarithms, s);
    blur_gaussian(values, {1, kSize, kSize}, options.smoothing);
    for (float& value : values)
      value =
          static_cast<float>(std::log(std::max(static_cast<double>(value - levels.zero), least)));
    std::vector<std::uint8_t> inner;
    for (const float share : slice_of<float>(shares, s)) inner.push_back(share > 0.5f);
    erode_disc(inner, kSize, kSize, options.rim);
    add_differences(values, inner, height(s, slices), differences);
  }
  return differences;
}

// Least absolute deviations, by least squares that are weighted anew.
Terms fit(const std::vector<Difference>& differences, double tolerance) {
  // What cannot be known is 0, as how it changes with height in a single slice.
  constexpr double kRidge = 1e-9;
  Terms terms = Terms::Zero();
  for (int round = 0; round < kRounds; ++round) {
    Products left = kRidge * static_cast<double>(differences.size()) * Products::Identity();
    Terms right = Terms::Zero();
    for (const Difference& difference : differences) {
      const Terms row = terms_of(difference);
      const auto value = static_cast<double>(difference.value);
      const double weight =
          round == 0 ? 1 : tolerance / std::max(std::abs(value - row.dot(terms)), tolerance);
      left += weight * row * row.transpose();
      right += weight * value * row;
    }
    terms = left.ldlt().solve(right);
  }
  return terms;
}

// The logarithm of the field in a slice, [128, 128].
std::vector<float> field_of(const Terms& terms, double z) {
  std::vector<float> field;
  for (std::int64_t row = 0; row < kJudgedSize; ++row)
    for (std::int64_t column = 0; column < kJudgedSize; ++column)
      field.push_back(static_cast<float>(
          terms.dot(terms_at(place(column, kJudgedSize), place(row, kJudgedSize), z))));
  return field;
}

// Of the logarithm over the brain.
struct FieldInBrain {
  float median;
  double variance;  // about the median
};
FieldInBrain in_brain(const Terms& terms, const Tensor& brain) {
  const std::int64_t slices = brain.shape()[0];
  std::vector<float> inside;
  for (std::int64_t s = 0; s < slices; ++s) {
    const std::vector<float> field = field_of(terms, height(s, slices));
    const std::span<const std::uint8_t> slice = slice_of<std::uint8_t>(brain, s);
    for (std::size_t i = 0; i < field.size(); ++i)
      if (slice[i]) inside.push_back(field[i]);
  }
  const float median = quantile(inside, 0.5);
  double squares = 0;
  for (const float value : inside)
    squares += static_cast<double>(value - median) * static_cast<double>(value - median);
  return {median, squares / static_cast<double>(inside.size())};
}

}  // namespace

void check(const BiasFieldOptions& options) {
  require(options.strongest >= 0 && options.strongest <= 5,
          "bias field: strongest must be 0 to 5, got ", options.strongest);
  require(options.usual >= 0 && options.usual <= 5, "bias field: usual must be 0 to 5, got ",
          options.usual);
  require(options.rim >= 0 && options.rim <= 30, "bias field: rim must be 0 to 30 pixels, got ",
          options.rim);
  require(options.smoothing >= 0 && options.smoothing <= 30,
          "bias field: smoothing must be 0 to 30 pixels, got ", options.smoothing);
  require(options.least_level >= 1e-3 && options.least_level <= 1 && options.tolerance >= 1e-3 &&
              options.tolerance <= 5,
          "bias field: least_level must be 0.001 to 1 and tolerance 0.001 to 5, got ",
          options.least_level, " and ", options.tolerance);
}

bool remove_bias_field(Tensor& images, const Tensor& brain, const BiasFieldOptions& options) {
  check(options);
  require(images.dtype() == DType::f32 && images.shape().rank() == 3 &&
              images.shape()[1] == kJudgedSize && images.shape()[2] == kJudgedSize &&
              brain.dtype() == DType::u8 && brain.shape() == images.shape(),
          "bias field: images ", images.shape(), " and a brain ", brain.shape());
  if (options.strongest == 0) return false;
  const std::int64_t slices = images.shape()[0];
  std::vector<float> inside;
  for (std::size_t i = 0; i < brain.values<std::uint8_t>().size(); ++i)
    if (brain.values<std::uint8_t>()[i]) inside.push_back(images.values<float>()[i]);
  if (inside.size() < kFewest) return false;
  std::vector<float> all(images.values<float>().begin(), images.values<float>().end());
  const float zero = zero_level(all);
  const Levels levels{zero, static_cast<double>(quantile(inside, 0.5) - zero)};
  if (!(levels.median > 0)) return false;

  const std::vector<Difference> differences = differences_of(images, brain, levels, options);
  if (differences.size() < kFewest) return false;
  const Terms terms = fit(differences, options.tolerance);
  const FieldInBrain field = in_brain(terms, brain);
  const double usual = options.usual * options.usual;
  const auto part = static_cast<float>(1 - std::min(1., usual / field.variance)),
             strongest = static_cast<float>(options.strongest);
  if (part == 0) return false;
  for (std::int64_t s = 0; s < slices; ++s) {
    const std::vector<float> logarithm = field_of(terms, height(s, slices));
    const std::span<float> image = slice_of<float>(images, s);
    for (std::size_t i = 0; i < image.size(); ++i) {
      const float factor =
          std::exp(std::clamp(part * (field.median - logarithm[i]), -strongest, strongest));
      image[i] = std::clamp(zero + factor * (image[i] - zero), -kLargest, kLargest);
    }
  }
  return true;
}

}  // namespace ratnet::inline v1
