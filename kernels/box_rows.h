// The rows of memory that a box is made of.
#pragma once

#include <cstdint>

#include "copy_box.h"

namespace ratnet::inline v1 {

// A CopyBox with as few dimensions as tell its places apart: those that the box takes whole are one
// with the dimension before, except for the first, so that every sample has a row. The last of what
// remains is a row; rows are counted in y where it is cleared, else in the box.
struct BoxRows {
  int rank = 0;
  std::int64_t x[Shape::kMaxRank] = {}, y[Shape::kMaxRank] = {}, size[Shape::kMaxRank] = {};
  std::int64_t from[Shape::kMaxRank] = {}, to[Shape::kMaxRank] = {};
  bool clear = false;

  explicit BoxRows(const CopyBox& op) : clear(op.clear) {
    for (int d = 0; d < op.size.rank(); ++d) {
      const bool merged = rank > 1 && op.size[d] == op.x.shape[d] && op.size[d] == op.y.shape[d];
      const std::int64_t count = op.size[d];
      const int at = merged ? rank - 1 : rank++;
      x[at] = merged ? x[at] * count : op.x.shape[d];
      y[at] = merged ? y[at] * count : op.y.shape[d];
      size[at] = merged ? size[at] * count : count;
      from[at] = merged ? from[at] * count : op.from[d];
      to[at] = merged ? to[at] * count : op.to[d];
    }
  }

  constexpr std::int64_t rows() const {
    std::int64_t count = 1;
    for (int d = 0; d + 1 < rank; ++d) count *= clear ? y[d] : size[d];
    return count;
  }

  // How many rows from the i-th on, itself included, follow one another in both tensors.
  constexpr std::int64_t neighbours(std::int64_t i) const {
    return rank < 2 || clear ? 1 : size[rank - 2] - i % size[rank - 2];
  }

  struct Row {
    std::int64_t x = 0, y = 0;  // as rows of the tensors are counted
    bool inside = true;         // the box; else x means nothing
  };
  constexpr Row row(std::int64_t i) const {
    Row row;
    std::int64_t x_stride = 1, y_stride = 1;
    for (int d = rank - 2; d >= 0; --d) {
      const std::int64_t sizes = clear ? y[d] : size[d];
      const std::int64_t rest = d > 0 ? i / sizes : 0;
      const std::int64_t at = i - rest * sizes + (clear ? 0 : to[d]);
      i = rest;
      row.inside = row.inside && at >= to[d] && at < to[d] + size[d];
      row.y += at * y_stride;
      row.x += (at - to[d] + from[d]) * x_stride;
      y_stride *= y[d];
      x_stride *= x[d];
    }
    return row;
  }
};

}  // namespace ratnet::inline v1
