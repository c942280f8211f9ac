#include "mask.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t index(const Mask& mask, std::int64_t z, std::int64_t y, std::int64_t x) {
  return static_cast<std::size_t>((z * mask.sizes[1] + y) * mask.sizes[2] + x);
}

template <class Visit>
void for_each_voxel(const Mask& mask, Visit&& visit) {
  for (std::int64_t z = 0; z < mask.sizes[0]; ++z)
    for (std::int64_t y = 0; y < mask.sizes[1]; ++y)
      for (std::int64_t x = 0; x < mask.sizes[2]; ++x) visit(z, y, x);
}

Mask empty_like(int dimensions, const std::array<std::int64_t, 3>& sizes) {
  Mask mask{dimensions, sizes, {}};
  mask.voxels.resize(static_cast<std::size_t>(mask.count()));
  return mask;
}

// Along one line: the lower envelope of the parabolas value[q] + (step (p - q))^2 at every p.
class Line {
 public:
  Line(std::int64_t length, double step)
      : square_(step * step),
        values_(static_cast<std::size_t>(length)),
        vertices_(values_.size()),
        starts_(values_.size()) {}

  std::vector<double>& values() { return values_; }

  void transform() {
    std::size_t parabolas = 0;
    for (std::size_t q = 0; q < values_.size(); ++q) {
      if (values_[q] == kInfinity) continue;
      double start = -kInfinity;  // where q's parabola falls below the one before
      while (parabolas > 0) {
        start = crossing(vertices_[parabolas - 1], q);
        if (start > starts_[parabolas - 1]) break;
        --parabolas;
        start = -kInfinity;
      }
      vertices_[parabolas] = q;
      starts_[parabolas++] = start;
    }
    if (parabolas == 0) return;
    before_ = values_;
    std::size_t lowest = 0;
    for (std::size_t p = 0; p < values_.size(); ++p) {
      const auto place = static_cast<double>(p);
      while (lowest + 1 < parabolas && starts_[lowest + 1] < place) ++lowest;
      const double away = place - static_cast<double>(vertices_[lowest]);
      values_[p] = before_[vertices_[lowest]] + square_ * away * away;
    }
  }

 private:
  double crossing(std::size_t left, std::size_t right) const {
    const auto l = static_cast<double>(left), r = static_cast<double>(right);
    return (l + r) / 2 + (values_[right] - values_[left]) / (2 * square_ * (r - l));
  }

  double square_;
  std::vector<double> values_;
  std::vector<double> before_;
  std::vector<std::size_t> vertices_;  // of the parabolas of the envelope
  std::vector<double> starts_;         // where each begins to be the lowest
};

}  // namespace

std::int64_t Mask::inside() const { return std::count(voxels.begin(), voxels.end(), 1); }

Mask mask_of(ConstView labels, std::int32_t label) {
  const int rank = labels.shape.rank();
  require(rank == 2 || rank == 3, "a label map of shape ", labels.shape,
          " is neither [Z, Y, X] nor [Y, X]");
  require(labels.dtype == DType::u8 || labels.dtype == DType::i32, "a label map of ",
          name_of(labels.dtype), " is neither u8 nor i32");
  std::array<std::int64_t, 3> sizes{1, 1, 1};
  std::size_t axis = rank == 2 ? 1 : 0;
  for (const std::int64_t size : labels.shape.sizes()) sizes[axis++] = size;
  Mask mask = empty_like(rank, sizes);
  const auto fill = [&](const auto* values) {
    for (std::size_t i = 0; i < mask.voxels.size(); ++i) mask.voxels[i] = values[i] == label;
  };
  if (labels.dtype == DType::u8)
    fill(labels.as<std::uint8_t>());
  else
    fill(labels.as<std::int32_t>());
  return mask;
}

MaskPair cropped_to_both(const Mask& first, const Mask& second) {
  require(first.sizes == second.sizes && first.dimensions == second.dimensions, "masks of ",
          first.sizes[0], " x ", first.sizes[1], " x ", first.sizes[2], " and ", second.sizes[0],
          " x ", second.sizes[1], " x ", second.sizes[2], " voxels do not belong together");
  std::array<std::int64_t, 3> low = first.sizes, high{};
  for_each_voxel(first, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    const std::size_t i = index(first, z, y, x);
    if (first.voxels[i] == 0 && second.voxels[i] == 0) return;
    const std::array<std::int64_t, 3> at{z, y, x};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], at[axis]);
      high[axis] = std::max(high[axis], at[axis] + 1);
    }
  });
  std::array<std::int64_t, 3> sizes{};
  for (std::size_t axis = 0; axis < 3; ++axis)
    sizes[axis] = std::max<std::int64_t>(0, high[axis] - low[axis]);
  MaskPair pair{empty_like(first.dimensions, sizes), empty_like(first.dimensions, sizes)};
  for_each_voxel(pair.first, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    const std::size_t from = index(first, z + low[0], y + low[1], x + low[2]);
    const std::size_t to = index(pair.first, z, y, x);
    pair.first.voxels[to] = first.voxels[from];
    pair.second.voxels[to] = second.voxels[from];
  });
  return pair;
}

Mask surface_of(const Mask& mask) {
  Mask surface = empty_like(mask.dimensions, mask.sizes);
  const auto inside = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    return z >= 0 && y >= 0 && x >= 0 && z < mask.sizes[0] && y < mask.sizes[1] &&
           x < mask.sizes[2] && mask.voxels[index(mask, z, y, x)] != 0;
  };
  for_each_voxel(mask, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    const bool within = inside(z, y - 1, x) && inside(z, y + 1, x) && inside(z, y, x - 1) &&
                        inside(z, y, x + 1) &&
                        (mask.dimensions == 2 || (inside(z - 1, y, x) && inside(z + 1, y, x)));
    surface.voxels[index(mask, z, y, x)] = inside(z, y, x) && !within;
  });
  return surface;
}

std::vector<double> squared_distances(const Mask& mask, std::span<const double> spacing) {
  require(spacing.size() == static_cast<std::size_t>(mask.dimensions), spacing.size(),
          " spacings for an image of ", mask.dimensions, " dimensions");
  for (const double step : spacing)
    require(step > 0 && std::isfinite(step), "a spacing of ", step, " mm");
  std::vector<double> squares(mask.voxels.size());
  for (std::size_t i = 0; i < squares.size(); ++i) squares[i] = mask.voxels[i] != 0 ? 0 : kInfinity;
  if (squares.empty()) return squares;

  std::size_t axis = mask.dimensions == 2 ? 1 : 0;
  for (const double step : spacing) {
    const std::int64_t length = mask.sizes[axis];
    const std::int64_t stride = axis == 2   ? 1
                                : axis == 1 ? mask.sizes[2]
                                            : mask.sizes[1] * mask.sizes[2];
    ++axis;
    Line line(length, step);
    std::vector<double>& values = line.values();
    for (std::int64_t outer = 0; outer < mask.count(); outer += length * stride)
      for (std::int64_t inner = outer; inner < outer + stride; ++inner) {
        const auto at = [&](std::size_t i) -> double& {
          return squares[static_cast<std::size_t>(inner + static_cast<std::int64_t>(i) * stride)];
        };
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = at(i);
        line.transform();
        for (std::size_t i = 0; i < values.size(); ++i) at(i) = values[i];
      }
  }
  return squares;
}

}  // namespace ratnet::inline v1
