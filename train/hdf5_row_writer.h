// Arrays of an HDF5 file that are filled row by row, in any order.
#pragma once

#include <memory>
#include <string>

#include "../core/view.h"
#include "hdf5_memory_file.h"

namespace ratnet::inline v1 {

// The file is made in memory, packed as it is filled; commit() writes it, whole or not at all. Rows
// that nobody writes are 0. One thread at a time.
class Hdf5RowWriter {
 public:
  Hdf5RowWriter();
  ~Hdf5RowWriter();
  Hdf5RowWriter(const Hdf5RowWriter&) = delete;
  Hdf5RowWriter& operator=(const Hdf5RowWriter&) = delete;

  // An array [n, row...] of u8, u16, i16 or f32; with values at once, or to be written by rows.
  // Throws Error (usage) for another type, an empty array, and a name that there is already.
  void add(const std::string& name, DType type, const Shape& shape);
  void add(const std::string& name, const ConstView& values);
  // row: the shape behind the first size, of the array's type. Throws Error (usage) for another,
  // for an array that nobody added, and for an index that it does not have.
  void write(const std::string& name, std::int64_t index, const ConstView& row);
  // Throws Error (file_system) where it cannot be written.
  void commit(const std::string& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
