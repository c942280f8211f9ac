// Writes slices as an HDF5 file that open_hdf5_slices reads.
#pragma once

#include <string>

#include "dataset.h"

namespace ratnet::inline v1 {

// images: [N, H, W] or [N, H, W, C] of u8, u16, i16 or f32, stored in chunks of 64 images with
// shuffle and gzip 4; masks: [N, H, W] of u8, stored alike, or nothing. Columns of the table that
// are empty are left out; `columns` are written as u8 datasets under their own names, with what
// their values mean. The same content gives the same bytes. The file is whole or absent; it is made
// in memory first, which takes twice its size. Throws Error: usage for lengths and sizes that
// differ, file_system when it cannot be written.
void write_hdf5_slices(const std::string& path, ConstView images, const SampleTable& table,
                       const DatasetAttributes& attributes = {}, ConstView masks = {});

}  // namespace ratnet::inline v1
