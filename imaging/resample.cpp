#include "resample.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {

// Both axes are cut the same way: positions are in source pixels, pixel k covering [k, k + 1).
SliceResampler::Axis SliceResampler::weigh(std::int64_t from, double from_spacing, std::int64_t to,
                                           double to_spacing) {
  const double step = to_spacing / from_spacing;
  const double start = (static_cast<double>(from) - static_cast<double>(to) * step) / 2;
  Axis axis;
  axis.first_weight.push_back(0);
  for (std::int64_t n = 0; n < to; ++n) {
    const double low = start + static_cast<double>(n) * step, high = low + step;
    const double centre = (low + high) / 2;
    std::int64_t first = 0;
    if (centre < 0 || centre > static_cast<double>(from)) {
      // Outside the field of view: no weights, so 0.
    } else if (step >= 1) {
      // The share of each source pixel in what this pixel covers of the field of view.
      const double inside_low = std::max(low, 0.0);
      const double inside_high = std::min(high, static_cast<double>(from));
      first = std::min(static_cast<std::int64_t>(inside_low), from - 1);
      for (std::int64_t k = first; k < from && (k == first || static_cast<double>(k) < inside_high);
           ++k) {
        const double share = std::min(inside_high, static_cast<double>(k + 1)) -
                             std::max(inside_low, static_cast<double>(k));
        axis.weights.push_back(static_cast<float>(share / (inside_high - inside_low)));
      }
    } else {
      // Between the centres of two source pixels; beyond the outermost centres their own value.
      const double x = std::clamp(centre - 0.5, 0.0, static_cast<double>(from - 1));
      first = static_cast<std::int64_t>(x);
      const double share = x - static_cast<double>(first);
      axis.weights.push_back(static_cast<float>(1 - share));
      if (share > 0) axis.weights.push_back(static_cast<float>(share));
    }
    axis.first.push_back(first);
    axis.first_weight.push_back(axis.weights.size());
  }
  return axis;
}

SliceResampler::SliceResampler(const SliceGrid& from, std::int64_t rows, std::int64_t columns)
    : from_(from), to_(from) {
  require(from.rows >= 1 && from.columns >= 1 && rows >= 1 && columns >= 1, "resample: a slice of ",
          from.rows, " x ", from.columns, " cannot become ", rows, " x ", columns);
  const double height = from.row_spacing * static_cast<double>(from.rows);
  const double width = from.column_spacing * static_cast<double>(from.columns);
  if (!(height > 0 && width > 0 && std::isfinite(height) && std::isfinite(width)))
    fail(ErrorKind::input, "resample: pixels of ", from.row_spacing, " x ", from.column_spacing,
         " mm make no field of view; the scan's voxel sizes are wrong");
  // Headers round what they state.
  const double longest = static_cast<double>(std::max(rows, columns));
  if (from.rows == rows && from.columns == columns &&
      std::abs(from.row_spacing / from.column_spacing - 1) * longest < 0.5) {
    copies_ = true;
    return;
  }
  constexpr double kLongest = 50;
  if (height > kLongest * width || width > kLongest * height)
    fail(ErrorKind::input, "resample: a field of view of ", height, " x ", width,
         " mm is too narrow to judge; choose another slice axis, or the voxel sizes are wrong");

  const double spacing =
      std::max(height / static_cast<double>(rows), width / static_cast<double>(columns));
  to_ = {.rows = rows, .columns = columns, .row_spacing = spacing, .column_spacing = spacing};
  rows_ = weigh(from.rows, from.row_spacing, rows, spacing);
  columns_ = weigh(from.columns, from.column_spacing, columns, spacing);
}

void SliceResampler::run(std::span<const float> slice, std::span<float> result,
                         std::span<float> scratch) const {
  require(slice.size() == static_cast<std::size_t>(from_.rows * from_.columns) &&
              result.size() == static_cast<std::size_t>(to_.rows * to_.columns) &&
              scratch.size() >= scratch_size(),
          "resample: from ", slice.size(), " to ", result.size(), " values with ", scratch.size(),
          " of scratch, expected ", from_.rows * from_.columns, ", ", to_.rows * to_.columns,
          " and ", scratch_size());
  if (copies_) {
    std::copy(slice.begin(), slice.end(), result.begin());
    return;
  }
  const auto source_columns = static_cast<std::size_t>(from_.columns);
  const auto result_columns = static_cast<std::size_t>(to_.columns);
  for (std::size_t row = 0; row < rows_.first.size(); ++row) {
    const std::span<float> line = scratch.first(source_columns);
    std::fill(line.begin(), line.end(), 0.0f);
    const float* source =
        slice.data() + static_cast<std::size_t>(rows_.first[row]) * source_columns;
    for (std::size_t w = rows_.first_weight[row]; w < rows_.first_weight[row + 1]; ++w) {
      for (std::size_t x = 0; x < source_columns; ++x) line[x] += rows_.weights[w] * source[x];
      source += source_columns;
    }
    for (std::size_t x = 0; x < result_columns; ++x) {
      const float* pixel = line.data() + columns_.first[x];
      float sum = 0;
      for (std::size_t w = columns_.first_weight[x]; w < columns_.first_weight[x + 1]; ++w)
        sum += columns_.weights[w] * *pixel++;
      result[row * result_columns + x] = sum;
    }
  }
}

Tensor resample_slice(std::span<const float> slice, const SliceGrid& from, std::int64_t rows,
                      std::int64_t columns) {
  const SliceResampler resampler(from, rows, columns);
  Tensor result({rows, columns}, DType::f32);
  std::vector<float> scratch(resampler.scratch_size());
  resampler.run(slice, result.values<float>(), scratch);
  return result;
}

}  // namespace ratnet::inline v1
