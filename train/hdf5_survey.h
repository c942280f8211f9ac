// Reads an HDF5 file of slices from end to end and tells what it is: the work that a guarded child
// does with a foreign file.
#pragma once

#include <cstdint>
#include <string>

#include "hdf5_contents.h"
#include "hdf5_pixels.h"

namespace ratnet::inline v1 {

// A file that is HDF5 but no dataset of slices has description.problem set. Throws Error (input)
// when the library cannot make sense of it. file_bytes bounds what the file may claim to hold.
// The pixels go to the store where they fit.
Hdf5Contents survey_hdf5(const std::string& path, std::uint64_t file_bytes,
                         const Hdf5PixelStore& store, Hdf5Pixels pixels = Hdf5Pixels::images);

}  // namespace ratnet::inline v1
