// HDF5 files that do not follow the schema, or are damaged.
#include <fstream>
#include <limits>

#include "../../train/hdf5_write.h"
#include "hdf5_outcome.h"

using namespace ratnet;
using namespace ratnet::test;

TEST_CASE("what does not follow the schema is refused with its reason") {
  const TemporaryPath path("wrong.h5");
  const auto values = numbered<std::uint8_t>(10 * 6 * 5);
  const std::vector<std::uint8_t> labels(10, 1);
  const auto with = [&](const auto& write) {
    Hdf5File file(path);
    write(file);
  };
  SECTION("no images") {
    with([&](Hdf5File& f) { f.dataset("table", {10}, labels); });
    CHECK(mentions(refusal(path), "it needs 'images'"));
    CHECK(mentions(refusal(path), "'table' [10] u8"));
    const Hdf5Description description = describe_hdf5(path);
    CHECK(!description.is_slices);
    CHECK(mentions(description.problem, "it needs 'images'"));
    REQUIRE(description.items.size() == 1);
    CHECK(description.items[0].shape == std::vector<std::uint64_t>{10});
  }
  SECTION("labels of another length") {
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, values);
      f.dataset("labels", {9}, std::vector<std::uint8_t>(9, 1));
    });
    CHECK(mentions(refusal(path), "'labels' [9] does not fit 10 images"));
  }
  SECTION("labels that are none") {
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, values);
      f.dataset("labels", {10}, std::vector<float>(10, 0.5f));
    });
    CHECK(mentions(refusal(path), "holds 0.5"));
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, values);
      f.dataset("labels", {10}, std::vector<std::int32_t>(10, 256));
    });
    CHECK(mentions(refusal(path), "label 256"));
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, values);
      f.dataset("labels", {10, 2}, std::vector<std::uint8_t>(20, 1));
    });
    CHECK(mentions(refusal(path), "not one-hot"));
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, values);
      f.dataset("labels", {10}, labels);
      f.strings("class_names", {"only"}, true);
    });
    CHECK(mentions(refusal(path), "label 1 has no name"));
  }
  SECTION("pixels that are not finite") {
    std::vector<float> bad = numbered<float>(300);
    bad[95] = std::numeric_limits<float>::quiet_NaN();
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, bad);
      f.dataset("labels", {10}, labels);
    });
    CHECK(mentions(refusal(path), "image 3 holds pixels that are not finite"));
  }
  SECTION("images of another rank, empty, or never written") {
    with([&](Hdf5File& f) { f.dataset("images", {60, 5}, values); });
    CHECK(mentions(refusal(path), "'images' [60, 5]"));
    with([&](Hdf5File& f) { f.dataset("images", {0, 6, 5}, std::vector<std::uint8_t>()); });
    CHECK(mentions(refusal(path), "holds no images"));
    const hid_t lazy = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[3] = {5, 6, 5};
    H5Pset_chunk(lazy, 3, chunk);
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, std::vector<std::uint8_t>(), -1, lazy);
      f.dataset("labels", {10}, labels);
    });
    CHECK(mentions(refusal(path), "never written"));
    // A small file that claims a terabyte.
    const hsize_t one[3] = {1, 64, 64};
    H5Pset_chunk(lazy, 3, one);
    with([&](Hdf5File& f) {
      f.dataset("images", {hsize_t{1} << 28, 64, 64}, std::vector<std::uint8_t>(), -1, lazy);
    });
    CHECK(mentions(refusal(path), "claims more data"));
    H5Pclose(lazy);
  }
  SECTION("chunks that would take too much memory") {
    const hid_t large = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[3] = {40000, 64, 64};
    H5Pset_chunk(large, 3, chunk);
    hsize_t shape[3] = {10, 64, 64}, most[3] = {H5S_UNLIMITED, 64, 64};
    with([&](Hdf5File& f) {
      const hid_t space = H5Screate_simple(3, shape, most);
      H5Dclose(H5Dcreate2(f.id(), "images", H5T_STD_U8LE, space, H5P_DEFAULT, large, H5P_DEFAULT));
      H5Sclose(space);
    });
    CHECK(mentions(refusal(path), "chunks above 128 MiB"));
    H5Pclose(large);
  }
  SECTION("other files: external storage, virtual datasets, links") {
    const TemporaryPath other("other.bin");
    const hid_t outside = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(outside, std::string(other).c_str(), 0, 300);
    with([&](Hdf5File& f) { f.dataset("images", {10, 6, 5}, values, -1, outside); });
    CHECK(mentions(refusal(path), "other files (external storage)"));
    H5Pclose(outside);
    const hid_t pieces = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t shape[3] = {10, 6, 5};
    const hid_t space = H5Screate_simple(3, shape, nullptr);
    H5Pset_virtual(pieces, space, std::string(other).c_str(), "images", space);
    with([&](Hdf5File& f) {
      f.dataset("images", {10, 6, 5}, std::vector<std::uint8_t>(), -1, pieces);
    });
    CHECK(mentions(refusal(path), "other files (virtual dataset)"));
    H5Sclose(space);
    H5Pclose(pieces);
    with([&](Hdf5File& f) {
      H5Lcreate_external(std::string(other).c_str(), "/images", f.id(), "images", H5P_DEFAULT,
                         H5P_DEFAULT);
    });
    CHECK(mentions(refusal(path), "'images' is a link"));
  }
  SECTION("not HDF5, empty, a folder, absent") {
    std::ofstream(path) << "not HDF5";
    CHECK(mentions(refusal(path), "cannot be opened as HDF5"));
    std::ofstream(path, std::ios::trunc).flush();
    CHECK(mentions(refusal(path), "cannot be opened as HDF5"));
    CHECK(mentions(refusal(std::filesystem::temp_directory_path()), "is not a file"));
    try {
      open_hdf5_slices(std::string(path) + ".absent");
      FAIL("it was opened");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::file_system);
    }
  }
}

TEST_CASE("a file cut short or changed anywhere ends in a result or one line") {
  const TemporaryPath path("whole.h5");
  Tensor images({40, 16, 16}, DType::u8);
  const auto values = numbered<std::uint8_t>(40 * 256);
  std::copy(values.begin(), values.end(), images.values<std::uint8_t>().begin());
  SampleTable table;
  table.labels.assign(40, 1);
  table.subjects.assign(40, "a");
  write_hdf5_slices(path, images.view(), table);
  std::ifstream in(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  const TemporaryPath broken("broken.h5");
  int refused = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    std::string bytes = whole;
    if (i < 10) {
      bytes.resize(whole.size() * (i + 1) / 11);
    } else {
      // The metadata lies in the first and the last bytes.
      const std::size_t at = (i * 7919) % 4096;
      bytes[i % 2 == 0 ? at % bytes.size() : bytes.size() - 1 - at % bytes.size()] ^= '\x5a';
    }
    std::ofstream(broken, std::ios::binary | std::ios::trunc) << bytes;
    try {
      const auto dataset = open_hdf5_slices(broken);
      read_all(*dataset);
    } catch (const Error& error) {
      ++refused;
      CHECK(error.kind() == ErrorKind::input);
    }
  }
  CHECK(refused >= 10);
}
