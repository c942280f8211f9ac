#include "brain_region.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../../core/error.h"
#include "../../core/quantile.h"

namespace ratnet::inline v1 {
namespace {

struct Bounds {
  int first = 0, last = 0;  // [first, last)
  int size() const { return last - first; }
};

// The first and last line of `count` lines with at least `least` of its pixels counted.
Bounds bounds_of(const std::vector<int>& counted, int least) {
  Bounds b{0, static_cast<int>(counted.size())};
  while (b.first < b.last && counted[static_cast<std::size_t>(b.first)] < least) ++b.first;
  while (b.last > b.first && counted[static_cast<std::size_t>(b.last) - 1] < least) --b.last;
  return b;
}

struct Box {
  Bounds rows, columns;
};

// The bounding box of pixels above `threshold`; lines with fewer than `least` such pixels are
// passed over at the edges.
Box box_above(std::span<const float> slice, int rows, int columns, float threshold, int least_row,
              int least_column) {
  std::vector<int> by_row(static_cast<std::size_t>(rows)),
      by_column(static_cast<std::size_t>(columns));
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      if (slice[static_cast<std::size_t>(r * columns + c)] > threshold) {
        ++by_row[static_cast<std::size_t>(r)];
        ++by_column[static_cast<std::size_t>(c)];
      }
  return {bounds_of(by_row, least_row), bounds_of(by_column, least_column)};
}

// The picture without the zeros that resampling put around it. A picture ends in a line full of
// noise; where the outermost lines hold little, the air was set to zero and nothing is cut off.
Box picture_of(std::span<const float> slice, int rows, int columns) {
  Box box = box_above(slice, rows, columns, 0, 1, 1);
  const auto filled = [&](int line, bool is_row) {
    const Bounds across = is_row ? box.columns : box.rows;
    int counted = 0;
    for (int i = across.first; i < across.last; ++i)
      counted +=
          slice[static_cast<std::size_t>(is_row ? line * columns + i : i * columns + line)] > 0;
    return counted > 0.6 * across.size();
  };
  const bool rows_end =
      box.rows.size() > 0 && filled(box.rows.first, true) && filled(box.rows.last - 1, true);
  const bool columns_end = box.columns.size() > 0 && filled(box.columns.first, false) &&
                           filled(box.columns.last - 1, false);
  if (!rows_end) box.rows = {0, rows};
  if (!columns_end) box.columns = {0, columns};
  return box;
}

// Adds to the core all that is connected to it, about as bright, and inside `window`.
void grow(std::span<const float> slice, int columns, const Box& window, float low, float high,
          std::vector<std::uint8_t>& mask) {
  std::vector<std::pair<int, int>> front;
  for (int r = window.rows.first; r < window.rows.last; ++r)
    for (int c = window.columns.first; c < window.columns.last; ++c)
      if (mask[static_cast<std::size_t>(r * columns + c)]) front.emplace_back(r, c);
  while (!front.empty()) {
    const auto [r, c] = front.back();
    front.pop_back();
    constexpr std::pair<int, int> steps[] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    for (const auto& [dr, dc] : steps) {
      const int rr = r + dr, cc = c + dc;
      if (rr < window.rows.first || rr >= window.rows.last || cc < window.columns.first ||
          cc >= window.columns.last)
        continue;
      const auto i = static_cast<std::size_t>(rr * columns + cc);
      if (mask[i] || slice[i] < low || slice[i] > high) continue;
      mask[i] = 1;
      front.emplace_back(rr, cc);
    }
  }
}

// Of all boxes of height x width inside `window` whose mean comes within 6% of the highest, the
// topmost, and of those the one nearest to the middle.
Box brightest_box(std::span<const float> slice, int columns, const Box& window, int height,
                  int width) {
  height = std::min(height, window.rows.size());
  width = std::min(width, window.columns.size());
  const auto mean = [&](int row, int column) {
    double sum = 0;
    for (int r = row; r < row + height; ++r)
      for (int c = column; c < column + width; ++c)
        sum += static_cast<double>(slice[static_cast<std::size_t>(r * columns + c)]);
    return sum;
  };
  const int middle = window.columns.first + (window.columns.size() - width) / 2;
  std::vector<int> places = {middle};
  for (int d = 1; middle - d >= window.columns.first; ++d) {
    places.push_back(middle - d);
    if (middle + d + width <= window.columns.last) places.push_back(middle + d);
  }
  double highest = 0;
  for (int r = window.rows.first; r + height <= window.rows.last; ++r)
    for (const int c : places) highest = std::max(highest, mean(r, c));
  for (int r = window.rows.first; r + height <= window.rows.last; ++r)
    for (const int c : places)
      if (mean(r, c) >= 0.94 * highest) return {{r, r + height}, {c, c + width}};
  return {{window.rows.first, window.rows.first + height}, {middle, middle + width}};
}

}  // namespace

BrainRegion find_brain(std::span<const float> typical, int rows, int columns, RegionExtent extent) {
  require(rows >= 8 && columns >= 8, "a slice of ", rows, " x ", columns,
          " pixels is too small to find a brain in");
  require(typical.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns),
          "a slice of ", typical.size(), " pixels is not ", rows, " x ", columns);
  BrainRegion region;
  region.rows = rows;
  region.columns = columns;
  region.brain.assign(typical.size(), 0);
  std::vector<float> bright;
  for (const float x : typical)
    if (x > 0) bright.push_back(x);
  const float threshold = 0.2f * quantile(bright, 0.95);
  const Box picture = picture_of(typical, rows, columns);
  region.first_row = picture.rows.first;
  region.last_row = picture.rows.last;
  region.first_column = picture.columns.first;
  region.last_column = picture.columns.last;
  Box head = box_above(typical, rows, columns, threshold, std::max(2, columns / 10),
                       std::max(2, rows / 10));
  if (head.rows.size() < 6 || head.columns.size() < 6) head = {{0, rows}, {0, columns}};

  const double height = head.rows.size(), width = head.columns.size();
  const double middle = 0.5 * (head.columns.first + head.columns.last);
  const auto row_at = [&](double share) {
    return head.rows.first + static_cast<int>(std::lround(share * height));
  };
  const auto columns_around = [&](double share) {
    return Bounds{std::max(0, static_cast<int>(std::lround(middle - share * width))),
                  std::min(columns, static_cast<int>(std::lround(middle + share * width)) + 1)};
  };
  const Box core =
      brightest_box(typical, columns, {{row_at(0.02), row_at(0.5)}, columns_around(0.16)},
                    std::max(2, static_cast<int>(std::lround(0.16 * height))),
                    std::max(2, static_cast<int>(std::lround(0.18 * width))));
  std::vector<float> inside;
  for (int r = core.rows.first; r < core.rows.last; ++r)
    for (int c = core.columns.first; c < core.columns.last; ++c) {
      const auto i = static_cast<std::size_t>(r * columns + c);
      region.brain[i] = 1;
      inside.push_back(typical[i]);
    }
  if (extent == RegionExtent::core) return region;
  const float level = quantile(inside, 0.5);
  // The core without what is not brain in this slice (skull above it, a vessel).
  std::vector<std::uint8_t> grown = region.brain;
  for (std::size_t i = 0; i < grown.size(); ++i)
    grown[i] = grown[i] && typical[i] >= 0.7f * level && typical[i] <= 1.4f * level;
  grow(typical, columns, {{row_at(0.04), row_at(0.5)}, columns_around(0.28)}, 0.7f * level,
       1.4f * level, grown);
  if (level > 0) region.brain = std::move(grown);
  return region;
}

}  // namespace ratnet::inline v1
