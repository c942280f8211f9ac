// Names the formats that are often taken for NIfTI.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ratnet::inline v1 {

// What a file that is not NIfTI is, and what to do with it: "is MINC 1, not NIfTI; convert it with
// mnc2nii". From its first bytes (unpacked) and its name; "is not a NIfTI file" when unknown.
std::string foreign_format(const std::string& path, std::span<const std::byte> start);

}  // namespace ratnet::inline v1
