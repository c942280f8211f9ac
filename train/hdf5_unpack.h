// What HDF5's filters did to the bytes of a chunk, undone: shuffle, then deflate ("gzip").
//
// Shuffle takes the bytes of values apart, first bytes first: of u16 values low0 high0 low1 high1
// ... it makes low0 low1 ... high0 high1 ..., because equal bytes in a row pack better. Deflate
// makes a zlib stream (RFC 1950) of them, with a checksum. A writer may skip a filter for a chunk
// that it does not make smaller; a mask beside the chunk says so, bit k for the k-th filter.
// Source: the HDF5 file format specification, version 3, and the filters' own definitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "../core/tensor.h"

struct libdeflate_decompressor;

namespace ratnet::inline v1 {

enum class Hdf5Filter : std::uint8_t { shuffle, deflate };

struct Hdf5Packing {
  std::vector<Hdf5Filter> filters;  // in the order in which they were applied: the four below
  std::size_t chunk_bytes = 0;      // unpacked
  std::size_t value_bytes = 1;      // 1, 2 or 4

  // {}, {shuffle}, {deflate} or {shuffle, deflate}
  bool is_known() const;
  // No sound chunk takes more: deflate adds a little to what it cannot make smaller.
  std::size_t most_stored_bytes() const;
};

// Memory that grows and is not filled.
class GrowingBytes {
 public:
  // At least `size` bytes; what was there is lost when it grows.
  std::byte* at_least(std::size_t size);

 private:
  AlignedMemory memory_;
  std::size_t size_ = 0;
};

// Unpacks one chunk after the other; for one thread at a time.
class Hdf5Unpacker {
 public:
  Hdf5Unpacker();

  // The chunk's bytes to `to`, chunk_bytes of them. Returns what is wrong with the stored bytes, to
  // be said after the chunk's name; empty where nothing is.
  std::string_view unpack(const Hdf5Packing& packing, std::span<const std::byte> stored,
                          std::uint32_t skipped_filters, std::byte* to);

 private:
  struct Release {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  std::unique_ptr<libdeflate_decompressor, Release> decompressor_;
  GrowingBytes inflated_;
};

}  // namespace ratnet::inline v1
