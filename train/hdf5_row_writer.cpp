#include "hdf5_row_writer.h"

#include <hdf5.h>

#include <map>
#include <mutex>
#include <utility>

#include "../core/atomic_file.h"

namespace ratnet::inline v1 {

struct Hdf5RowWriter::State {
  struct Array {
    Hdf5Id dataset;
    DType type;
    Shape shape;
  };
  Hdf5MemoryFile file;
  std::map<std::string, Array> arrays;
};

Hdf5RowWriter::Hdf5RowWriter() {
  const std::lock_guard lock(hdf5_mutex());
  const Hdf5Silence silence;
  state_ = std::make_unique<State>();
}

Hdf5RowWriter::~Hdf5RowWriter() {
  const std::lock_guard lock(hdf5_mutex());
  const Hdf5Silence silence;
  state_.reset();
}

void Hdf5RowWriter::add(const std::string& name, DType type, const Shape& shape) {
  require(shape.rank() >= 1 && shape.count() > 0, "the array '", name, "' is ", shape);
  require(!state_->arrays.contains(name), "there is an array '", name, "' already");
  const std::int64_t rows_in_chunk = shape.rank() == 1 ? kHdf5NumbersInChunk : 1;
  const std::lock_guard lock(hdf5_mutex());
  const Hdf5Silence silence;
  Hdf5Id made = hdf5_create(state_->file.id(), name, hdf5_stored_type(type), shape, rows_in_chunk);
  state_->arrays.emplace(name, State::Array{std::move(made), type, shape});
}

void Hdf5RowWriter::add(const std::string& name, const ConstView& values) {
  add(name, values.dtype, values.shape);
  const std::lock_guard lock(hdf5_mutex());
  const Hdf5Silence silence;
  hdf5_write_all(state_->arrays.at(name).dataset, name, hdf5_stored_type(values.dtype),
                 values.data);
}

void Hdf5RowWriter::write(const std::string& name, std::int64_t index, const ConstView& row) {
  const auto found = state_->arrays.find(name);
  require(found != state_->arrays.end(), "there is no array '", name, "'");
  const State::Array& array = found->second;
  require(row.dtype == array.type && row.shape.batch_of(array.shape[0]) == array.shape &&
              index >= 0 && index < array.shape[0],
          "row ", index, " of ", name_of(row.dtype), " ", row.shape, " is none of '", name, "' ",
          array.shape);
  hsize_t start[Shape::kMaxRank] = {static_cast<hsize_t>(index)}, count[Shape::kMaxRank] = {1};
  for (int i = 1; i < array.shape.rank(); ++i) count[i] = static_cast<hsize_t>(array.shape[i]);
  const std::lock_guard lock(hdf5_mutex());
  const Hdf5Silence silence;
  const Hdf5Id file_space(H5Dget_space(array.dataset.get()));
  const Hdf5Id memory(H5Screate_simple(array.shape.rank(), count, nullptr));
  check_written(
      H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr) >= 0 &&
          H5Dwrite(array.dataset.get(), hdf5_stored_type(array.type).memory, memory.get(),
                   file_space.get(), H5P_DEFAULT, row.data) >= 0,
      name.c_str());
}

void Hdf5RowWriter::commit(const std::string& path) {
  std::vector<std::byte> bytes;
  {
    const std::lock_guard lock(hdf5_mutex());
    const Hdf5Silence silence;
    state_->arrays.clear();
    bytes = state_->file.bytes();
  }
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace ratnet::inline v1
