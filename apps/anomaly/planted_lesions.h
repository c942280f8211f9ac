// Lesions drawn into a real scan, with exact masks: what a model finds in the scans of one's own.
#pragma once

#include <cstdint>

#include "lesion.h"
#include "prepare.h"

namespace ratnet::inline v1 {

struct PlantingOptions {
  LesionKind kind = LesionKind::hyperintense;  // or hypointense
  // mm, of a disc of the lesion's area in its middle slice, 1 to 60. Across slices it is 0.65 to
  // 1.1 times as long, and at least 6 mm and 1.4 times the slices' spacing.
  double diameter = 12;
  double contrast = 2;  // to the tissue it lies in, interquartile ranges of the brain, up to 10
  int lesions = 1;      // of each scan, 1 to 20
  std::uint64_t seed = 1;

  void check() const;  // throws Error (usage)
};

struct PlantedLesions {
  Tensor change;  // f32 [S, H, W], to be added to the scan; 0 but in lesions and their soft rims
  Tensor masks;   // u8 [S, H, W], 1 where half of the voxel is lesion
};

// Blobs of ragged outline and soft rim, apart from one another and wholly inside the brain of the
// judged slices, where the scan can be as much brighter or darker; nothing becomes darker than the
// scan's darkest voxel. The same scan, seed and diameter give the same places and shapes, of bright
// lesions whatever the contrast. slice_spacing: mm. Throws Error: usage as check() does,
// input as prepare_subject does, for voxels of other sizes than 0.01 to 100 mm, for values that
// would leave f32 and where there is no room for them.
PlantedLesions plant_lesions(const SubjectSlices& subject, double slice_spacing,
                             const PlantingOptions& options = {},
                             const PreparationOptions& preparation = {});

}  // namespace ratnet::inline v1
