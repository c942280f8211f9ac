// Between the header's ways of writing an orientation and an affine (NIfTI-1 standard, "3D image
// (volume) orientation and location in space").
#pragma once

#include <array>
#include <optional>

#include "volume.h"

namespace ratnet::inline v1 {

// The qform: a rotation as a unit quaternion (its real part is implied), the sign of the third
// axis, and the world position of voxel (0, 0, 0).
struct NiftiQform {
  double b = 0, c = 0, d = 0;
  double handedness = 1;  // pixdim[0]: -1 turns the third axis round
  std::array<double, 3> offset{};
};

Affine affine_from_qform(const NiftiQform& qform, const std::array<double, 3>& spacing);

// The qform of an affine, or none when its axes are not perpendicular.
std::optional<NiftiQform> qform_from_affine(const Affine& affine);

}  // namespace ratnet::inline v1
