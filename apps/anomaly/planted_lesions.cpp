#include "planted_lesions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "../../core/error.h"
#include "../../train/image_hash.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

using Index = std::array<std::int64_t, 3>;  // slice, row, column

constexpr int kTries = 20000;
constexpr double kGap = 6;             // mm between two lesions, two judged pixels and more
constexpr double kRealContrast = 0.9;  // of what was asked, on average over the lesion

// The voxels of a scan as a box of points around its middle, in mm.
struct Grid {
  Index sizes;
  std::array<double, 3> spacing;

  std::int64_t at(const Index& n) const { return (n[0] * sizes[1] + n[1]) * sizes[2] + n[2]; }
  Index index(std::int64_t at) const {
    return {at / (sizes[1] * sizes[2]), at / sizes[2] % sizes[1], at % sizes[2]};
  }
  double along(std::size_t axis, double n) const {
    return (n - static_cast<double>(sizes[axis] - 1) / 2) * spacing[axis];
  }
  HeadPoint point(const Index& n, double ds = 0, double dr = 0, double dc = 0) const {
    return {along(2, static_cast<double>(n[2]) + dc), along(1, static_cast<double>(n[1]) + dr),
            along(0, static_cast<double>(n[0]) + ds)};
  }
};

struct Box {
  Index first, last;  // inclusive

  // What lies within so many mm of these voxels.
  Box grown(const Grid& grid, double in_plane, double across) const {
    Box box = *this;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto by = static_cast<std::int64_t>(
          std::ceil((axis == 0 ? across : in_plane) / grid.spacing[axis]));
      box.first[axis] = std::max<std::int64_t>(0, box.first[axis] - by);
      box.last[axis] = std::min(grid.sizes[axis] - 1, box.last[axis] + by);
    }
    return box;
  }
  // Ends where `what` gives false, which it then gives too.
  template <class What>
  bool each(const What& what) const {
    for (std::int64_t s = first[0]; s <= last[0]; ++s)
      for (std::int64_t r = first[1]; r <= last[1]; ++r)
        for (std::int64_t c = first[2]; c <= last[2]; ++c)
          if (!what(Index{s, r, c})) return false;
    return true;
  }
};

// Of a voxel, from the middles of its eight parts.
double share_of(const Lesion& lesion, const Grid& grid, const Index& n) {
  double share = 0;
  for (const double s : {-0.25, 0.25})
    for (const double r : {-0.25, 0.25})
      for (const double c : {-0.25, 0.25}) share += lesion.cover(grid.point(n, s, r, c)) / 8;
  return share;
}

// 1 in the brain of the judged slices, [S, H, W].
std::vector<std::uint8_t> judged_brain(const PreparedSubject& prepared, const Grid& grid,
                                       const SliceGrid& slice) {
  std::vector<std::uint8_t> free(
      static_cast<std::size_t>(grid.sizes[0] * grid.sizes[1] * grid.sizes[2]), 0);
  const Tensor brain = brain_as_floats(prepared);
  for (std::int64_t s = 0; s < grid.sizes[0]; ++s) {
    if (!prepared.judged[static_cast<std::size_t>(s)]) continue;
    const Tensor shown = to_input_grid(slice_of<float>(brain, s), slice);
    std::ranges::transform(shown.values<float>(), free.begin() + grid.at({s, 0, 0}),
                           [](float value) { return value >= 0.5f; });
  }
  return free;
}

struct Planting {
  const PlantingOptions& options;
  Grid grid;
  std::span<const float> values;  // of the scan
  double difference;              // from the tissue, in the scan's units
  double least;                   // the scan's darkest
  std::vector<std::uint8_t> free;

