// Everything about an HDF5 file of slices except its pixels, as plain data: what the guarded child
// finds out and sends to its parent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hdf5_dataset.h"

namespace ratnet::inline v1 {

// Where the images are and how they lie there.
struct Hdf5ImageLayout {
  struct Part {
    std::string path;  // of one HDF5 dataset
    std::int64_t count = 0;
  };
  std::vector<Part> parts;  // the images are these, one after the other
  DType dtype = DType::u8;  // they are delivered in
  std::int64_t depth = 0;   // of volumes; 0: they are slices
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;    // stored
  bool channel_axis = false;    // stored with one
  bool channels_first = false;  // [N, C, H, W]
  bool grey = false;            // all channels are equal: only the first is delivered
  std::int64_t chunk = 1;       // images in a chunk

  std::int64_t count() const;
  std::int64_t delivered_channels() const { return grey ? 1 : channels; }
  std::int64_t pixels() const;    // of one image
  Shape delivered_shape() const;  // [H, W, C] or [D, H, W, C]
};

struct Hdf5Contents {
  Hdf5Description description;
  Hdf5ImageLayout layout;
  SampleTable table;
  std::vector<ImageHash> hashes;
  bool pixels_kept = false;  // the survey wrote all pixels, as delivered, where it was told to
};

std::string to_bytes(const Hdf5Contents& contents);

// The inverse. Throws Error (input) for bytes that to_bytes did not make.
Hdf5Contents contents_from_bytes(std::string_view bytes);

}  // namespace ratnet::inline v1
