#include "hdf5_columns.h"

#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "../core/error.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostNames = 256;

[[noreturn]] void fail_column(const std::string& path, const std::string& what) {
  fail(ErrorKind::input, "'", printable(path), "' ", what);
}

Hdf5Id open_dataset(std::int64_t file, const Hdf5DatasetInfo& info) {
  if (!info.refused.empty()) fail_column(info.path, info.refused);
  Hdf5Id dataset(H5Dopen2(file, info.path.c_str(), H5P_DEFAULT));
  if (!dataset) fail_column(info.path, "cannot be opened (" + hdf5_reason() + ")");
  return dataset;
}

// Reads whole rows of a dataset in blocks: calls use(buffer, first, rows). A row is `row_values`
// elements of the memory type, which take `row_bytes` bytes; T is how the buffer is seen.
template <class T, class Use>
void read_rows(const Hdf5Id& dataset, const Hdf5DatasetInfo& info, std::int64_t memory_type,
               std::size_t row_values, std::size_t row_bytes, std::int64_t transfer,
               const Use& use) {
  const Hdf5Id space(H5Dget_space(dataset.get()));
  const std::size_t block =
      std::max<std::size_t>(1, (std::size_t{4} << 20) / std::max<std::size_t>(1, row_bytes));
  const std::size_t total = info.rows();
  std::vector<T> buffer(std::min(block, total) * (row_bytes / sizeof(T)));
  std::vector<hsize_t> start(info.shape.size(), 0), count(info.shape.begin(), info.shape.end());
  for (std::size_t first = 0; first < total; first += block) {
    const std::size_t rows = std::min(block, total - first);
    start[0] = first;
    count[0] = rows;
    const hsize_t values = rows * row_values;
    const Hdf5Id memory(H5Screate_simple(1, &values, nullptr));
    if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                            nullptr) < 0 ||
        H5Dread(dataset.get(), memory_type, memory.get(), space.get(), transfer, buffer.data()) < 0)
      fail_column(info.path, "cannot be read (" + hdf5_reason() + ")");
    use(buffer, first, rows);
  }
}

std::int64_t whole(const std::string& path, double value) {
  if (!(std::abs(value) <= 0x1p53) || value != std::floor(value))
    fail_column(path, text("holds ", value, " where whole numbers are needed"));
  return static_cast<std::int64_t>(value);
}

// Calls use(row, column, value) for a dataset of numbers [N] or [N, K].
template <class Use>
void read_numbers(std::int64_t file, const Hdf5DatasetInfo& info, const Use& use) {
  const std::size_t width = info.rank() == 2 ? info.shape[1] : 1;
  const Hdf5Id dataset = open_dataset(file, info);
  if (info.kind == Hdf5DatasetInfo::Kind::floating)
    return read_rows<double>(
        dataset, info, H5T_NATIVE_DOUBLE, width, width * 8, H5P_DEFAULT,
        [&](const std::vector<double>& values, std::size_t first, std::size_t rows) {
          for (std::size_t i = 0; i < rows * width; ++i)
            use(first + i / width, i % width, whole(info.path, values[i]));
        });
  read_rows<std::int64_t>(
      dataset, info, H5T_NATIVE_INT64, width, width * 8, H5P_DEFAULT,
      [&](const std::vector<std::int64_t>& values, std::size_t first, std::size_t rows) {
        for (std::size_t i = 0; i < rows * width; ++i) use(first + i / width, i % width, values[i]);
      });
}

// The library allocates each variable string through these; a liar's length finds no memory.
struct TextMemory {
  std::size_t left = 0;
};
void* allocate_text(std::size_t size, void* context) {
  auto& memory = *static_cast<TextMemory*>(context);
  if (size > memory.left || size > kLongestText + 1) return nullptr;
  memory.left -= size;
  return std::malloc(size);
}
void free_text(void* memory, void*) { std::free(memory); }

// A fixed-length string without its padding.
std::string unpadded(const char* text, std::size_t size) {
  std::string out(text, strnlen(text, size));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Hdf5Id text_type(std::int64_t stored) {
  Hdf5Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5Tget_cset(stored));
  return type;
}

