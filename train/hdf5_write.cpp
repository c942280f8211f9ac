#include "hdf5_write.h"

#include <hdf5.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <utility>

#include "../core/atomic_file.h"
#include "hdf5_memory_file.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kImagesInChunk = 64;

void write_images(std::int64_t file, const char* name, const ConstView& images) {
  const Hdf5StoredType type = hdf5_stored_type(images.dtype);
  hdf5_write_all(hdf5_create(file, name, type, images.shape, kImagesInChunk), name, type,
                 images.data);
}

void write_column(std::int64_t file, const std::string& name, const Hdf5StoredType& type,
                  const void* values, std::size_t n) {
  const Shape shape{static_cast<std::int64_t>(n)};
  hdf5_write_all(hdf5_create(file, name, type, shape, kHdf5NumbersInChunk), name, type, values);
}

// Strings of the longest one's length, padded with zeros.
struct PackedText {
  Hdf5Id type;
  std::vector<char> bytes;
};

PackedText pack(const std::vector<std::string>& strings) {
  std::size_t width = 1;
  for (const std::string& value : strings) {
    require(value.size() <= 1024, "a text of ", value.size(), " bytes is too long for HDF5 slices");
    width = std::max(width, value.size());
  }
  PackedText out{Hdf5Id(H5Tcopy(H5T_C_S1)), std::vector<char>(strings.size() * width, '\0')};
  H5Tset_size(out.type.get(), width);
  H5Tset_cset(out.type.get(), H5T_CSET_UTF8);
  H5Tset_strpad(out.type.get(), H5T_STR_NULLPAD);
  for (std::size_t i = 0; i < strings.size(); ++i)
    std::memcpy(&out.bytes[i * width], strings[i].data(), strings[i].size());
  return out;
}

void write_strings(std::int64_t file, const char* name, const std::vector<std::string>& strings) {
  if (strings.empty()) return;
  const PackedText text = pack(strings);
  write_column(file, name, {text.type.get(), text.type.get()}, text.bytes.data(), strings.size());
}

void write_table(std::int64_t file, const SampleTable& table) {
  const Hdf5StoredType u8{H5T_STD_U8LE, H5T_NATIVE_UINT8};
  const Hdf5StoredType i32{H5T_STD_I32LE, H5T_NATIVE_INT32};
  const auto write = [&](const std::string& name, const Hdf5StoredType& type, const auto& values) {
    if (!values.empty()) write_column(file, name, type, values.data(), values.size());
  };
  write("labels", u8, table.labels);
  write_strings(file, "subject", table.subjects);
  write_strings(file, "session", table.sessions);
  write_strings(file, "run", table.runs);
  write("volume", i32, table.volumes);
  write("slice", i32, table.slices);
  write("split", u8, table.splits);
  for (const auto& [name, values] : table.columns) write(name, u8, values);
}

// place: the path of what has the attribute.
void write_attribute(std::int64_t file, const char* place, const char* name, std::int64_t file_type,
                     std::int64_t memory_type, std::int64_t space, const void* values) {
  const Hdf5Id attribute(H5Acreate_by_name(file, place, name, file_type, space, H5P_DEFAULT,
                                           H5P_DEFAULT, H5P_DEFAULT));
  check_written(attribute && H5Awrite(attribute.get(), memory_type, values) >= 0, name);
}

void write_text_attribute(std::int64_t file, const char* place, const char* name,
                          const std::vector<std::string>& strings) {
  if (strings.empty()) return;
  const hsize_t n = strings.size();
  const Hdf5Id space(H5Screate_simple(1, &n, nullptr));
  const PackedText text = pack(strings);
  write_attribute(file, place, name, text.type.get(), text.type.get(), space.get(),
                  text.bytes.data());
}

void write_attributes(std::int64_t file, const DatasetAttributes& attributes) {
  if (attributes.scale) {
    const Hdf5Id space(H5Screate(H5S_SCALAR));
    write_attribute(file, "/", "scale", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space.get(),
                    &*attributes.scale);
  }
  write_text_attribute(file, "/", "class_names", attributes.class_names);
  for (const auto& [column, names] : attributes.value_names)
    write_text_attribute(file, column.c_str(), "value_names", names);
}

}  // namespace

void write_hdf5_slices(const std::string& path, ConstView images, const SampleTable& table,
                       const DatasetAttributes& attributes, ConstView masks) {
  const int rank = images.shape.rank();
  require((rank == 3 || rank == 4) && images.count() > 0, path,
          ": images must be [N, H, W] or [N, H, W, C], not ", to_string(images.shape));
  require(!masks || (masks.dtype == DType::u8 &&
                     masks.shape == Shape{images.shape[0], images.shape[1], images.shape[2]}),
          path, ": masks ", masks.shape, " of ", name_of(masks.dtype), " beside images ",
          images.shape, ": make them [N, H, W] of u8");
  check_table(table, images.shape[0]);
  for (const auto& [name, values] : table.columns)
    require(
        !name.empty() && name.find('/') == std::string::npos && name != "images" && name != "masks",
        path, ": a column cannot be called '", name, "'");
  for (const auto& [name, values] : attributes.value_names)
    require(table.columns.contains(name), path, ": there is no column '", name,
            "' whose values have names");
  std::vector<std::byte> bytes;
  try {
    const std::lock_guard lock(hdf5_mutex());
    const Hdf5Silence silence;
    const Hdf5MemoryFile file;
    write_images(file.id(), "images", images);
    if (masks) write_images(file.id(), "masks", masks);
    write_table(file.id(), table);
    write_attributes(file.id(), attributes);
    bytes = file.bytes();
  } catch (const Error& error) {
    throw error.with_context(path);
  }
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace ratnet::inline v1
