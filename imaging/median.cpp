#include "median.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "../core/error.h"
#include "../core/float_order.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kMostPixels = 1 << 25;  // with their margin

// By their upper halves, from the lowest 11 bits on (radix sort).
void sort_by_upper_half(std::vector<std::uint64_t>& keys) {
  std::vector<std::uint64_t> sorted(keys.size());
  for (int shift = 32; shift < 64; shift += 11) {
    const auto digit = [shift](std::uint64_t key) { return key >> shift & 0x7ff; };
    std::array<std::size_t, 0x800> starts{};
    for (const std::uint64_t key : keys) ++starts[digit(key)];
    std::exclusive_scan(starts.begin(), starts.end(), starts.begin(), std::size_t{0});
    for (const std::uint64_t key : keys) sorted[starts[digit(key)]++] = key;
    keys.swap(sorted);
  }
}

// The image with a margin of `radius` pixels, which repeats its border, as ranks of its values.
struct Ranks {
  std::vector<std::uint32_t> padded;  // [rows + 2 radius, columns + 2 radius]
  std::vector<float> values;          // by rank, equal ones once
};

Ranks rank_pixels(std::span<const float> image, std::int64_t rows, std::int64_t columns,
                  std::int64_t radius) {
  std::vector<std::uint64_t> keys;  // value in front, pixel behind
  keys.reserve(image.size());
  for (std::size_t i = 0; i < image.size(); ++i)
    keys.push_back(static_cast<std::uint64_t>(float_rank(image[i])) << 32 | i);
  sort_by_upper_half(keys);
  Ranks ranks;
  std::vector<std::uint32_t> of(image.size());
  for (std::size_t n = 0; n < keys.size(); ++n) {
    const std::size_t pixel = keys[n] & 0xffffffffu;
    if (n == 0 || keys[n] >> 32 != keys[n - 1] >> 32) ranks.values.push_back(image[pixel]);
    of[pixel] = static_cast<std::uint32_t>(ranks.values.size() - 1);
  }
  ranks.padded.reserve(static_cast<std::size_t>((rows + 2 * radius) * (columns + 2 * radius)));
  for (std::int64_t y = -radius; y < rows + radius; ++y)
    for (std::int64_t x = -radius; x < columns + radius; ++x)
      ranks.padded.push_back(
          of[static_cast<std::size_t>(std::clamp<std::int64_t>(y, 0, rows - 1) * columns +
                                      std::clamp<std::int64_t>(x, 0, columns - 1))]);
  return ranks;
}

// How often each rank is in the window, and each block of ranks, by which a search gets about.
class Histogram {
 public:
  Histogram(std::size_t ranks, std::int64_t window)
      : fine_(ranks), coarse_((ranks >> kShift) + 1), half_(window * window / 2) {}

  void add(std::uint32_t rank) { change(rank, 1); }
  void remove(std::uint32_t rank) { change(rank, -1); }

  // The rank that no more than half of the window is below and no more than half above.
  std::uint32_t median() {
    while (before_ > half_) before_ -= coarse_[--block_];
    while (before_ + coarse_[block_] <= half_) before_ += coarse_[block_++];
    std::int64_t below = before_;
    std::size_t rank = block_ << kShift;
    while (below + fine_[rank] <= half_) below += fine_[rank++];
    return static_cast<std::uint32_t>(rank);
  }

 private:
  static constexpr int kShift = 6;

  void change(std::uint32_t rank, int by) {
    const std::size_t block = rank >> kShift;
    fine_[rank] = static_cast<std::uint16_t>(fine_[rank] + by);
    coarse_[block] += by;
    before_ += block < block_ ? by : 0;
  }

  std::vector<std::uint16_t> fine_;  // small, so that it stays in the cache
  std::vector<std::int32_t> coarse_;
  std::int64_t half_;
  std::size_t block_ = 0;    // where the last median was
  std::int64_t before_ = 0;  // pixels in the blocks before it
};

}  // namespace

void median_filter(std::span<const float> image, std::int64_t rows, std::int64_t columns,
                   std::int64_t window, std::span<float> result) {
  require(window >= 1 && window <= 255 && window % 2 == 1,
          "median: the window must be odd, 1 to 255, got ", window);
  const std::int64_t radius = window / 2;
  require(rows >= 1 && columns >= 1 && rows <= kMostPixels && columns <= kMostPixels &&
              columns + 2 * radius <= kMostPixels / (rows + 2 * radius),
          "median: an image of ", rows, " x ", columns, " pixels, with a margin of ", radius,
          " to take no more than ", kMostPixels);
  const auto pixels = static_cast<std::size_t>(rows * columns);
  require(image.size() == pixels && result.size() == pixels, "median: ", image.size(), " and ",
          result.size(), " values, expected ", pixels);
  if (window == 1) {
    std::copy(image.begin(), image.end(), result.begin());
    return;
  }

  const std::int64_t width = columns + 2 * radius;
  const Ranks ranks = rank_pixels(image, rows, columns, radius);
  Histogram histogram(ranks.values.size(), window);
  for (std::int64_t y = 0; y < window; ++y)
    for (std::int64_t x = 0; x < window; ++x)
      histogram.add(ranks.padded[static_cast<std::size_t>(y * width + x)]);
  // To the right and back again, a row down at either end, so that the window is filled only once.
  for (std::int64_t row = 0; row < rows; ++row) {
    const bool right = row % 2 == 0;
    const std::uint32_t* top = ranks.padded.data() + row * width;  // of the window's first column
    for (std::int64_t n = 0; n < columns; ++n) {
      const std::int64_t column = right ? n : columns - 1 - n;
      result[static_cast<std::size_t>(row * columns + column)] = ranks.values[histogram.median()];
      if (n == columns - 1) break;
      const std::uint32_t* leaving = top + (right ? column : column + window - 1);
      const std::uint32_t* coming = top + (right ? column + window : column - 1);
      for (std::int64_t y = 0; y < window; ++y) {
        histogram.remove(leaving[y * width]);
        histogram.add(coming[y * width]);
      }
    }
    if (row == rows - 1) break;
    const std::uint32_t* leaving = top + (right ? columns - 1 : 0);
    for (std::int64_t x = 0; x < window; ++x) {
      histogram.remove(leaving[x]);
      histogram.add(leaving[window * width + x]);
    }
  }
}

}  // namespace ratnet::inline v1
