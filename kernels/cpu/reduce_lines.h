// How a reduction goes through memory.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ratnet::inline v1 {

// [middle, inner] read as lines: where inner is small, several of its rows side by side make one,
// so that vectors are full and no sum waits for the one before. The results of rows side by side
// are put together at the end.
struct ReduceLines {
  static constexpr std::int64_t kMostColumns = 256, kLeastColumns = 64;

  std::int64_t middle, inner;
  std::int64_t side_by_side;     // rows of a line
  std::int64_t line, count;      // the length of a line; how many there are
  std::int64_t columns, blocks;  // of a line, as many as are done at once; how many times

  // Both sizes at least 1.
  ReduceLines(std::int64_t middle_size, std::int64_t inner_size)
      : middle(middle_size),
        inner(inner_size),
        side_by_side(std::clamp<std::int64_t>(kLeastColumns / inner, 1, middle)),
        line(side_by_side * inner),
        count((middle + side_by_side - 1) / side_by_side),
        columns(std::min(line, kMostColumns)),
        blocks((line + columns - 1) / columns) {}

  // How many of the columns from `first` on line i has; the last line may end early.
  std::int64_t width(std::int64_t i, std::int64_t first) const {
    return std::min({columns, line - first, middle * inner - i * line - first});
  }
};

}  // namespace ratnet::inline v1
