// Arrays that are written row by row, read back with the HDF5 library.
#include "../../train/hdf5_row_writer.h"

#include <fstream>

#include "../../core/random.h"
#include "../../core/tensor.h"
#include "../catch.h"
#include "../network/refused.h"
#include "hdf5_file.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

template <class T>
std::vector<T> stored(const std::string& path, const char* name, hid_t memory,
                      const std::vector<hsize_t>& shape) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  REQUIRE(file >= 0);
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  CHECK(sizes == shape);
  const hid_t type = H5Dget_type(set);
  CHECK(H5Tequal(type, hdf5_type<T>()) > 0);
  std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  CHECK(H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  return values;
}

template <class T>
void check_rows(DType type, hid_t memory) {
  const TemporaryPath path("rows.h5");
  Random random(4);
  Tensor rows({4, 3, 5}, type);
  for (T& value : rows.values<T>()) value = static_cast<T>(random.integer(200) + 1);
  std::vector<T> expected(7 * 15);  // 0 where nobody writes
  Hdf5RowWriter file;
  file.add("rows", type, {7, 3, 5});
  file.add("whole", rows);
  // Out of order, the last one over one that was there.
  const std::int64_t places[] = {6, 0, 3, 6};
  for (std::size_t i = 0; i < 4; ++i) {
    const T* row = rows.values<T>().data() + 15 * i;
    file.write("rows", places[i], ConstView(row, type, {3, 5}));
    std::copy_n(row, 15, expected.begin() + 15 * places[i]);
  }
  file.commit(path);
  CHECK(stored<T>(path, "rows", memory, {7, 3, 5}) == expected);
  const auto whole = rows.values<T>();
  CHECK(stored<T>(path, "whole", memory, {4, 3, 5}) == std::vector<T>(whole.begin(), whole.end()));
}

}  // namespace

TEST_CASE("rows come in any order, and those that nobody writes are 0") {
  check_rows<std::uint8_t>(DType::u8, H5T_NATIVE_UINT8);
  check_rows<std::uint16_t>(DType::u16, H5T_NATIVE_UINT16);
  check_rows<std::int16_t>(DType::i16, H5T_NATIVE_INT16);
  check_rows<float>(DType::f32, H5T_NATIVE_FLOAT);
}

TEST_CASE("numbers are rows too") {
  const TemporaryPath path("numbers.h5");
  Hdf5RowWriter file;
  file.add("numbers", DType::f32, {3});
  const float two = 2;
  file.write("numbers", 1, ConstView(&two, DType::f32, {}));
  file.commit(path);
  CHECK(stored<float>(path, "numbers", H5T_NATIVE_FLOAT, {3}) == std::vector<float>{0, 2, 0});
}

TEST_CASE("rows that do not fit are refused, and the others stay") {
  const TemporaryPath path("refused.h5");
  Hdf5RowWriter file;
  file.add("a", DType::u8, {2, 3});
  const Tensor row({3}, DType::u8);
  const auto no = [&](const char* part, const std::function<void()>& call) {
    CHECK(refused(ErrorKind::usage, part, call) == "");
  };
  no("no array 'b'", [&] { file.write("b", 0, row); });
  no("row 2", [&] { file.write("a", 2, row); });
  no("row -1", [&] { file.write("a", -1, row); });
  no("none of 'a'", [&] { file.write("a", 0, Tensor({4}, DType::u8)); });
  no("none of 'a'", [&] { file.write("a", 0, Tensor({3}, DType::f32)); });
  no("'a' already", [&] { file.add("a", DType::u8, {2, 3}); });
  no("u8, u16, i16 or f32", [&] { file.add("b", DType::f64, {2}); });
  no("array 'b'", [&] { file.add("b", DType::u8, {0, 3}); });
  Tensor ones({3}, DType::u8);
  for (std::uint8_t& value : ones.values<std::uint8_t>()) value = 1;
  file.write("a", 1, ones);
  file.commit(path);
  CHECK(stored<std::uint8_t>(path, "a", H5T_NATIVE_UINT8, {2, 3}) ==
        std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1});
}