Hdf5Id find_attribute(std::int64_t file, const std::string& path, const std::string& name) {
  if (H5Aexists_by_name(file, path.c_str(), name.c_str(), H5P_DEFAULT) <= 0) return Hdf5Id();
  Hdf5Id attribute(H5Aopen_by_name(file, path.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
  if (!attribute) fail_column(name, "(attribute) cannot be opened (" + hdf5_reason() + ")");
  return attribute;
}

// How many values an attribute holds, at most `most`.
std::size_t attribute_values(std::int64_t attribute, const std::string& name, std::size_t most) {
  const Hdf5Id space(H5Aget_space(attribute));
  const hssize_t count = space ? H5Sget_simple_extent_npoints(space.get()) : -1;
  if (count < 1 || static_cast<std::size_t>(count) > most)
    fail_column(name, text("(attribute) holds ", count, " values; 1 to ", most, " are understood"));
  return static_cast<std::size_t>(count);
}

}  // namespace

std::vector<std::int64_t> read_hdf5_integers(std::int64_t file, const Hdf5DatasetInfo& info) {
  std::vector<std::int64_t> out;
  out.reserve(info.rows());
  read_numbers(file, info,
               [&](std::size_t, std::size_t, std::int64_t value) { out.push_back(value); });
  return out;
}

std::vector<std::uint8_t> read_hdf5_one_hot(std::int64_t file, const Hdf5DatasetInfo& info) {
  std::vector<std::uint8_t> out(info.rows(), 255);
  read_numbers(file, info, [&](std::size_t row, std::size_t column, std::int64_t value) {
    if (value == 0) return;
    if (value != 1 || out[row] != 255) fail_column(info.path, text("is not one-hot in row ", row));
    out[row] = static_cast<std::uint8_t>(column);
  });
  return out;
}

std::vector<std::string> read_hdf5_strings(std::int64_t file, const Hdf5DatasetInfo& info,
                                           std::size_t& budget) {
  std::vector<std::string> out;
  out.reserve(info.rows());
  const auto add = [&](std::string value) {
    if (value.size() > budget) fail_column(info.path, "holds more text than such a file may");
    budget -= value.size();
    out.push_back(std::move(value));
  };
  if (info.kind != Hdf5DatasetInfo::Kind::text) {
    for (const std::int64_t value : read_hdf5_integers(file, info)) add(std::to_string(value));
    return out;
  }
  const Hdf5Id dataset = open_dataset(file, info);
  const Hdf5Id stored(H5Dget_type(dataset.get()));
  if (H5Tis_variable_str(stored.get()) > 0) {
    const Hdf5Id type = text_type(stored.get());
    const Hdf5Id transfer(H5Pcreate(H5P_DATASET_XFER));
    TextMemory memory;
    H5Pset_vlen_mem_manager(transfer.get(), allocate_text, &memory, free_text, nullptr);
    memory.left = budget + 2 * info.rows();
    read_rows<char*>(dataset, info, type.get(), 1, sizeof(char*), transfer.get(),
                     [&](std::vector<char*>& values, std::size_t, std::size_t rows) {
                       for (std::size_t i = 0; i < rows; ++i) {
                         add(values[i] == nullptr ? "" : values[i]);
                         std::free(values[i]);
                         values[i] = nullptr;
                       }
                     });
    return out;
  }
  if (info.type_bytes > kLongestText)
    fail_column(info.path, text("holds strings of ", info.type_bytes, " bytes; at most ",
                                kLongestText, " are read"));
  const std::size_t width = info.type_bytes;
  read_rows<char>(dataset, info, stored.get(), 1, width, H5P_DEFAULT,
                  [&](const std::vector<char>& values, std::size_t, std::size_t rows) {
                    for (std::size_t i = 0; i < rows; ++i) add(unpadded(&values[i * width], width));
                  });
  return out;
}

std::vector<std::string> read_hdf5_text_attribute(std::int64_t file, const std::string& path,
                                                  const std::string& name) {
  const Hdf5Id attribute = find_attribute(file, path, name);
  if (!attribute) return {};
  const Hdf5Id stored(H5Aget_type(attribute.get()));
  if (H5Tget_class(stored.get()) != H5T_STRING) fail_column(name, "(attribute) is not text");
  const std::size_t count = attribute_values(attribute.get(), name, kMostNames);
  std::vector<std::string> out;
  if (H5Tis_variable_str(stored.get()) > 0) {
    const Hdf5Id type = text_type(stored.get());
    std::vector<char*> values(count, nullptr);
    if (H5Aread(attribute.get(), type.get(), values.data()) < 0)
      fail_column(name, "(attribute) cannot be read (" + hdf5_reason() + ")");
    for (const char* value : values) {
      if (value != nullptr && strnlen(value, kLongestText + 1) > kLongestText)
        fail_column(name, "(attribute) holds a text that is too long");
      out.emplace_back(value == nullptr ? "" : value);
    }
    const Hdf5Id space(H5Aget_space(attribute.get()));
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, values.data());
    return out;
  }
  const std::size_t width = H5Tget_size(stored.get());
  if (width > kLongestText) fail_column(name, "(attribute) holds a text that is too long");
  std::vector<char> values(count * width);
  if (H5Aread(attribute.get(), stored.get(), values.data()) < 0)
    fail_column(name, "(attribute) cannot be read (" + hdf5_reason() + ")");
  for (std::size_t i = 0; i < count; ++i) out.push_back(unpadded(&values[i * width], width));
  return out;
}

std::optional<double> read_hdf5_number_attribute(std::int64_t file, const std::string& path,
                                                 const std::string& name) {
  const Hdf5Id attribute = find_attribute(file, path, name);
  if (!attribute) return std::nullopt;
  const Hdf5Id stored(H5Aget_type(attribute.get()));
  const H5T_class_t kind = H5Tget_class(stored.get());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) fail_column(name, "(attribute) is not a number");
  attribute_values(attribute.get(), name, 1);
  double value = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value) < 0)
    fail_column(name, "(attribute) cannot be read (" + hdf5_reason() + ")");
  return value;
}

}  // namespace ratnet::inline v1
