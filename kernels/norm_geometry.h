// How a tensor is cut for sums over its positions.
#pragma once

#include <algorithm>

#include "normalise.h"

namespace ratnet::inline v1 {

// x seen as [outer, rows, channels]; mean and variance belong to an outer part and to a group of
// channels.
struct NormGeometry {
  std::int64_t outer = 1, rows = 1, channels = 1, groups = 1;

  NormGeometry(const Shape& x, const NormOver& over)
      : outer(over.per_sample ? x[0] : 1),
        rows(outer ? x.count() / (outer * x.back()) : 0),
        channels(x.back()),
        groups(over.per_sample ? over.groups : channels) {}

  std::int64_t width() const { return channels / groups; }
  // How many numbers a mean is of.
  std::int64_t count() const { return rows * width(); }

  // Rows are summed in chunks whose number depends on the problem alone, at most kMostChunks.
  static constexpr std::int64_t kMostChunks = 512;
  std::int64_t chunk_rows() const {
    return std::max({std::int64_t{1}, (std::int64_t{1} << 14) / channels,
                     (rows + kMostChunks - 1) / kMostChunks});
  }
  std::int64_t chunks() const { return (rows + chunk_rows() - 1) / chunk_rows(); }
  // What no fewer rows have more of: what working memory is sized for.
  std::int64_t most_chunks() const {
    const std::int64_t least = std::max<std::int64_t>(1, (std::int64_t{1} << 14) / channels);
    return std::min(kMostChunks, (rows + least - 1) / least);
  }
};

}  // namespace ratnet::inline v1
