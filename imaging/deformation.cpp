#include "deformation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>

namespace ratnet::inline v1 {
namespace {

using Matrix3 = std::array<Number3, 3>;

// The four weights of a uniform cubic B-spline at 0 <= t < 1 between its two middle knots.
std::array<double, 4> spline_weights(double t) {
  const double s = 1 - t;
  return {s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * s * s + 3 * s * s * s) / 6,
          t * t * t / 6};
}

// The knots that reach voxel `index` of an axis, and their weights.
struct KnotTaps {
  std::int64_t first = 0;
  int count = 1;
  std::array<double, 4> weights{1, 0, 0, 0};
};

KnotTaps knot_taps(std::int64_t voxels, std::int64_t index, double spacing, double knot_spacing) {
  if (voxels == 1) return {};
  const double position = static_cast<double>(index) * spacing / knot_spacing;
  const double low = std::floor(position);
  return {static_cast<std::int64_t>(low), 4, spline_weights(position - low)};
}

// Displacements in mm along one line of voxels: first the knots of its D and H, then along W.
class FieldLine {
 public:
  FieldLine(const DisplacementField& field, const ImageGrid& grid, const Number3& spacing)
      : field_(field),
        grid_(grid),
        spacing_(spacing),
        knots_(knots_of(grid, spacing, field.spacing)) {
    for (std::int64_t w = 0; w < grid.size[2]; ++w)
      taps_.push_back(knot_taps(grid.size[2], w, spacing[2], field.spacing));
    line_.resize(static_cast<std::size_t>(knots_[2] * 3));
  }

  void move_to(std::int64_t d, std::int64_t h) {
    const KnotTaps deep = knot_taps(grid_.size[0], d, spacing_[0], field_.spacing);
    const KnotTaps high = knot_taps(grid_.size[1], h, spacing_[1], field_.spacing);
    std::ranges::fill(line_, 0.0);
    for (int i = 0; i < deep.count; ++i)
      for (int j = 0; j < high.count; ++j) {
        const double weight =
            deep.weights[static_cast<std::size_t>(i)] * high.weights[static_cast<std::size_t>(j)];
        const std::int64_t row = (deep.first + i) * knots_[1] + high.first + j;
        const double* from = field_.coefficients.data() + row * knots_[2] * 3;
        for (std::size_t k = 0; k < line_.size(); ++k) line_[k] += weight * from[k];
      }
  }

  Number3 at(std::int64_t w) const {
    const KnotTaps& taps = taps_[static_cast<std::size_t>(w)];
    Number3 sum{};
    for (int k = 0; k < taps.count; ++k)
      for (std::size_t axis = 0; axis < 3; ++axis)
        sum[axis] += taps.weights[static_cast<std::size_t>(k)] *
                     line_[static_cast<std::size_t>((taps.first + k) * 3) + axis];
    return sum;
  }

