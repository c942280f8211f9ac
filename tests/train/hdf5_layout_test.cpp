// The types, names and layouts of HDF5 slices that are understood.
#include <limits>

#include "../network/refused.h"
#include "hdf5_outcome.h"

using namespace ratnet;
using namespace ratnet::test;

TEST_CASE("HDF5 images of every type, byte order and storage are read") {
  const TemporaryPath path("types.h5");
  const std::vector<hsize_t> shape = {20, 6, 5};
  const std::vector<std::uint8_t> labels(20, 1);
  const hid_t packed = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[3] = {7, 4, 5};
  H5Pset_chunk(packed, 3, chunk);
  SECTION("u16 big-endian, shuffle, gzip, fletcher32") {
    H5Pset_shuffle(packed);
    H5Pset_deflate(packed, 6);
    H5Pset_fletcher32(packed);
    auto values = numbered<std::uint16_t>(600);
    values[5] = 65535;
    {
      Hdf5File file(path);
      file.dataset("images", shape, values, H5T_STD_U16BE, packed);
      file.dataset("labels", {20}, labels);
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(dataset->dtype() == DType::u16);
    CHECK(dataset->chunk() == 7);
    CHECK(pixels<std::uint16_t>(*dataset) == values);
    CHECK(describe_hdf5(path).items[0].type == "u16 big-endian");
    CHECK(describe_hdf5(path).items[0].storage == "chunks of 7x4x5, shuffle, gzip, fletcher32");
  }
  SECTION("i16, scaleoffset") {
    H5Pset_scaleoffset(packed, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
    auto values = numbered<std::int16_t>(600);
    values[7] = -300;
    {
      Hdf5File file(path);
      file.dataset("images", shape, values, H5T_STD_I16LE, packed);
      file.dataset("labels", {20}, labels);
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(dataset->dtype() == DType::i16);
    CHECK(pixels<std::int16_t>(*dataset) == values);
    CHECK(has_note(*dataset, "-300"));
  }
  SECTION("f32 big-endian") {
    auto values = numbered<float>(600);
    values[1] = 0.25f;
    {
      Hdf5File file(path);
      file.dataset("images", shape, values, H5T_IEEE_F32BE);
      file.dataset("labels", {20}, labels);
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(dataset->dtype() == DType::f32);
    CHECK(pixels<float>(*dataset) == values);
    CHECK(dataset->notes().empty());
  }
  SECTION("doubles and long integers are read as f32, saying so") {
    {
      Hdf5File file(path);
      file.dataset("images", shape, numbered<double>(600));
      file.dataset("labels", {20}, std::vector<double>(20, 1.0));
    }
    {
      const auto dataset = open_hdf5_slices(path);
      CHECK(pixels<float>(*dataset) == numbered<float>(600));
      CHECK(has_note(*dataset, "f64"));
      CHECK(dataset->table().labels == labels);
    }
    {
      Hdf5File file(path);
      file.dataset("images", shape, numbered<std::int64_t>(600));
      file.dataset("labels", {20}, std::vector<std::int64_t>(20, 1));
    }
    CHECK(pixels<float>(*open_hdf5_slices(path)) == numbered<float>(600));
  }
  H5Pclose(packed);
}

TEST_CASE("other names and layouts are understood and told") {
  const TemporaryPath path("aliases.h5");
  const auto values = numbered<std::uint8_t>(10 * 6 * 5);
  SECTION("X and y, channels first with one channel, labels [N, 1]") {
    {
      Hdf5File file(path);
      file.dataset("X", {10, 1, 6, 5}, values);
      file.dataset("y", {10, 1}, std::vector<std::int32_t>{0, 1, -1, 1, 0, 0, 1, 1, 0, 255});
      file.dataset("patient_id", {10}, std::vector<std::int32_t>{1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
      file.dataset("depths", {10, 6, 5}, values);
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(dataset->image_shape() == Shape{6, 5, 1});
    CHECK(pixels<std::uint8_t>(*dataset) == values);
    CHECK(dataset->table().labels == std::vector<std::uint8_t>{0, 1, 255, 1, 0, 0, 1, 1, 0, 255});
    CHECK(dataset->table().subjects[4] == "3");
    CHECK(has_note(*dataset, "'X' as images"));
    CHECK(has_note(*dataset, "'y' as labels"));
    CHECK(has_note(*dataset, "'patient_id' as subject"));
    CHECK(has_note(*dataset, "channels first"));
    CHECK(has_note(*dataset, "not used: 'depths'"));
    CHECK(has_note(*dataset, "-1"));
  }
  SECTION("three channels first, different") {
    const auto coloured = numbered<std::uint8_t>(10 * 3 * 6 * 5);
    {
      Hdf5File file(path);
      file.dataset("data", {10, 3, 6, 5}, coloured);
      file.dataset("label", {10}, std::vector<std::uint8_t>(10, 0));
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(dataset->image_shape() == Shape{6, 5, 3});
    const auto delivered = pixels<std::uint8_t>(*dataset);
    bool right = true;
    for (std::size_t i = 0; i < 10; ++i)
      for (std::size_t p = 0; p < 30; ++p)
        for (std::size_t c = 0; c < 3; ++c)
          right &= delivered[(i * 30 + p) * 3 + c] == coloured[(i * 3 + c) * 30 + p];
    CHECK(right);
  }
  SECTION("grey as three equal channels, last and first; hashes are those of the grey images") {
    std::vector<std::uint8_t> last, first;
    for (const std::uint8_t value : values) last.insert(last.end(), 3, value);
    for (std::size_t i = 0; i < 10; ++i)
      for (int c = 0; c < 3; ++c)
        first.insert(first.end(), values.begin() + static_cast<long>(i * 30),
                     values.begin() + static_cast<long>(i * 30 + 30));
    {
      Hdf5File file(path);
      file.dataset("train_X", {10, 6, 5, 3}, last);
      file.dataset("train_y", {10}, std::vector<std::uint8_t>(10, 0));
    }
    std::vector<ImageHash> hashes;
    {
      const auto dataset = open_hdf5_slices(path);
      CHECK(has_note(*dataset, "grey"));
      CHECK(dataset->image_shape() == Shape{6, 5, 1});
      CHECK(pixels<std::uint8_t>(*dataset) == values);
      hashes.assign(dataset->hashes().begin(), dataset->hashes().end());
    }
    {
      Hdf5File file(path);
      file.dataset("images", {10, 3, 6, 5}, first);
      file.dataset("labels", {10}, std::vector<std::uint8_t>(10, 0));
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(pixels<std::uint8_t>(*dataset) == values);
    CHECK(std::equal(hashes.begin(), hashes.end(), dataset->hashes().begin(),
                     dataset->hashes().end()));
  }
  SECTION("train, val and test by name become splits; groups, one-hot labels, strings") {
    {
      Hdf5File file(path);
      file.group("train");
      file.dataset("train/images", {4, 6, 5}, numbered<std::uint8_t>(4 * 30));
      file.dataset("train/labels", {4, 2}, std::vector<double>{1, 0, 0, 1, 0, 0, 1, 0});
      file.strings("train/subject", {"a", "b", "", "the fourth"});
      file.dataset("X_test", {2, 6, 5}, std::vector<std::uint8_t>(60, 9));
      file.dataset("y_test", {2}, std::vector<std::uint8_t>{1, 0});
      file.strings("test-subject", {"x", "y"});
      file.dataset("val_set_x", {1, 6, 5}, std::vector<std::uint8_t>(30, 7));
      file.dataset("val_set_y", {1}, std::vector<std::uint8_t>{1});
      file.strings("subject_val", {"v"});
      file.strings("class_names", {"good", "dark"}, true);
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(dataset->size() == 7);
    CHECK(dataset->table().labels == std::vector<std::uint8_t>{0, 1, 255, 0, 1, 1, 0});
    CHECK(dataset->table().subjects ==
          std::vector<std::string>{"a", "b", "", "the fourth", "v", "x", "y"});
    CHECK(dataset->table().splits == std::vector<Split>{Split::train, Split::train, Split::train,
                                                        Split::train, Split::validation,
                                                        Split::test, Split::test});
    CHECK(dataset->attributes().class_names == std::vector<std::string>{"good", "dark"});
    CHECK(has_note(*dataset, "one-hot"));
    CHECK(has_note(*dataset, "splits follow"));
    Tensor across({3, 6, 5, 1}, DType::u8);
    dataset->read(3, across);
    CHECK(across.values<std::uint8_t>()[30] == 7);
    CHECK(across.values<std::uint8_t>()[60] == 9);
    CHECK(dataset->hashes()[5].constant());
  }
  SECTION("floats from 0 to 1") {
    std::vector<float> unit;
    for (const std::uint8_t value : values) unit.push_back(static_cast<float>(value) / 255);
    {
      Hdf5File file(path);
      file.dataset("images", {10, 6, 5}, unit);
      file.dataset("labels", {10}, std::vector<std::uint8_t>(10, 0));
      file.strings("split", std::vector<std::string>(10, "test"));
    }
    const auto dataset = open_hdf5_slices(path);
    CHECK(has_note(*dataset, "floats from 0 to"));
    CHECK(pixels<float>(*dataset) == unit);
    CHECK(dataset->table().splits == std::vector<Split>(10, Split::test));
  }
  SECTION("without labels, where that is allowed") {
    {
      Hdf5File file(path);
      file.dataset("images", {10, 6, 5}, values);
    }
    CHECK(mentions(refusal(path), "has no labels"));
    const auto dataset = open_hdf5_slices(path, {.labels_required = false});
    CHECK(dataset->table().labels.empty());
    CHECK(has_note(*dataset, "no labels"));
  }
}

TEST_CASE("volumes in HDF5 have five axes, and masks of four") {
  const TemporaryPath path("volumes.h5");
  const auto values = numbered<std::uint16_t>(6 * 3 * 4 * 5 * 2);
  std::vector<std::uint8_t> masks(6 * 3 * 4 * 5);
  for (std::size_t i = 0; i < masks.size(); ++i) masks[i] = i % 7 == 0;
  const auto write = [&](const std::vector<hsize_t>& mask_shape) {
    Hdf5File file(path);
    const hid_t packed = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[5] = {1, 2, 4, 3, 2};
    H5Pset_chunk(packed, 5, chunk);
    H5Pset_deflate(packed, 4);
    file.dataset("images", {6, 3, 4, 5, 2}, values, H5T_STD_U16LE, packed);
    H5Pclose(packed);
    file.dataset("masks", mask_shape, masks);
  };
  write({6, 3, 4, 5});
  for (const std::size_t keep : {std::size_t{0}, std::size_t{1} << 20}) {
    const auto dataset = open_hdf5_slices(path, {.labels_required = false, .keep_bytes = keep});
    CHECK(dataset->image_shape() == Shape{3, 4, 5, 2});
    CHECK(pixels<std::uint16_t>(*dataset) == values);
  }
  const auto read = open_hdf5_masks(path);
  REQUIRE(read);
  CHECK(read->image_shape() == Shape{3, 4, 5, 1});
  CHECK(pixels<std::uint8_t>(*read) == masks);
  CHECK(describe_hdf5(path).image_shape == Shape{3, 4, 5, 2});
  write({6, 12, 5});
  CHECK(ratnet::testing::refused(ErrorKind::input, "has masks 'masks'",
                                 [&] { open_hdf5_masks(path); }) == "");
}
