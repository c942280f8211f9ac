// A scan in memory: its values and its geometry.
//
// Array axes are numbered as in NIfTI: axis 0 (i, "x") varies fastest, then 1 (j), then 2 (k).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../core/tensor.h"

namespace ratnet::inline v1 {

// Row-major 4x4: world = affine * (i, j, k, 1), in mm, +x towards the subject's right, +y anterior,
// +z superior. The last row is 0 0 0 1.
using Affine = std::array<std::array<double, 4>, 4>;

// Where the voxels of a scan are, without their values.
struct ScanGeometry {
  std::array<std::int64_t, 3> sizes{1, 1, 1};  // voxels along axis 0, 1, 2
  std::int64_t times = 1;                      // volumes
  Affine affine{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  std::array<double, 3> spacing{1, 1, 1};  // mm between voxel centres along axis 0, 1, 2
  std::string orientation = "RAS";         // where each axis points to: one of LR, AP, IS each
  bool orientation_known = false;          // false: the file says nothing, RAS is only assumed
  int slice_axis = -1;                     // the axis the file names as its slice axis, or -1
  std::optional<double> repetition_time;   // s; absent where the file has none that can be believed
};

// Voxel values with their geometry.
struct Volume {
  Tensor data;  // [T, Z, Y, X] f32: sizes[2], sizes[1], sizes[0] last, X fastest; scaling applied
  ScanGeometry geometry;
  std::string stored;              // how the file holds it: "NIfTI-1, i16, gzip"
  std::vector<std::string> notes;  // what a reader of results should know, a sentence each
};

// The pixels of a 2D slice.
struct SliceGrid {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  double row_spacing = 1;     // mm from one row to the next
  double column_spacing = 1;  // mm from one column to the next
};

// The direction each array axis comes closest to, as three letters: "RAS" means axis 0 runs to the
// right, axis 1 to anterior, axis 2 to superior. Every pair (LR, AP, IS) is used once. "" for an
// affine that maps to no volume (a zero, infinite or dependent column).
std::string orientation_of(const Affine& affine);

// Lengths of the affine's first three columns.
std::array<double, 3> spacing_of(const Affine& affine);

// Throws Error (usage) unless data is [T, Z, Y, X] f32 with the geometry's sizes.
void check(const Volume& volume);

}  // namespace ratnet::inline v1
