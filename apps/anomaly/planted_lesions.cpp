#include "planted_lesions.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <optional>
#include <vector>

#include "../../core/error.h"
#include "../../train/image_hash.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

using Index = std::array<std::int64_t, 3>;  // slice, row, column

constexpr int kTries = 2000;
constexpr std::int64_t kFewVoxels = 16;  // along an axis, of a first look at a place
constexpr double kLeastSpacing = 0.01, kMostSpacing = 100;  // mm
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
  // Ends where `what` gives false, which it then gives too. steps: along each axis.
  template <class What>
  bool each(const What& what, const Index& steps = {1, 1, 1}) const {
    for (std::int64_t s = first[0]; s <= last[0]; s += steps[0])
      for (std::int64_t r = first[1]; r <= last[1]; r += steps[1])
        for (std::int64_t c = first[2]; c <= last[2]; c += steps[2])
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
  const Tensor brain = brain_as_floats(prepared.brain);
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
  // By every so many voxels along each axis.
  bool looks_fit(const Lesion& lesion, const Box& box, const Index& steps) const {
    const bool inside = box.each(
        [&](const Index& n) { return is_free(n) || share_of(lesion, grid, n) <= 0; }, steps);
    if (!inside || difference > 0) return inside;
    double asked = 0, real = 0;
    box.each(
        [&](const Index& n) {
          const double share = is_free(n) ? share_of(lesion, grid, n) : 0;
          asked += difference * share;
          if (share > 0) real += change(n, share);
          return true;
        },
        steps);
    return real <= kRealContrast * asked;  // both are below 0
  }
  bool fits(const Lesion& lesion, const Box& box, const Index& centre) const {
    if (share_of(lesion, grid, centre) <= 0) return false;
    // A few voxels tell most of what does not fit, at a small share of the work.
    Index steps;
    for (std::size_t axis = 0; axis < 3; ++axis)
      steps[axis] = 1 + (box.last[axis] - box.first[axis]) / kFewVoxels;
    return looks_fit(lesion, box, steps) && looks_fit(lesion, box, {1, 1, 1});
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
    std::vector<std::int64_t> centres;
    for (std::size_t at = 0; at < free.size(); ++at)
      if (free[at] != 0) centres.push_back(static_cast<std::int64_t>(at));
    for (int i = 0; i < kTries && !centres.empty(); ++i) {
      const Index centre = grid.index(centres[static_cast<std::size_t>(
          random.integer(static_cast<std::int64_t>(centres.size())))]);
      if (!may_fit(centre)) continue;
      const Lesion lesion(random, options.kind, LesionShape::blob, grid.point(centre), radius(),
                          grid.spacing[0]);
      // The outline's waves can make it this much longer than its radius.
      const Box box = Box{centre, centre}.grown(grid, 2.5 * radius() + 2, lesion.reach_z());
      if (!fits(lesion, box, centre)) continue;
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
  const std::string who = "subject '" + subject.name + "'";
  const std::array<double, 3> spacing = {slice_spacing, subject.row_spacing,
                                         subject.column_spacing};
  if (!std::ranges::all_of(spacing,
                           [](double mm) { return mm >= kLeastSpacing && mm <= kMostSpacing; }))
    fail(ErrorKind::input, who, ": voxels of ", spacing[0], " x ", spacing[1], " x ", spacing[2],
         " mm, expected ", kLeastSpacing, " to ", kMostSpacing, " along each axis");
  const PreparedSubject prepared = prepare_subject(subject, preparation);
  const Shape& shape = subject.images.shape;
  if (!(prepared.range > 0))
    fail(ErrorKind::input, who,
         ": no slice can be judged: no brain was found in it, or one of a single brightness");
  const std::span<const float> values(subject.images.as<float>(),
                                      static_cast<std::size_t>(subject.images.count()));
  const double difference = options.contrast * prepared.range;
  const auto [least, most] = std::ranges::minmax(values);
  const auto largest = static_cast<double>(std::max(std::abs(least), std::abs(most)));
  if (!(difference + largest <= static_cast<double>(FLT_MAX)))
    fail(ErrorKind::input, who, ": values of ", largest,
         " are too large for lesions that differ by ", difference,
         ": use a lower contrast or scale the scan");
  Planting planting{
      .options = options,
      .grid = {{shape[0], shape[1], shape[2]}, spacing},
      .values = values,
      .difference = options.kind == LesionKind::hyperintense ? difference : -difference,
      .least = static_cast<double>(least),
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
