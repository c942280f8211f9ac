// An HDF5 file that is made in memory, because the library can crash after a disk that is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../core/dtype.h"
#include "../core/shape.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {

// What is called here expects hdf5_mutex() to be held.
class Hdf5MemoryFile {
 public:
  Hdf5MemoryFile();
  std::int64_t id() const { return file_.get(); }
  // All that was written so far, as it would stand on a disk.
  std::vector<std::byte> bytes() const;

 private:
  Hdf5Id file_;
};

// Throws Error (internal) with hdf5_reason() where something was not done.
void check_written(bool done, const char* what);

struct Hdf5StoredType {
  std::int64_t file;    // little-endian
  std::int64_t memory;  // this machine's
};
// Throws Error (usage) for other types than u8, u16, i16 and f32.
Hdf5StoredType hdf5_stored_type(DType type);

constexpr std::int64_t kHdf5NumbersInChunk = 65536;  // of datasets of one dimension

// Makes a dataset without times in it, in chunks of that many rows, with shuffle and gzip 4.
Hdf5Id hdf5_create(std::int64_t file, const std::string& name, const Hdf5StoredType& type,
                   const Shape& shape, std::int64_t rows_in_chunk);
// Writes all of it. values: in the type's memory.
void hdf5_write_all(const Hdf5Id& dataset, const std::string& name, const Hdf5StoredType& type,
                    const void* values);

}  // namespace ratnet::inline v1
