// How well a predicted segmentation covers the true one, by voxels and by surfaces.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../core/view.h"

namespace ratnet::inline v1 {

// Label maps are [Z, Y, X] or [Y, X], u8 or i32, on the host; truth and prediction have equal
// shapes. Throws Error (usage) for others.

struct Overlap {
  std::int64_t truth = 0;      // voxels of the class
  std::int64_t predicted = 0;  // voxels called so
  std::int64_t both = 0;

  // 2 both / (truth + predicted), which is the voxels' F1 (Dice 1945), and both / either (Jaccard
  // 1912). 0 where one of the two is empty, NaN where both are.
  double dice() const;
  double iou() const;
};

// Of the classes 0..classes-1. Throws Error: usage (classes < 1), input (a label outside).
std::vector<Overlap> overlap_by_class(ConstView truth, ConstView predicted, int classes);

// All in mm, and NaN where the class is missing in either map: there is no surface to measure to.
struct SurfaceDistances {
  double hausdorff = 0;    // the largest distance from one surface to the other
  double hausdorff95 = 0;  // the larger of the two directions' 95th percentiles
  double average = 0;      // mean over the voxels of both surfaces (ASSD)
};

// Distances between the surfaces of a class: from the centre of each surface voxel (surface_of() in
// mask.h) to the nearest one of the other surface. Percentiles are interpolated linearly, as
// NumPy's. spacing: mm between voxel centres in the order of the map's sizes. Throws Error (usage)
// for a spacing that is not positive or of another length. Source of the definitions: Maier-Hein
// and others, Metrics Reloaded, Nature Methods 2024.
SurfaceDistances surface_distances(ConstView truth, ConstView predicted, std::int32_t label,
                                   std::span<const double> spacing);

}  // namespace ratnet::inline v1
