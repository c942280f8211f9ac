// The datasets of an HDF5 file, found and described without reading any of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

struct Hdf5DatasetInfo {
  enum class Kind : std::uint8_t { integer, floating, text, other };

  std::string path;  // "images", "train/images"
  Kind kind = Kind::other;
  std::size_t type_bytes = 0;
  bool is_signed = false;
  std::string type_name;  // "u8", "f32 big-endian", "string", ...
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> chunk;  // empty where the dataset is not chunked
  std::string storage;
  std::string refused;  // why it is not read; empty where it may be

  std::uint64_t rows() const { return shape.empty() ? 0 : shape[0]; }
  int rank() const { return static_cast<int>(shape.size()); }
};

// "'images' [100, 64, 64]"
std::string to_string(const Hdf5DatasetInfo& info);

struct Hdf5Listing {
  std::vector<Hdf5DatasetInfo> datasets;  // in the order of their names, at most 1000
  bool more = false;                      // there are others, or deeper ones
  std::vector<std::string> links;         // soft and external links, which are not followed
};

// Follows hard links only, three groups deep. A dataset is refused when it takes its values from
// other files, passes through a filter that is not part of HDF5, or has chunks above 128 MiB.
// Throws Error (input).
Hdf5Listing list_hdf5(std::int64_t file);

}  // namespace ratnet::inline v1
