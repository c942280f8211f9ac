// Reads the images of an HDF5 file whose layout is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hdf5_contents.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {

class Hdf5ImageReader {
 public:
  // Throws Error (input) when a dataset cannot be opened or has changed its shape.
  Hdf5ImageReader(std::int64_t file, const Hdf5ImageLayout& layout);

  // Images first..first+n-1 to `to`, [n, H, W, delivered channels] of the layout's type. Throws
  // Error (input) when they cannot be read.
  void read(std::int64_t first, std::int64_t n, void* to);

  // How many images are best read at once: whole chunks, some MiB of them.
  std::int64_t block() const { return block_; }

 private:
  void read_part(std::size_t part, std::int64_t first, std::int64_t n, void* to);

  Hdf5ImageLayout layout_;
  std::vector<Hdf5Id> datasets_;
  std::size_t stored_bytes_ = 0;     // of one image
  std::size_t delivered_bytes_ = 0;  // of one image
  std::int64_t block_ = 1;
  std::vector<std::byte> buffer_;  // images as stored, where they are delivered otherwise
};

}  // namespace ratnet::inline v1
