// The raw fields of a NIfTI header. Inside the library only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

inline constexpr std::size_t kNifti1Size = 348, kNifti2Size = 540;

// The fields that are used, of either version, unchecked; names as in the standard.
struct NiftiFields {
  std::int64_t dim[8];
  double pixdim[8];
  int datatype;
  double offset;  // vox_offset
  double slope, intercept;
  int qform_code, sform_code;
  double quaternion[3], qoffset[3], srow[3][4];
  int units;  // xyzt_units
  int dim_info;
};

// swap: the header was written in the other byte order.
NiftiFields nifti1_fields(std::span<const std::byte, kNifti1Size> header, bool swap);
NiftiFields nifti2_fields(std::span<const std::byte, kNifti2Size> header, bool swap);

}  // namespace ratnet::inline v1
