// Reads the images of an HDF5 file whose layout is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hdf5_chunks.h"
#include "hdf5_contents.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {

class Hdf5ImageReader {
 public:
  // Expects the library's lock to be held. `library` is that lock where read() takes it, and null
  // where it is held then too. Throws Error (input) when a dataset cannot be opened or has changed
  // its shape.
  Hdf5ImageReader(std::int64_t file, const Hdf5ImageLayout& layout, std::mutex* library);

  // Images first..first+n-1 to `to`, [n, H, W, delivered channels] of the layout's type; from
  // several threads at once where there is a lock. Throws Error (input) when they cannot be read.
  void read(std::int64_t first, std::int64_t n, void* to);

  // How many images are best read at once: whole chunks, some MiB of them.
  std::int64_t block() const { return block_; }

  // A sentence for every part that only the library can unpack.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void read_part(std::size_t part, std::int64_t first, std::int64_t n, std::byte* to);
  void read_stored(std::size_t part, std::int64_t first, std::int64_t n, std::byte* to);
  Hdf5Sizes stored_shape(std::int64_t n) const;

  Hdf5ImageLayout layout_;
  std::mutex* library_;
  std::vector<Hdf5Id> datasets_;
  std::vector<std::unique_ptr<Hdf5Chunks>> chunks_;  // null where the library reads the part
  std::vector<std::string> notes_;
  std::size_t stored_bytes_ = 0;     // of one image
  std::size_t delivered_bytes_ = 0;  // of one image
  std::int64_t block_ = 1;
};

}  // namespace ratnet::inline v1
