#include "hdf5_memory_file.h"

#include <hdf5.h>

#include <algorithm>

#include "../core/error.h"

namespace ratnet::inline v1 {

static_assert(sizeof(hsize_t) == sizeof(unsigned long long));

void check_written(bool done, const char* what) {
  if (!done) fail(ErrorKind::internal, "cannot write ", what, " (", hdf5_reason(), ")");
}

Hdf5StoredType hdf5_stored_type(DType type) {
  switch (type) {
    case DType::u8: return {H5T_STD_U8LE, H5T_NATIVE_UINT8};
    case DType::u16: return {H5T_STD_U16LE, H5T_NATIVE_UINT16};
    case DType::i16: return {H5T_STD_I16LE, H5T_NATIVE_INT16};
    case DType::f32: return {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
    default: fail(ErrorKind::usage, "HDF5 slices are u8, u16, i16 or f32, not ", name_of(type));
  }
}

Hdf5Id hdf5_create(std::int64_t file, const std::string& name, const Hdf5StoredType& type,
                   const Shape& shape, std::int64_t rows_in_chunk) {
  hsize_t sizes[Shape::kMaxRank], chunk[Shape::kMaxRank];
  const int rank = shape.rank();
  for (int i = 0; i < rank; ++i) chunk[i] = sizes[i] = static_cast<hsize_t>(shape[i]);
  chunk[0] = std::min(static_cast<hsize_t>(rows_in_chunk), sizes[0]);
  const Hdf5Id space(H5Screate_simple(rank, sizes, nullptr));
  const Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE));
  check_written(H5Pset_obj_track_times(creation.get(), false) >= 0 &&
                    H5Pset_chunk(creation.get(), rank, chunk) >= 0 &&
                    H5Pset_shuffle(creation.get()) >= 0 && H5Pset_deflate(creation.get(), 4) >= 0,
                "properties");
  Hdf5Id dataset(H5Dcreate2(file, name.c_str(), type.file, space.get(), H5P_DEFAULT, creation.get(),
                            H5P_DEFAULT));
  check_written(static_cast<bool>(dataset), name.c_str());
  return dataset;
}

void hdf5_write_all(const Hdf5Id& dataset, const std::string& name, const Hdf5StoredType& type,
                    const void* values) {
  check_written(H5Dwrite(dataset.get(), type.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0,
                name.c_str());
}

Hdf5MemoryFile::Hdf5MemoryFile() {
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS));
  check_written(H5Pset_fapl_core(access.get(), std::size_t{16} << 20, false) >= 0, "in memory");
  file_ = Hdf5Id(H5Fcreate("memory.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
  check_written(static_cast<bool>(file_), "in memory");
}

std::vector<std::byte> Hdf5MemoryFile::bytes() const {
  check_written(H5Fflush(id(), H5F_SCOPE_GLOBAL) >= 0, "in memory");
  const ssize_t size = H5Fget_file_image(id(), nullptr, 0);
  check_written(size > 0, "in memory");
  std::vector<std::byte> all(static_cast<std::size_t>(size));
  check_written(H5Fget_file_image(id(), all.data(), all.size()) == size, "in memory");
  return all;
}

}  // namespace ratnet::inline v1