 private:
  const DisplacementField& field_;
  const ImageGrid& grid_;
  const Number3& spacing_;
  Size3 knots_;
  std::vector<KnotTaps> taps_;
  std::vector<double> line_;
};

// From mm in the result to mm in the image: rotation, shear and scale undone in turn.
Number3 undo(const Deformation& deformation, const std::array<bool, 3>& flat, Number3 q) {
  for (int axis = 2; axis >= 0; --axis) {
    const auto from = static_cast<std::size_t>((axis + 1) % 3);
    const auto to = static_cast<std::size_t>((axis + 2) % 3);
    if (flat[from] || flat[to]) continue;
    const double angle =
        deformation.rotation[static_cast<std::size_t>(axis)] * std::numbers::pi / 180;
    const double along = std::cos(angle) * q[from] + std::sin(angle) * q[to];
    q[to] = std::cos(angle) * q[to] - std::sin(angle) * q[from];
    q[from] = along;
  }
  q[1] -= deformation.shear[0] * q[0];
  q[2] -= deformation.shear[1] * q[0] + deformation.shear[2] * q[1];
  for (std::size_t axis = 0; axis < 3; ++axis) q[axis] /= deformation.scale[axis];
  return q;
}

// The neighbours a point between voxels is made of, and their shares.
struct Neighbours {
  std::array<std::int64_t, 8> voxel;  // -1 outside
  std::array<double, 8> share;
  std::size_t count = 0;
};

Neighbours neighbours(const ImageGrid& grid, const Number3& position) {
  std::array<std::int64_t, 3> low{};
  Number3 rest{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    // Turns by right angles end within rounding of a voxel: they shall be exact.
    const double whole = std::round(position[axis]);
    const double near = std::abs(position[axis] - whole) < 1e-9 ? whole : position[axis];
    const double inside = std::clamp(near, -2.0, static_cast<double>(grid.size[axis]) + 1);
    low[axis] = static_cast<std::int64_t>(std::floor(inside));
    rest[axis] = inside - std::floor(inside);
  }
  Neighbours found;
  for (int corner = 0; corner < 8; ++corner) {
    double share = 1;
    bool inside = true;
    Size3 at{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const bool upper = ((corner >> (2 - axis)) & 1) != 0;
      share *= upper ? rest[axis] : 1 - rest[axis];
      at[axis] = low[axis] + (upper ? 1 : 0);
      inside = inside && at[axis] >= 0 && at[axis] < grid.size[axis];
    }
    if (share == 0) continue;  // its voxel may be infinite
    found.voxel[found.count] = inside ? grid.at(at[0], at[1], at[2]) : -1;
    found.share[found.count++] = share;
  }
  return found;
}

std::uint8_t majority(const std::uint8_t* mask, const Neighbours& near) {
  std::array<std::uint8_t, 8> label{};
  for (std::size_t i = 0; i < near.count; ++i)
    label[i] = near.voxel[i] < 0 ? std::uint8_t{0} : mask[near.voxel[i]];
  std::uint8_t best = label[0];
  double most = -1;
  for (std::size_t i = 0; i < near.count; ++i) {
    double share = 0;
    for (std::size_t j = 0; j < near.count; ++j)
      if (label[j] == label[i]) share += near.share[j];
    if (share > most || (share == most && label[i] < best)) {
      most = share;
      best = label[i];
    }
  }
  return best;
}

std::uint8_t nearest(const std::uint8_t* mask, const Neighbours& near) {
  const auto* end = near.share.begin() + near.count;
  const auto best =
      static_cast<std::size_t>(std::max_element(near.share.begin(), end) - near.share.begin());
  return near.voxel[best] < 0 ? std::uint8_t{0} : mask[near.voxel[best]];
}

void check(const Deformation& deformation, const ImageGrid& grid) {
  const auto finite = [](const Number3& numbers) {
    return std::ranges::all_of(numbers, [](double x) { return std::isfinite(x); });
  };
  const auto positive = [&](const Number3& numbers) {
    return finite(numbers) && std::ranges::all_of(numbers, [](double x) { return x > 0; });
  };
  require(positive(deformation.spacing), "deform: spacing must be above 0 mm, got ",
          deformation.spacing[0], ", ", deformation.spacing[1], ", ", deformation.spacing[2]);
  require(positive(deformation.scale), "deform: scale must be above 0, got ", deformation.scale[0],
          ", ", deformation.scale[1], ", ", deformation.scale[2]);
  require(finite(deformation.shear) && finite(deformation.rotation),
          "deform: shear and rotation must be finite");
  if (deformation.field.coefficients.empty()) return;
  const Size3 knots = knots_of(grid, deformation.spacing, deformation.field.spacing);
  const auto wanted = static_cast<std::size_t>(knots[0] * knots[1] * knots[2] * 3);
  require(deformation.field.coefficients.size() == wanted, "deform: the field has ",
          deformation.field.coefficients.size(), " coefficients, expected ", wanted);
}

bool disjoint(const ConstView& a, const ConstView& b) {
  const auto* first = static_cast<const char*>(a.data);
  const auto* second = static_cast<const char*>(b.data);
  return first + a.bytes() <= second || second + b.bytes() <= first;
}

bool moves(const Deformation& deformation) {
  return deformation.scale != Number3{1, 1, 1} || deformation.shear != Number3{} ||
         deformation.rotation != Number3{} || !deformation.field.coefficients.empty() ||
         deformation.mirror != std::array<bool, 3>{};
}

}  // namespace

