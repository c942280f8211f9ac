// Parses the header of a NIfTI file. Inside the library only.
#pragma once

#include "input_file.h"
#include "nifti.h"

namespace ratnet::inline v1 {

// Reads the header from the start of the file and checks it. Leaves the file behind the header.
NiftiInfo parse_nifti_header(InputFile& file);

// Bytes of one stored volume (all three sizes). Cannot overflow for a parsed header.
std::uint64_t volume_bytes(const NiftiInfo& info);

// Where the last volume ends in the (unpacked) file that holds the voxels.
std::uint64_t voxels_end(const NiftiInfo& info);

}  // namespace ratnet::inline v1
