// Chunks that are unpacked outside the HDF5 library, against plain reads by it.
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include <unistd.h>

#include "../../train/loader.h"
#include "hdf5_outcome.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

enum class Pipeline { none, shuffle, deflate, both, checked };

hid_t creation_of(Pipeline pipeline, const std::vector<hsize_t>& chunk) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
  if (pipeline != Pipeline::none && pipeline != Pipeline::deflate) H5Pset_shuffle(creation);
  if (pipeline != Pipeline::none && pipeline != Pipeline::shuffle) H5Pset_deflate(creation, 4);
  if (pipeline == Pipeline::checked) H5Pset_fletcher32(creation);
  return creation;
}

// Read through windows from the file, never kept as the survey saw it.
std::unique_ptr<Dataset> streamed(const std::string& path) {
  return open_hdf5_slices(path, {.labels_required = false, .keep_bytes = 0});
}

// The whole dataset by one H5Dread.
template <class T>
std::vector<T> plain(const std::string& path, std::size_t count) {
  std::vector<T> values(count);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "images", H5P_DEFAULT);
  REQUIRE(H5Dread(set, hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Dclose(set);
  H5Fclose(file);
  return values;
}

template <class T>
std::vector<T> read_range(Dataset& dataset, std::int64_t first, std::int64_t n) {
  Tensor some(dataset.image_shape().batch_of(n), dataset.dtype());
  dataset.read(first, some);
  return {some.values<T>().begin(), some.values<T>().end()};
}

template <class T>
void check_reads(const std::vector<hsize_t>& shape, const std::vector<hsize_t>& chunk) {
  std::size_t count = 1;
  for (const hsize_t size : shape) count *= size;
  std::vector<T> values = numbered<T>(count);
  if constexpr (sizeof(T) > 1)  // all bytes of a value count
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(values[i] * 97 + 0.5);
  const std::size_t image = count / shape[0];
  const auto rows = static_cast<std::int64_t>(shape[0]);
  for (const Pipeline pipeline :
       {Pipeline::none, Pipeline::shuffle, Pipeline::deflate, Pipeline::both, Pipeline::checked}) {
    const TemporaryPath path("chunks.h5");
    const hid_t creation = creation_of(pipeline, chunk);
    {
      Hdf5File file(path);
      file.dataset("images", shape, values, -1, creation);
    }
    H5Pclose(creation);
    REQUIRE(plain<T>(path, count) == values);
    const auto dataset = streamed(path);
    CHECK(pixels<T>(*dataset) == values);
    CHECK(has_note(*dataset, "fletcher32") == (pipeline == Pipeline::checked));
    // Pieces, forwards and backwards, that begin and end anywhere in a chunk.
    for (const std::int64_t step : {std::int64_t{1}, std::int64_t{3}, std::int64_t{8}})
      for (std::int64_t k = 0; k * step < rows; ++k) {
        const std::int64_t first = step == 3 ? (rows - 1) / step * step - k * step : k * step;
        const std::int64_t n = std::min(step, rows - first);
        const auto* from = values.data() + static_cast<std::size_t>(first) * image;
        CHECK(read_range<T>(*dataset, first, n) ==
              std::vector<T>(from, from + static_cast<std::size_t>(n) * image));
      }
  }
}

template <class T>
void check_shapes() {
  check_reads<T>({17, 6, 5}, {4, 6, 5});             // whole images, the last chunk partial
  check_reads<T>({16, 6, 5}, {8, 6, 5});             // nothing partial
  check_reads<T>({11, 7, 5}, {3, 4, 2});             // cut and partial along every axis
  check_reads<T>({7, 5, 9}, {1, 2, 9});              // one image, cut along its height
  check_reads<T>({5, 3, 4}, {5, 1, 1});              // single pixels of all images
  check_reads<T>({9, 5, 4, 2}, {2, 3, 4, 1});        // channels apart
  check_reads<T>({4, 3, 5, 2, 1}, {3, 2, 5, 2, 1});  // volumes
}

// Datasets [8, 4, 5] u16 in chunks of [4, 4, 5], whose chunks are written as they are given.
constexpr std::size_t kChunkValues = 80;
using Bytes = std::vector<unsigned char>;

Bytes bytes_of(const std::vector<std::uint16_t>& values) {
  Bytes bytes(values.size() * 2);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Bytes shuffled(const Bytes& bytes) {
  Bytes out;
  for (std::size_t byte = 0; byte < 2; ++byte)
    for (std::size_t i = byte; i < bytes.size(); i += 2) out.push_back(bytes[i]);
  return out;
}

Bytes deflated(const Bytes& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  Bytes out(size);
  REQUIRE(compress(out.data(), &size, bytes.data(), static_cast<uLong>(bytes.size())) == Z_OK);
  out.resize(size);
  return out;
}

void write_chunk(const std::string& path, const Bytes& stored, std::uint32_t mask,
                 bool second_chunk = true) {
  const hid_t creation = creation_of(Pipeline::both, {4, 4, 5});
  const std::uint16_t fill = 0x1234;
  H5Pset_fill_value(creation, H5T_NATIVE_UINT16, &fill);
  H5Pset_fill_time(creation, H5D_FILL_TIME_IFSET);
  {
    Hdf5File file(path);
    file.dataset("images", {8, 4, 5}, std::vector<std::uint16_t>(), hdf5_type<std::uint16_t>(),
                 creation);
    const hid_t set = H5Dopen2(file.id(), "images", H5P_DEFAULT);
    const hsize_t first[3] = {0, 0, 0}, second[3] = {4, 0, 0};
    REQUIRE(H5Dwrite_chunk(set, H5P_DEFAULT, mask, first, stored.size(), stored.data()) >= 0);
    const Bytes sound = deflated(shuffled(bytes_of(numbered<std::uint16_t>(kChunkValues))));
    if (second_chunk)
      REQUIRE(H5Dwrite_chunk(set, H5P_DEFAULT, 0, second, sound.size(), sound.data()) >= 0);
    H5Dclose(set);
  }
  H5Pclose(creation);
}

}  // namespace

TEST_CASE("HDF5 chunks of every type, filter and shape are what the library reads") {
  check_shapes<std::uint8_t>();
  check_shapes<std::uint16_t>();
  check_shapes<std::int16_t>();
  check_shapes<float>();
}

TEST_CASE("filters that were skipped for a chunk and chunks never written are honoured") {
  const TemporaryPath path("skipped.h5");
  const auto values = numbered<std::uint16_t>(kChunkValues);
  const Bytes plain_bytes = bytes_of(values);
  const std::vector<Bytes> stored = {deflated(shuffled(plain_bytes)), deflated(plain_bytes),
                                     shuffled(plain_bytes), plain_bytes};
  for (std::uint32_t mask = 0; mask < 4; ++mask)
    for (const bool second : {true, false}) {
      write_chunk(path, stored[mask], mask, second);
      auto wanted = values;
      if (second)
        wanted.insert(wanted.end(), values.begin(), values.end());
      else
        wanted.resize(2 * kChunkValues, 0x1234);
      CHECK(plain<std::uint16_t>(path, 2 * kChunkValues) == wanted);
      CHECK(pixels<std::uint16_t>(*streamed(path)) == wanted);
    }
}

TEST_CASE("a chunk that cannot be what it says is refused by name") {
  const TemporaryPath path("broken.h5");
  const Bytes sound = bytes_of(numbered<std::uint16_t>(kChunkValues));
  const auto refused = [&](const Bytes& stored, std::uint32_t mask, const std::string& words) {
    write_chunk(path, stored, mask);
    const std::string message = refusal(path, {.labels_required = false});
    CHECK(mentions(message, "the chunk at [0, 0, 0] of 'images' is damaged"));
    CHECK(mentions(message, words));
    CHECK(mentions(message, path));
  };
  Bytes changed = deflated(shuffled(sound));
  refused(Bytes(changed.begin(), changed.end() - 7), 0, "cannot be unpacked");
  changed.back() ^= 1;  // the checksum
  refused(changed, 0, "cannot be unpacked");
  refused(deflated(Bytes(sound.begin(), sound.end() - 2)), 0, "less than a chunk");
  refused(deflated(Bytes(sound.size() + 1)), 0, "more than a chunk");
  refused(deflated(Bytes(std::size_t{64} << 20)), 0, "it takes");  // a bomb
  refused(deflated(Bytes(std::size_t{1} << 17)), 0, "more than a chunk");
  refused(Bytes(sound.begin(), sound.end() - 1), 3, "not as large as a chunk");
  refused(Bytes(5000, 'x'), 0, "it takes 5000 bytes");
}

TEST_CASE("a file that changes after it was surveyed ends in an error, not in a crash") {
  const TemporaryPath path("changing.h5");
  const auto values = numbered<std::uint16_t>(40 * 64 * 64);
  const hid_t creation = creation_of(Pipeline::both, {4, 64, 64});
  {
    Hdf5File file(path);
    file.dataset("images", {40, 64, 64}, values, -1, creation);
  }
  H5Pclose(creation);
  const auto dataset = streamed(path);
  REQUIRE(read_range<std::uint16_t>(*dataset, 0, 1)[5] == values[5]);
  REQUIRE(truncate(std::string(path).c_str(), 6000) == 0);
  CHECK_THROWS_AS(read_all(*dataset), Error);
  CHECK_THROWS_AS(read_range<std::uint16_t>(*dataset, 39, 1), Error);
}

TEST_CASE("chunks are read from several threads at once") {
  const TemporaryPath path("threads.h5");
  const auto values = numbered<std::int16_t>(60 * 16 * 12);
  const hid_t creation = creation_of(Pipeline::both, {7, 9, 12});
  {
    Hdf5File file(path);
    file.dataset("images", {60, 16, 12}, values, -1, creation);
  }
  H5Pclose(creation);
  const auto dataset = streamed(path);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      Tensor some(dataset->image_shape().batch_of(5), dataset->dtype());
      for (std::int64_t k = 0; k < 200; ++k) {
        const std::int64_t first = (k * 13 + static_cast<std::int64_t>(t) * 7) % 56;
        dataset->read(first, some);
        wrong[t] += !std::equal(some.values<std::int16_t>().begin(),
                                some.values<std::int16_t>().end(), values.begin() + first * 192);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a loader reads chunks with any number of threads, and whatever rows are chosen") {
  constexpr std::int64_t kImages = 3000, kPixels = 16 * 12;
  const TemporaryPath path("loader.h5");
  const auto values = numbered<std::int16_t>(kImages * kPixels);
  const hid_t creation = creation_of(Pipeline::both, {7, 9, 12});
  {
    Hdf5File file(path);
    file.dataset("images", {kImages, 16, 12}, values, -1, creation);
  }
  H5Pclose(creation);
  const auto dataset = streamed(path);
  std::vector<std::int64_t> rows;  // runs, gaps inside of chunks and chunks of which none is used
  for (std::int64_t i = 0; i < kImages; ++i)
    if (i < 500 || (i > 1000 && i % 5 != 2)) rows.push_back(i);
  std::vector<std::vector<std::int64_t>> orders;
  for (const int readers : {1, 2, 4}) {
    // Room for four readers; two windows and a bit in an epoch.
    Loader loader(*dataset, rows,
                  {.batch = 50,
                   .readers = readers,
                   .memory_budget = 0,
                   .window_bytes = std::size_t{440} << 10});
    std::vector<std::int64_t>& order = orders.emplace_back();
    std::int64_t wrong = 0;
    for (std::int64_t b = 0; b < 2 * loader.batches_per_epoch(); ++b) {
      const Batch& batch = loader.next();
      const auto* image = batch.images.as<float>();
      for (const std::int64_t index : batch.indices) {
        order.push_back(index);
        for (std::int64_t p = 0; p < kPixels; ++p)
          wrong += *image++ != values[static_cast<std::size_t>(index * kPixels + p)];
      }
    }
    CHECK(wrong == 0);
    CHECK(order == orders[0]);
  }
}
