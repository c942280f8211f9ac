// The images of an HDF5 file: how they lie there, and one look at every pixel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hdf5_contents.h"
#include "hdf5_schema.h"

namespace ratnet::inline v1 {

// What was assumed is added to the notes. Throws Error (input) for images that do not follow the
// schema or claim more than a file of this size can hold.
Hdf5ImageLayout find_hdf5_layout(const Hdf5Schema& schema, std::uint64_t file_bytes,
                                 std::vector<std::string>& notes);

// A file that pixels are copied into while they are surveyed, if they take no more than `limit`.
struct Hdf5PixelStore {
  int descriptor = -1;
  std::size_t limit = 0;
};

// Reads all images of contents.layout: sets its `grey`, the hashes, pixels_kept, and the
// description's range and notes. Throws Error (input) when they cannot be read or are not finite.
void survey_hdf5_pixels(std::int64_t file, const Hdf5PixelStore& store, Hdf5Contents& contents);

}  // namespace ratnet::inline v1