  double radius() const { return options.diameter / 2; }
  bool is_free(const Index& n) const { return free[static_cast<std::size_t>(grid.at(n))] != 0; }
  double change(const Index& n, double share) const {
    const auto value = static_cast<double>(values[static_cast<std::size_t>(grid.at(n))]);
    return std::max(difference * share, least - value);
  }
  // A guess that saves most of the work where there is no room.
  bool may_fit(const Index& centre) const {
    if (!is_free(centre)) return false;
    for (std::size_t axis = 1; axis < 3; ++axis)
      for (const double side : {-0.6, 0.6}) {
        Index n = centre;
        n[axis] += std::lround(side * radius() / grid.spacing[axis]);
        if (n[axis] < 0 || n[axis] >= grid.sizes[axis] || !is_free(n)) return false;
      }
    return true;
  }
  bool fits(const Lesion& lesion, const Box& box) const {
    double asked = 0, real = 0;
    const bool inside = box.each([&](const Index& n) {
      const double share = share_of(lesion, grid, n);
      if (share <= 0) return true;
      asked += difference * share;
      real += change(n, share);
      return is_free(n);
    });
    return inside && asked != 0 && real / asked >= kRealContrast;
  }
  std::optional<Box> draw(const Lesion& lesion, const Box& box, PlantedLesions& planted) {
    std::optional<Box> mask;
    box.each([&](const Index& n) {
      const double share = share_of(lesion, grid, n);
      if (share <= 0) return true;
      const auto at = static_cast<std::size_t>(grid.at(n));
      planted.change.values<float>()[at] = static_cast<float>(change(n, share));
      if (share < 0.5) return true;
      planted.masks.values<std::uint8_t>()[at] = 1;
      if (!mask) mask = Box{n, n};
      for (std::size_t axis = 0; axis < 3; ++axis) {
        mask->first[axis] = std::min(mask->first[axis], n[axis]);
        mask->last[axis] = std::max(mask->last[axis], n[axis]);
      }
      return true;
    });
    return mask;
  }
  void plant_one(Random& random, PlantedLesions& planted) {
    for (int i = 0; i < kTries; ++i) {
      const Index centre = grid.index(random.integer(static_cast<std::int64_t>(free.size())));
      if (!may_fit(centre)) continue;
      const Lesion lesion(random, options.kind, LesionShape::blob, grid.point(centre), radius(),
                          grid.spacing[0]);
      // The outline's waves can make it this much longer than its radius.
      const Box box = Box{centre, centre}.grown(grid, 2.5 * radius() + 2, lesion.reach_z());
      if (!fits(lesion, box)) continue;
      const std::optional<Box> mask = draw(lesion, box, planted);
      (mask ? *mask : Box{centre, centre}).grown(grid, kGap, kGap).each([&](const Index& n) {
        free[static_cast<std::size_t>(grid.at(n))] = 0;
        return true;
      });
      return;
    }
    fail(ErrorKind::input, "has no room for ", options.lesions, " lesion",
         options.lesions == 1 ? "" : "s", " of ", options.diameter, " mm inside the judged brain, ",
         options.contrast, " interquartile ranges (", std::abs(difference), ") ",
         difference > 0 ? "brighter" : "darker",
         " than the tissue: use fewer, a smaller diameter or a lower contrast");
  }
};

}  // namespace

void PlantingOptions::check() const {
  require(kind == LesionKind::hyperintense || kind == LesionKind::hypointense,
          "lesions that are planted are hyperintense or hypointense");
  require(diameter >= 1 && diameter <= 60, "lesions of ", diameter, " mm: use 1 to 60");
  require(contrast > 0 && contrast <= 10, "lesions of contrast ", contrast,
          ": use above 0 to 10 interquartile ranges");
  require(lesions >= 1 && lesions <= 20, lesions, " lesions in a scan: use 1 to 20");
}

PlantedLesions plant_lesions(const SubjectSlices& subject, double slice_spacing,
                             const PlantingOptions& options,
                             const PreparationOptions& preparation) {
  options.check();
  const PreparedSubject prepared = prepare_subject(subject, preparation);
  const Shape& shape = subject.images.shape;
  const std::string who = "subject '" + subject.name + "'";
  if (!(prepared.range > 0))
    fail(ErrorKind::input, who,
         ": no slice can be judged: no brain was found in it, or one of a single brightness");
  if (!(slice_spacing > 0) || !std::isfinite(slice_spacing))
    fail(ErrorKind::input, who, ": slices ", slice_spacing, " mm apart, expected more than 0");
  const std::span<const float> values(subject.images.as<float>(),
                                      static_cast<std::size_t>(subject.images.count()));
  Planting planting{.options = options,
                    .grid = {{shape[0], shape[1], shape[2]},
                             {slice_spacing, subject.row_spacing, subject.column_spacing}},
                    .values = values,
                    .difference = (options.kind == LesionKind::hyperintense ? 1 : -1) *
                                  options.contrast * prepared.range,
                    .least = static_cast<double>(*std::ranges::min_element(values)),
                    .free = {}};
  planting.free = judged_brain(prepared, planting.grid,
                               {shape[1], shape[2], subject.row_spacing, subject.column_spacing});
  PlantedLesions planted{Tensor(shape, DType::f32), Tensor(shape, DType::u8)};
  Random random(options.seed, hash_image(std::as_bytes(values), sizeof(float)).low);
  try {
    for (int i = 0; i < options.lesions; ++i) planting.plant_one(random, planted);
  } catch (const Error& error) {
    throw error.with_context(who);
  }
  return planted;
}

}  // namespace ratnet::inline v1
