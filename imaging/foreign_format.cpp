#include "foreign_format.h"

#include <algorithm>
#include <string_view>

namespace ratnet::inline v1 {

std::string foreign_format(const std::string& path, std::span<const std::byte> start) {
  const std::string_view bytes(reinterpret_cast<const char*>(start.data()), start.size());
  const std::string_view name = path;
  const auto starts = [&](std::string_view magic) {
    return bytes.substr(0, magic.size()) == magic;
  };
  const auto ends = [&](std::string_view suffix) {
    return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
  };

  if (bytes.empty()) return "is empty; get the file anew";
  if (starts(std::string_view("CDF\x01", 4)) || starts(std::string_view("CDF\x02", 4)))
    return "is MINC 1, not NIfTI; convert it with mnc2nii";
  if (starts("\x89HDF\r\n\x1a\n"))
    return ends(".mnc") ? "is MINC 2, not NIfTI; convert it with mnc2nii"
                        : "is HDF5, not NIfTI; give it a name that ends in .h5";
  if (ends(".mgz") || ends(".mgh"))
    return "is FreeSurfer MGH, not NIfTI; convert it with mri_convert";
  if (starts("MATRIX7")) return "is ECAT 7, not NIfTI; convert it to NIfTI first";
  if (ends(".HEAD") || ends(".BRIK") || ends(".BRIK.gz"))
    return "is AFNI, not NIfTI; convert it with 3dAFNItoNIFTI";
  if (starts("NRRD")) return "is NRRD, not NIfTI; convert it to NIfTI first";
  if (bytes.size() >= 132 && bytes.substr(128, 4) == "DICM")
    return "is DICOM, not NIfTI; convert it with dcm2niix";
  // NIfTI's ancestor has the same first number and no magic at the end of its header.
  const std::string_view size = bytes.substr(0, 4);
  if (bytes.size() >= 348 && (size == std::string_view("\x5c\x01\x00\x00", 4) ||
                              size == std::string_view("\x00\x00\x01\x5c", 4)))
    return "is ANALYZE 7.5, not NIfTI: it does not say which way the head lies; convert it to "
           "NIfTI first";
  if (bytes.size() < 348) return "is too short for a NIfTI file; it is truncated or something else";
  return "is not a NIfTI file";
}

}  // namespace ratnet::inline v1