Size3 knots_of(const ImageGrid& grid, const Number3& spacing, double knot_spacing) {
  Size3 knots{1, 1, 1};
  double all = 3;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (grid.size[axis] == 1) continue;
    const double cells = static_cast<double>(grid.size[axis] - 1) * spacing[axis] / knot_spacing;
    // Not finite for a spacing of 0, so that it is refused too.
    all *= std::floor(cells) + 4;
    require(knot_spacing > 0 && all <= 0x1p26, "displacement field: knots every ", knot_spacing,
            " mm are too many for an image of ", grid.size[0], " x ", grid.size[1], " x ",
            grid.size[2], " voxels; choose a wider spacing");
    knots[axis] = static_cast<std::int64_t>(cells) + 4;
  }
  return knots;
}

void deform(const Deformation& deformation, const ConstView& image, const ConstView& mask,
            const View& moved, const View& moved_mask, float outside, LabelSampling labels) {
  const ImageGrid grid = image_grid("deform", image);
  require(moved.data && moved.dtype == DType::f32 && moved.shape == image.shape &&
              disjoint(image, moved),
          "deform takes two different images of equal size, got ", image.shape, " and ",
          moved.shape);
  require((mask.data == nullptr) == (moved_mask.data == nullptr),
          "deform: a mask and its result go together");
  if (mask) {
    check_mask("deform", image, mask);
    check_mask("deform", image, moved_mask);
    require(disjoint(mask, moved_mask), "deform: the mask's result needs memory of its own");
  }
  check(deformation, grid);
  if (!moves(deformation)) {
    std::memcpy(moved.data, image.data, image.bytes());
    if (mask) std::memcpy(moved_mask.data, mask.data, mask.bytes());
    return;
  }

  std::array<bool, 3> flat{};
  Number3 centre{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    flat[axis] = grid.size[axis] == 1;
    centre[axis] = static_cast<double>(grid.size[axis] - 1) / 2;
  }
  Matrix3 inverse;  // its column n is where a mm along axis n comes from
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Number3 unit{};
    unit[axis] = 1;
    inverse[axis] = undo(deformation, flat, unit);
  }

  const float* from = image.as<float>();
  float* to = moved.as<float>();
  const std::uint8_t* labels_from = mask ? mask.as<std::uint8_t>() : nullptr;
  std::uint8_t* labels_to = mask ? moved_mask.as<std::uint8_t>() : nullptr;
  const bool displaced = !deformation.field.coefficients.empty();
  const Number3& spacing = deformation.spacing;
  std::unique_ptr<FieldLine> line;
  if (displaced) line = std::make_unique<FieldLine>(deformation.field, grid, spacing);
  const auto shown = [&](std::size_t axis, std::int64_t index) {
    return deformation.mirror[axis] ? grid.size[axis] - 1 - index : index;
  };
  std::int64_t voxel = 0;
  for (std::int64_t d = 0; d < grid.size[0]; ++d)
    for (std::int64_t h = 0; h < grid.size[1]; ++h) {
      const std::int64_t own_d = shown(0, d), own_h = shown(1, h);
      if (displaced) line->move_to(own_d, own_h);
      for (std::int64_t w = 0; w < grid.size[2]; ++w, ++voxel) {
        const std::int64_t own_w = shown(2, w);
        const Number3 own{static_cast<double>(own_d), static_cast<double>(own_h),
                          static_cast<double>(own_w)};
        const Number3 displacement = displaced ? line->at(own_w) : Number3{};
        Number3 place = centre;
        for (std::size_t n = 0; n < 3; ++n) {
          if (flat[n]) continue;
          const double q = (own[n] - centre[n]) * spacing[n] + displacement[n];
          for (std::size_t axis = 0; axis < 3; ++axis)
            if (!flat[axis]) place[axis] += inverse[n][axis] * q / spacing[axis];
        }
        const Neighbours near = neighbours(grid, place);
        for (std::int64_t c = 0; c < grid.channels; ++c) {
          double sum = 0;
          for (std::size_t i = 0; i < near.count; ++i)
            sum += near.share[i] *
                   static_cast<double>(near.voxel[i] < 0 ? outside
                                                         : from[near.voxel[i] * grid.channels + c]);
          to[voxel * grid.channels + c] = static_cast<float>(sum);
        }
        if (labels_to)
          labels_to[voxel] = labels == LabelSampling::majority ? majority(labels_from, near)
                                                               : nearest(labels_from, near);
      }
    }
}

}  // namespace ratnet::inline v1
