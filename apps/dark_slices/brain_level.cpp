#include "brain_level.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../../core/error.h"
#include "../../core/quantile.h"
#include "../../imaging/empty.h"

namespace ratnet::inline v1 {
namespace {

// Every `step`-th index of n, at most `most` of them.
std::vector<std::int64_t> spread(std::int64_t n, std::int64_t most) {
  std::vector<std::int64_t> chosen;
  const std::int64_t count = std::min(n, most);
  for (std::int64_t i = 0; i < count; ++i) chosen.push_back((2 * i + 1) * n / (2 * count));
  return chosen;
}

// Median of each pixel over images [n, pixels].
std::vector<float> pixel_medians(const std::vector<float>& images, std::size_t pixels) {
  const std::size_t n = images.size() / pixels;
  std::vector<float> medians(pixels), column(n);
  for (std::size_t p = 0; p < pixels && n > 0; ++p) {
    for (std::size_t i = 0; i < n; ++i) column[i] = images[i * pixels + p];
    medians[p] = quantile(column, 0.5);
  }
  return medians;
}

}  // namespace

float ghost_ratio(std::span<const float> slice, const BrainRegion& region, float brain) {
  if (brain <= 0) return 0;
  const int height = region.last_row - region.first_row;
  const int width = region.last_column - region.first_column;
  if (height < 1 || width < 1) return 0;
  const auto strip = [&](int row, int rows, int column, int columns, bool by_row) {
    std::vector<float> means;
    const int lines = by_row ? rows : columns, across = by_row ? columns : rows;
    for (int l = 0; l < lines; ++l) {
      float sum = 0;
      for (int a = 0; a < across; ++a) {
        const int r = row + (by_row ? l : a), c = column + (by_row ? a : l);
        sum += slice[static_cast<std::size_t>(r * region.columns + c)];
      }
      means.push_back(sum / static_cast<float>(across));
    }
    return quantile(means, 0.33);
  };
  const int outer_columns = std::clamp(3 * width / 64, 1, width);
  const int outer_rows = std::clamp(3 * height / 64, 1, height);
  const float left = strip(region.first_row, height, region.first_column, outer_columns, true);
  const float right =
      strip(region.first_row, height, region.last_column - outer_columns, outer_columns, true);
  // Below the head the jaw may reach the edge: only the rows above it count.
  const float above = strip(region.first_row, outer_rows, region.first_column, width, false);
  return std::max(0.5f * (left + right), above) / brain;
}

SliceMeasures measure_slice(std::span<const float> slice, const BrainRegion& region) {
  SliceMeasures m;
  if (is_empty_slice(slice)) {
    m.empty = true;
    return m;
  }
  double sum = 0, brain = 0;
  std::int64_t pixels = 0;
  m.maximum = slice[0];
  for (std::size_t i = 0; i < slice.size(); ++i) {
    sum += static_cast<double>(slice[i]);
    m.maximum = std::max(m.maximum, slice[i]);
    if (!region.brain[i]) continue;
    brain += static_cast<double>(slice[i]);
    ++pixels;
  }
  m.mean = static_cast<float>(sum / static_cast<double>(slice.size()));
  m.brain = pixels ? static_cast<float>(brain / static_cast<double>(pixels)) : m.mean;
  m.ghost = ghost_ratio(slice, region, m.brain);
  return m;
}

RunMeasures measure_run(std::int64_t volumes, std::int64_t slices, int rows, int columns,
                        const ReadSlice& read) {
  require(volumes >= 1 && slices >= 1, "a run needs at least one volume and one slice");
  const auto pixels = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  RunMeasures run;
  std::vector<float> slice(pixels), typical_levels;
  for (std::int64_t s = 0; s < slices; ++s) {
    std::vector<float> images;
    for (const std::int64_t v : spread(volumes, 51)) {
      read(v * slices + s, slice);
      if (!is_empty_slice(slice)) images.insert(images.end(), slice.begin(), slice.end());
    }
    const std::vector<float> typical = pixel_medians(images, pixels);
    run.regions.push_back(find_brain(typical, rows, columns, RegionExtent::brain));
    typical_levels.push_back(measure_slice(typical, run.regions.back()).brain);
  }
  // The slices beyond both ends of the brain show next to nothing; the run's level is not theirs.
  std::vector<float> sorted = typical_levels;
  const float bright = quantile(sorted, 0.75);
  for (std::size_t s = 0; s < typical_levels.size(); ++s)
    run.regions[s].has_signal = typical_levels[s] > 0.35f * bright;

  std::vector<float> levels;
  for (std::int64_t i = 0; i < volumes * slices; ++i) {
    const BrainRegion& region = run.regions[static_cast<std::size_t>(i % slices)];
    read(i, slice);
    run.measures.push_back(measure_slice(slice, region));
    if (!run.measures.back().empty && region.has_signal)
      levels.push_back(run.measures.back().brain);
  }
  run.brain_level = static_cast<double>(quantile(levels, 0.5));
  return run;
}

LooseMeasures measure_loose(std::int64_t count, int rows, int columns, const ReadSlice& read) {
  require(count >= 1, "there are no slices to measure");
  const auto pixels = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  LooseMeasures loose;
  std::vector<float> slice(pixels), images;
  // Where the brain is: the median over slices, each brought to the same mean. Only the third with
  // the least signal at the edges counts, because ghosts blur the outline of the head.
  std::vector<std::pair<float, std::vector<float>>> chosen;
  const BrainRegion whole{
      .rows = rows, .columns = columns, .brain = {}, .last_row = rows, .last_column = columns};
  for (const std::int64_t i : spread(count, 301)) {
    read(i, slice);
    if (is_empty_slice(slice)) continue;
    double sum = 0;
    for (const float x : slice) sum += static_cast<double>(x);
    if (sum <= 0) continue;
    const auto factor = static_cast<float>(100 * static_cast<double>(pixels) / sum);
    for (float& x : slice) x *= factor;
    chosen.emplace_back(ghost_ratio(slice, whole, 100), slice);
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.resize((chosen.size() + 2) / 3);
  for (const auto& clean_slice : chosen)
    images.insert(images.end(), clean_slice.second.begin(), clean_slice.second.end());
  loose.region = find_brain(pixel_medians(images, pixels), rows, columns, RegionExtent::core);

  std::vector<float> ghosts, maxima;
  for (std::int64_t i = 0; i < count; ++i) {
    read(i, slice);
    loose.measures.push_back(measure_slice(slice, loose.region));
    if (loose.measures.back().empty) continue;
    ghosts.push_back(loose.measures.back().ghost);
    maxima.push_back(loose.measures.back().maximum);
  }
  if (ghosts.empty()) return loose;
  // Of real good slices at most a few percent ghost more than 0.13; where nearly all do (another
  // sequence), the cleaner third stands for the good ones.
  const float clean = std::max(0.13f, quantile(ghosts, 0.3));
  std::vector<float> levels;
  for (const SliceMeasures& m : loose.measures)
    if (!m.empty && m.ghost <= clean) levels.push_back(m.brain);
  loose.brain_level = static_cast<double>(quantile(levels, 0.5));

  std::sort(maxima.begin(), maxima.end());
  std::size_t same = 0, most = 0;
  for (std::size_t i = 0; i < maxima.size(); ++i) {
    same = i > 0 && maxima[i] - maxima[i - 1] <= 1e-5f * std::abs(maxima[i]) ? same + 1 : 1;
    most = std::max(most, same);
  }
  loose.stretched = static_cast<double>(most) >= 0.9 * static_cast<double>(maxima.size());
  return loose;
}

std::vector<float> slice_scales(const LooseMeasures& loose) {
  std::vector<float> scales;
  for (const SliceMeasures& m : loose.measures) {
    const auto level = static_cast<float>(loose.brain_level);
    // A slice without signal where the brain should be keeps the usual scale.
    const float own = m.brain > 0 ? m.brain : level;
    scales.push_back(m.empty ? 0.0f : loose.stretched ? own : level);
  }
  return scales;
}

}  // namespace ratnet::inline v1
