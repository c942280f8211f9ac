// Reads the columns and attributes of an HDF5 file of slices: everything except pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdf5_listing.h"

namespace ratnet::inline v1 {

// All throw Error (input) that begins with the dataset's name.

// Integers, booleans, or floats that are whole numbers: [N], or [N, 1].
std::vector<std::int64_t> read_hdf5_integers(std::int64_t file, const Hdf5DatasetInfo& info);

// The position of the one in each row of [N, K], K <= 254; 255 for a row of zeros.
std::vector<std::uint8_t> read_hdf5_one_hot(std::int64_t file, const Hdf5DatasetInfo& info);

// Strings of at most 1024 bytes (padding removed), or numbers in decimal: [N]. `budget` is how many
// bytes all strings together may take; what they took is subtracted.
std::vector<std::string> read_hdf5_strings(std::int64_t file, const Hdf5DatasetInfo& info,
                                           std::size_t& budget);

// An attribute of the object at `path`: at most 256 strings; empty where there is none.
std::vector<std::string> read_hdf5_text_attribute(std::int64_t file, const std::string& path,
                                                  const std::string& name);

// One number; nothing where there is no such attribute.
std::optional<double> read_hdf5_number_attribute(std::int64_t file, const std::string& path,
                                                 const std::string& name);

}  // namespace ratnet::inline v1
