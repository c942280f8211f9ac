#include "../../train/hdf5_dataset.h"

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include <sys/resource.h>

#include "../../train/hdf5_write.h"
#include "../data.h"
#include "../sanitizer.h"
#include "hdf5_outcome.h"

using namespace ratnet;
using namespace ratnet::test;

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
  DatasetAttributes attributes{.class_names = {"good", "dark"},
                               .scale = 61.5,
                               .value_names = {{"clear", {"no", "yes, \xc3\xa9"}}}};
  write_hdf5_slices(path, images.view(), table, attributes);

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
  CHECK(dataset->attributes().value_names == attributes.value_names);

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
  write_hdf5_slices(again, images.view(), table, attributes);
  const auto bytes = [](const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(bytes(path) == bytes(again));

  // Every value has a name, and every name a column.
  attributes.value_names = {{"ambiguous", {"0", "1", "2", "3", "4", "5"}}};
  write_hdf5_slices(again, images.view(), table, attributes);
  CHECK_THROWS_AS(open_hdf5_slices(again), Error);
  attributes.value_names = {{"uncertain", {"no", "yes"}}};
  CHECK_THROWS_AS(write_hdf5_slices(again, images.view(), table, attributes), Error);
}

TEST_CASE("masks are written beside the images") {
  const TemporaryPath path("masked.h5");
  const Tensor images({5, 3, 2}, DType::u8);
  Tensor masks({5, 3, 2}, DType::u8);
  const auto values = numbered<std::uint8_t>(30);
  std::copy(values.begin(), values.end(), masks.values<std::uint8_t>().begin());
  write_hdf5_slices(path, images.view(), {}, {}, masks.view());
  CHECK(describe_hdf5(path).has_masks);
  CHECK(pixels<std::uint8_t>(*open_hdf5_masks(path)) == values);
  const auto refuses = [&](const Tensor& wrong) {
    CHECK_THROWS_AS(write_hdf5_slices(path, images.view(), {}, {}, wrong.view()), Error);
  };
  refuses(Tensor({4, 3, 2}, DType::u8));
  refuses(Tensor({5, 2, 3}, DType::u8));
  refuses(Tensor({5, 3, 2, 1}, DType::u8));
  refuses(Tensor({5, 3, 2}, DType::f32));
  SampleTable table;
  table.columns["masks"].assign(5, 0);
  CHECK_THROWS_AS(write_hdf5_slices(path, images.view(), table), Error);
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

TEST_CASE("files are surveyed and read from several threads") {
  const TemporaryPath path("threads.h5");
  Tensor images({100, 8, 8}, DType::u8);
  const auto values = numbered<std::uint8_t>(6400);
  std::copy(values.begin(), values.end(), images.values<std::uint8_t>().begin());
  SampleTable table;
  table.labels.assign(100, 0);
  write_hdf5_slices(path, images.view(), table);
  // What four threads see, each in three datasets.
  const auto right = [&](const auto& open) {
    std::array<bool, 4> result{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < result.size(); ++t)
      threads.emplace_back([&, t] {
        result[t] = true;
        for (int i = 0; i < 3; ++i)
          result[t] = result[t] && pixels<std::uint8_t>(*open()) == values;
      });
    for (std::thread& thread : threads) thread.join();
    return result == std::array<bool, 4>{true, true, true, true};
  };
  const auto shared = open_hdf5_slices(path);
  CHECK(right([&] { return shared.get(); }));
  if (!has_sanitizer_memory()) CHECK(right([&] { return open_hdf5_slices(path); }));
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
