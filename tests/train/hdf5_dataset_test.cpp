#include "../../train/hdf5_dataset.h"

#include <array>
#include <csignal>
#include <fstream>
#include <limits>
#include <thread>

#include <sys/resource.h>

#include "../../train/hdf5_write.h"
#include "../catch.h"
#include "../data.h"
#include "hdf5_file.h"

using namespace ratnet;

namespace {

Tensor read_all(Dataset& dataset) {
  const Shape image = dataset.image_shape();
  Tensor all({dataset.size(), image[0], image[1], image[2]}, dataset.dtype());
  dataset.read(0, all);
  return all;
}

template <class T>
std::vector<T> pixels(Dataset& dataset) {
  const Tensor all = read_all(dataset);
  return {all.values<T>().begin(), all.values<T>().end()};
}

bool has_note(const Dataset& dataset, const std::string& words) {
  for (const std::string& note : dataset.notes())
    if (note.find(words) != std::string::npos) return true;
  return false;
}

// The message of the Error (input) that opening must give.
std::string refusal(const std::string& path, const Hdf5Options& options = {}) {
  try {
    open_hdf5_slices(path, options);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  FAIL("it was not refused");
  return "";
}

bool mentions(const std::string& message, const std::string& words) {
  INFO(message);
  return message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("what is written is read back") {
  const TemporaryPath path("written.h5");
  const std::int64_t n = 150;
  Tensor images({n, 8, 6}, DType::u8);
  const auto values = numbered<std::uint8_t>(static_cast<std::size_t>(n * 48));
  std::copy(values.begin(), values.end(), images.values<std::uint8_t>().begin());
  SampleTable table;
  for (int i = 0; i < n; ++i) {
    table.labels.push_back(static_cast<std::uint8_t>(i % 3 == 2 ? kUnlabelled : i % 3));
    table.subjects.push_back("animal-" + std::to_string(i / 10));
    table.sessions.push_back("s" + std::to_string(i / 5));
    table.runs.push_back("");
    table.volumes.push_back(i / 15);
    table.slices.push_back(i % 15);
    table.splits.push_back(static_cast<Split>(i / 50));
    table.columns["clear"].push_back(static_cast<std::uint8_t>(i % 2));
    table.columns["ambiguous"].push_back(static_cast<std::uint8_t>(i % 7));
  }
  write_hdf5_slices(path, images.view(), table, {.class_names = {"good", "dark"}, .scale = 61.5});

  const auto dataset = open_hdf5_slices(path);
  CHECK(dataset->size() == n);
  CHECK(dataset->image_shape() == Shape{8, 6, 1});
  CHECK(dataset->dtype() == DType::u8);
  CHECK(dataset->chunk() == 64);
  CHECK(dataset->notes().empty());
  CHECK(pixels<std::uint8_t>(*dataset) == values);
  CHECK(dataset->table().labels == table.labels);
  CHECK(dataset->table().subjects == table.subjects);
  CHECK(dataset->table().sessions == table.sessions);
  CHECK(dataset->table().runs == table.runs);
  CHECK(dataset->table().volumes == table.volumes);
  CHECK(dataset->table().slices == table.slices);
  CHECK(dataset->table().splits == table.splits);
  CHECK(dataset->table().columns == table.columns);
  CHECK(dataset->attributes().class_names == std::vector<std::string>{"good", "dark"});
  CHECK(dataset->attributes().scale == 61.5);

  // The same hashes as the same images in memory have.
  const TensorDataset memory(images.clone(), table);
  CHECK(std::equal(memory.hashes().begin(), memory.hashes().end(), dataset->hashes().begin(),
                   dataset->hashes().end()));

  Tensor some({3, 8, 6, 1}, DType::u8);
  dataset->read(100, some);
  CHECK(std::equal(some.values<std::uint8_t>().begin(), some.values<std::uint8_t>().end(),
                   values.begin() + 100 * 48));
  CHECK_THROWS_AS(dataset->read(148, some), Error);

  const Hdf5Description description = describe_hdf5(path);
  CHECK(description.is_slices);
  CHECK(description.size == n);
  CHECK(description.label_counts == std::vector<std::int64_t>{50, 50});
  CHECK(description.unlabelled == 50);
  CHECK(description.subjects == 15);
  CHECK(description.split_counts == std::array<std::int64_t, 3>{50, 50, 50});
  CHECK(description.minimum == 0);
  CHECK(description.maximum == 250);
  CHECK(description.columns == std::vector<std::string>{"ambiguous", "clear"});
  CHECK(description.content_hash == combined_hash(memory.hashes()));
  REQUIRE(description.items.size() == 10);

  // The same content gives the same file.
  const TemporaryPath again("again.h5");
  write_hdf5_slices(again, images.view(), table, {.class_names = {"good", "dark"}, .scale = 61.5});
  const auto bytes = [](const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(bytes(path) == bytes(again));
}

TEST_CASE("a file that cannot be written is absent and says so") {
  Tensor images({2, 4, 4}, DType::u8);
  const TemporaryPath path("absent.h5");
  CHECK_THROWS_AS(write_hdf5_slices(std::string(path) + "/no/such.h5", images.view(), {}), Error);
  SampleTable wrong;
  wrong.labels = {1};
  CHECK_THROWS_AS(write_hdf5_slices(path, images.view(), wrong), Error);
  CHECK(!std::filesystem::exists(std::string(path)));

  // A disk that is full.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 500, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  ErrorKind kind = ErrorKind::internal;
  try {
    write_hdf5_slices(path, images.view(), {});
  } catch (const Error& error) {
    kind = error.kind();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(kind == ErrorKind::file_system);
  CHECK(!std::filesystem::exists(std::string(path)));
}

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
      file.dataset("masks", {10, 6, 5}, values);
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
    CHECK(has_note(*dataset, "not used: 'masks'"));
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

TEST_CASE("files are surveyed and read from several threads") {
  const TemporaryPath path("threads.h5");
  Tensor images({100, 8, 8}, DType::u8);
  const auto values = numbered<std::uint8_t>(6400);
  std::copy(values.begin(), values.end(), images.values<std::uint8_t>().begin());
  SampleTable table;
  table.labels.assign(100, 0);
  write_hdf5_slices(path, images.view(), table);
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      right[t] = true;
      for (int i = 0; i < 3; ++i)
        right[t] = right[t] && pixels<std::uint8_t>(*open_hdf5_slices(path)) == values;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::array<bool, 4>{true, true, true, true});
}

TEST_CASE("the real slices are understood") {
  const std::string lesions = real_data("lesions/lgg_flair_sites_DU_EZ.h5");
  if (lesions.empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Hdf5Description description = describe_hdf5(lesions);
  CHECK(description.is_slices);
  CHECK(description.size == 1902);
  CHECK(description.subjects == 46);
  CHECK(description.image_shape == Shape{256, 256, 1});
  const Hdf5Description motion = describe_hdf5(real_data("motion/t1w_pairs_5_subjects.h5"));
  CHECK(motion.is_slices);
  CHECK(motion.subjects == 5);
  CHECK(motion.label_counts.size() == 2);
}
