// A chunked HDF5 dataset, read chunk by chunk and unpacked outside the library.
//
// The HDF5 library does one thing at a time in a process: under its lock it finds a chunk, reads
// it, inflates it and copies out what was asked for, and nearly all of that is inflating. Here only
// the finding and reading happens under the lock (H5Dget_chunk_storage_size, H5Dread_chunk); what
// the filters did is undone by whichever thread asked, each with memory of its own, so that reading
// from several threads is as fast as all their cores inflate.
//
// Rows (images, along the first axis) are read in rows of chunks: all chunks that hold the same
// images. Where one chunk holds whole images, and all of them are wanted, it is inflated straight
// to where they are wanted; otherwise it is unpacked aside and its part of every image copied. A
// reader that takes less than a row of chunks gets it from a copy that is kept, so that a few
// images at a time, one after the other, unpack each chunk once.
//
// This is for chunks whose filters are those of hdf5_unpack.h and whose values are stored as they
// are delivered. The library reads all other storage: other filters, other types or byte orders,
// contiguous and compact data, partial chunks left out of filtering, rows of chunks above 128 MiB.
//
// A file is not believed. A chunk is at most 128 MiB, one that is stored in more bytes than it may
// need is refused before there is memory for it, and one that inflates to more or less than its
// size is an error. The library is asked for a chunk that was never written: it knows fill values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "../core/dtype.h"
#include "hdf5_unpack.h"

namespace ratnet::inline v1 {

using Hdf5Sizes = std::vector<unsigned long long>;  // the library's own type

class Hdf5Chunks {
 public:
  struct Opened {
    std::unique_ptr<Hdf5Chunks> chunks;  // null where the library has to read the dataset
    std::string why_not;  // then, where it has filters to undo: "it is packed with fletcher32"
  };
  // dataset: an HDF5 identifier that outlives the result; shape: what it was found to have; name:
  // for messages. Expects the library's lock to be held. Throws Error (input) when the shape is
  // another.
  static Opened open(std::int64_t dataset, DType type, const Hdf5Sizes& shape,
                     const std::string& name);

  // How many rows a chunk holds.
  std::int64_t chunk_rows() const { return static_cast<std::int64_t>(chunk_[0]); }

  // Rows first..first+n-1 to `to`, from any thread. `library` is locked while the library is
  // called; null where the caller holds that lock. Throws Error (input) that names the chunk.
  void read(std::int64_t first, std::int64_t n, std::byte* to, std::mutex* library);

 private:
  // What one thread works with.
  struct Workspace {
    Hdf5Unpacker unpacker;
    GrowingBytes stored, chunk, row;
    std::int64_t kept_row = -1;  // the row of chunks that `row` holds
  };

  Hdf5Chunks() = default;
  std::unique_ptr<Workspace> borrow(std::int64_t row);
  void give_back(std::unique_ptr<Workspace> workspace);
  void read_rows(std::int64_t first, std::int64_t n, std::byte* to, std::mutex* library,
                 Workspace& work) const;
  void read_row_of_chunks(std::int64_t row, std::byte* to, std::mutex* library,
                          Workspace& work) const;
  void read_chunk(const Hdf5Sizes& offset, std::byte* to, std::mutex* library,
                  Workspace& work) const;
  std::span<const std::byte> fetch(const Hdf5Sizes& offset, std::byte* straight,
                                   std::mutex* library, std::uint32_t& skipped_filters,
                                   Workspace& work) const;
  void read_unwritten(const Hdf5Sizes& offset, std::byte* to, std::mutex* library,
                      Workspace& work) const;
  void place(const Hdf5Sizes& offset, const std::byte* chunk, std::byte* to) const;
  [[noreturn]] void fail_at(const Hdf5Sizes& offset, const std::string& problem) const;

  std::int64_t dataset_ = -1, memory_type_ = -1;
  std::string name_;
  Hdf5Sizes shape_, chunk_;    // of the dataset and of a chunk, in values
  std::size_t row_bytes_ = 0;  // of one image
  bool whole_rows_ = false;    // a chunk holds whole images
  Hdf5Packing packing_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace ratnet::inline v1
