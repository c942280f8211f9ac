#include "../../train/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <set>

#include "../../train/loader_order.h"
#include "../catch.h"

using namespace ratnet;

namespace {

Tensor numbered_images(std::int64_t n, DType type = DType::u8) {
  Tensor images({n, 4, 6}, type);
  auto* bytes = static_cast<std::uint8_t*>(images.data());
  if (type == DType::u8)
    for (std::int64_t i = 0; i < n * 24; ++i)
      bytes[i] = static_cast<std::uint8_t>((i * 31 + i / 24) % 256);
  return images;
}

SampleTable labelled(std::int64_t n) {
  SampleTable table;
  for (std::int64_t i = 0; i < n; ++i) table.labels.push_back(i % 5 == 0 ? 1 : 0);
  return table;
}

std::vector<std::int64_t> all_of(std::int64_t n, std::int64_t step = 1) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < n; i += step) indices.push_back(i);
  return indices;
}

// A copy of what a batch holds.
struct Copy {
  std::int64_t epoch, number;
  std::vector<std::int64_t> indices;
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
  bool operator==(const Copy&) const = default;
};

Copy copy_of(const Batch& batch) {
  const auto values = [](const ConstView& view, auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto* from = view.as<T>();
    return std::vector<T>(from, from + view.count());
  };
  return {batch.epoch,
          batch.number,
          batch.indices,
          values(batch.images, static_cast<float*>(nullptr)),
          values(batch.labels, static_cast<std::int32_t*>(nullptr)),
          values(batch.weights, static_cast<float*>(nullptr))};
}

std::vector<Copy> take(Loader& loader, std::int64_t batches) {
  std::vector<Copy> out;
  for (std::int64_t i = 0; i < batches; ++i) out.push_back(copy_of(loader.next()));
  return out;
}

// A dataset stored in chunks, that counts how it is read.
class ChunkedDataset final : public Dataset {
 public:
  ChunkedDataset(std::int64_t n, std::int64_t chunk)
      : images_(numbered_images(n), labelled(n)), chunk_(chunk) {}
  std::int64_t size() const override { return images_.size(); }
  Shape image_shape() const override { return images_.image_shape(); }
  DType dtype() const override { return images_.dtype(); }
  const SampleTable& table() const override { return images_.table(); }
  std::int64_t chunk() const override { return chunk_; }
  std::string name() const override { return "chunked"; }
  void read(std::int64_t first, View to) override {
    if (fails_at >= first && fails_at < first + to.shape[0])
      fail(ErrorKind::input, "image ", fails_at, " is broken");
    rows_read += to.shape[0];
    crossed += first / chunk_ != (first + to.shape[0] - 1) / chunk_;
    images_.read(first, to);
  }

  std::atomic<std::int64_t> rows_read{0};
  std::atomic<int> crossed{0};
  std::int64_t fails_at = -1;

 private:
  TensorDataset images_;
  std::int64_t chunk_;
};

LoaderOptions busy_options() {
  return {.batch = 7,
          .seed = 3,
          .balance = true,
          .augmentation =
              {.shift = 2, .subpixel = true, .flip_left_right = true, .gain = 0.1, .noise = 0.5},
          .scales = {0.5f}};
}

}  // namespace

TEST_CASE("batches do not depend on the number of threads, kept in memory or read in windows") {
  ChunkedDataset dataset(1000, 16);
  for (const std::size_t budget : {std::size_t{1} << 20, std::size_t{1000}}) {
    LoaderOptions options = busy_options();
    options.memory_budget = budget;
    options.window_bytes = 24 * 200;
    Loader one(dataset, all_of(1000, 3), options);
    const std::vector<Copy> expected = take(one, 2 * one.batches_per_epoch() + 5);
    for (const int threads : {2, 4}) {
      options.threads = options.readers = threads;
      options.ahead = 1 + threads;
      Loader many(dataset, all_of(1000, 3), options);
      CHECK(take(many, 2 * one.batches_per_epoch() + 5) == expected);
    }
  }
}

TEST_CASE("a loader continues anywhere as if it had gone straight through") {
  ChunkedDataset dataset(500, 16);
  for (const std::size_t budget : {std::size_t{1} << 20, std::size_t{1000}}) {
    LoaderOptions options = busy_options();
    options.memory_budget = budget;
    options.window_bytes = 24 * 100;
    options.threads = 2;
    Loader straight(dataset, all_of(500), options);
    const std::int64_t epoch = straight.batches_per_epoch();
    const std::vector<Copy> expected = take(straight, 3 * epoch);
    Loader other(dataset, all_of(500), options);
    for (const std::int64_t at : {epoch + 40, std::int64_t{3}, 2 * epoch, epoch - 1}) {
      other.seek(at / epoch, at % epoch);
      const std::vector<Copy> got = take(other, 10);
      CHECK(std::equal(got.begin(), got.end(), expected.begin() + at));
    }
    CHECK_THROWS_AS(other.seek(0, epoch), Error);
  }
}

TEST_CASE("every index comes exactly once in an epoch, with its own pixels, label and weight") {
  const std::int64_t n = 333;
  TensorDataset dataset(numbered_images(n), labelled(n));
  LoaderOptions options{.batch = 32, .seed = 9};
  for (std::int64_t i = 0; i < n; ++i) {
    options.scales.push_back(1.0f + static_cast<float>(i));
    options.weights.push_back(static_cast<float>(i) / 8);
  }
  for (const std::size_t budget : {std::size_t{1} << 20, std::size_t{1000}}) {
    options.memory_budget = budget;
    options.window_bytes = 24 * 100;
    Loader loader(dataset, all_of(n), options);
    REQUIRE(loader.batches_per_epoch() == 11);
    std::vector<std::int64_t> first_epoch;
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::vector<std::int64_t> seen;
      for (int b = 0; b < 11; ++b) {
        const Batch& batch = loader.next();
        CHECK(batch.epoch == epoch);
        CHECK(batch.number == b);
        CHECK(batch.count == (b < 10 ? 32 : 13));
        CHECK(batch.images.shape == Shape{batch.count, 4, 6, 1});
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
          const std::int64_t index = batch.indices[i];
          seen.push_back(index);
          bool right = batch.labels.as<std::int32_t>()[i] == (index % 5 == 0 ? 1 : 0) &&
                       batch.weights.as<float>()[i] == static_cast<float>(index) / 8;
          for (std::int64_t p = 0; p < 24; ++p) {
            const auto pixel = static_cast<float>(((index * 24 + p) * 31 + index) % 256);
            right &= batch.images.as<float>()[i * 24 + static_cast<std::size_t>(p)] ==
                     pixel * options.scales[static_cast<std::size_t>(index)];
          }
          REQUIRE(right);
        }
      }
      CHECK(seen != all_of(n));
      if (epoch == 0) first_epoch = seen;
      if (epoch == 1) CHECK(seen != first_epoch);
      std::sort(seen.begin(), seen.end());
      CHECK(seen == all_of(n));
    }
  }
}

TEST_CASE("without shuffling, samples come in the order asked for") {
  TensorDataset dataset(numbered_images(50), SampleTable{});
  const std::vector<std::int64_t> wanted = {9, 3, 3, 40, 0, 17};
  Loader loader(dataset, wanted, {.batch = 4, .shuffle = false});
  std::vector<std::int64_t> got = loader.next().indices;
  CHECK(loader.next().labels.as<std::int32_t>()[0] == -1);
  loader.seek(0, 1);
  for (const std::int64_t index : loader.next().indices) got.push_back(index);
  CHECK(got == wanted);
}

TEST_CASE("every stored type is converted") {
  for (const DType type : {DType::u8, DType::u16, DType::i16, DType::f32}) {
    Tensor images({1, 2, 2, 1}, type);
    if (type == DType::u8) images.values<std::uint8_t>()[3] = 200;
    if (type == DType::u16) images.values<std::uint16_t>()[3] = 60000;
    if (type == DType::i16) images.values<std::int16_t>()[3] = -300;
    if (type == DType::f32) images.values<float>()[3] = 0.125f;
    const float expected = type == DType::u8    ? 100.0f
                           : type == DType::u16 ? 30000.0f
                           : type == DType::i16 ? -150.0f
                                                : 0.0625f;
    TensorDataset dataset(std::move(images), SampleTable{});
    Loader loader(dataset, {0}, {.scales = {0.5f}});
    const Batch& batch = loader.next();
    CHECK(batch.images.as<float>()[3] == expected);
    CHECK(batch.images.as<float>()[2] == 0);
  }
}

TEST_CASE("windows read whole chunks, each once in an epoch, and hold their budget") {
  ChunkedDataset dataset(4096, 64);
  LoaderOptions options{.batch = 32, .seed = 1, .memory_budget = 1000, .window_bytes = 24 * 512};
  Loader loader(dataset, all_of(4096), options);
  const std::int64_t batches = loader.batches_per_epoch();
  std::set<std::int64_t> chunks_of_first_window;
  for (std::int64_t b = 0; b < batches; ++b) {
    const Batch& batch = loader.next();
    if (b < 512 / 32)
      for (const std::int64_t index : batch.indices) chunks_of_first_window.insert(index / 64);
  }
  CHECK(chunks_of_first_window.size() == 8);
  CHECK(*chunks_of_first_window.rbegin() - *chunks_of_first_window.begin() > 8);
  CHECK(dataset.crossed == 0);
  // The reading thread is at most two windows into the next epoch.
  CHECK(dataset.rows_read >= 4096);
  CHECK(dataset.rows_read <= 4096 + 2 * 512);
}

TEST_CASE("a small dataset is read once") {
  ChunkedDataset dataset(512, 64);
  Loader loader(dataset, all_of(512, 2), {.batch = 64});
  take(loader, 20);
  CHECK(dataset.rows_read <= 512);
  loader.seek(7, 0);
  take(loader, 1);
  CHECK(dataset.rows_read <= 512);
}

TEST_CASE("balancing shows every class equally often and every image of it") {
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 100; ++i) labels.push_back(i < 90 ? 0 : i < 98 ? 1 : 2);
  const OrderOptions options{.seed = 5, .balance = true, .block = 16, .window_rows = 1000};
  std::set<std::int64_t> seen;
  for (int epoch = 0; epoch < 30; ++epoch) {
    const EpochOrder order = epoch_order(all_of(100), labels, options, epoch);
    REQUIRE(order.draws.size() == 100);
    std::map<int, int> by_class;
    std::map<std::int64_t, int> by_index;
    std::set<std::pair<std::int64_t, int>> uses;
    for (const Draw& draw : order.draws) {
      ++by_class[labels[static_cast<std::size_t>(draw.index)]];
      ++by_index[draw.index];
      seen.insert(draw.index);
      uses.insert({draw.index, draw.copy});
    }
    CHECK(uses.size() == 100);
    CHECK(by_class == std::map<int, int>{{0, 34}, {1, 33}, {2, 33}});
    for (std::int64_t i = 90; i < 98; ++i) CHECK((by_index[i] == 4 || by_index[i] == 5));
  }
  CHECK(seen.size() == 100);

  TensorDataset unlabelled(numbered_images(4), SampleTable{.labels = {0, 1, kUnlabelled, 0}});
  CHECK_THROWS_AS(Loader(unlabelled, all_of(4), {.balance = true}), Error);
}

TEST_CASE("what a reader throws reaches the consumer, and the loader still ends") {
  for (const std::size_t budget : {std::size_t{1} << 20, std::size_t{1000}}) {
    ChunkedDataset dataset(1000, 64);
    dataset.fails_at = 700;
    Loader loader(dataset, all_of(1000),
                  {.batch = 10, .threads = 3, .memory_budget = budget, .window_bytes = 2400});
    const auto drain = [&] {
      for (int i = 0; i < 101; ++i) loader.next();
    };
    CHECK_THROWS_AS(drain(), Error);
    CHECK_THROWS_AS(drain(), Error);
    dataset.fails_at = -1;
    loader.seek(0, 0);
    drain();
  }
}

TEST_CASE("a loader can be left at any moment") {
  ChunkedDataset dataset(2000, 64);
  for (const std::size_t budget : {std::size_t{1} << 20, std::size_t{1000}})
    for (int batches = 0; batches < 12; batches += 3) {
      Loader loader(
          dataset, all_of(2000),
          {.batch = 16, .threads = 4, .ahead = 8, .memory_budget = budget, .window_bytes = 4800});
      take(loader, batches);
    }
}

TEST_CASE("a change sees image and mask, and makes targets, whatever thread it runs on") {
  const std::int64_t n = 60;
  TensorDataset images(numbered_images(n), labelled(n));
  const Shape image = images.image_shape();
  Tensor ones(image.without_last().batch_of(n), DType::u8);
  for (std::uint8_t& value : ones.values<std::uint8_t>()) value = 1;
  TensorDataset masks(std::move(ones), {});
  LoaderOptions options = busy_options();
  options.balance = false;
  options.augmentation = {.shift = 1};
  options.masks = &masks;
  const auto stream = [&](int threads) {
    options.threads = threads;
    options.change = {.name = "test",
                      .apply =
                          [&](const Sample& sample, Random& random) {
                            const auto added = static_cast<float>(1 + random.uniform());
                            auto* pixel = sample.image.as<float>();
                            for (std::int64_t p = 0; p < image.count(); ++p) {
                              sample.target.as<float>()[p] = pixel[p];
                              sample.weight.as<float>()[p] = sample.mask.as<std::uint8_t>()[p];
                              pixel[p] += added;
                            }
                          },
                      .makes_targets = true};
    Loader loader(images, all_of(n), options);
    std::vector<float> seen;
    for (int b = 0; b < 12; ++b) {
      const Batch& batch = loader.next();
      REQUIRE(batch.targets.shape == batch.images.shape);
      const auto* x = batch.images.as<float>();
      const auto* t = batch.targets.as<float>();
      for (std::int64_t p = 0; p < batch.images.count(); ++p) {
        REQUIRE(x[p] > t[p]);
        REQUIRE(batch.target_weights.as<float>()[p] ==
                static_cast<float>(batch.masks.as<std::uint8_t>()[p]));
      }
      seen.insert(seen.end(), x, x + batch.images.count());
    }
    return seen;
  };
  CHECK(stream(1) == stream(3));
}

TEST_CASE("options and indices that make no sense are refused") {
  TensorDataset dataset(numbered_images(4), SampleTable{});
  CHECK_THROWS_AS(Loader(dataset, {}, {}), Error);
  CHECK_THROWS_AS(Loader(dataset, {4}, {}), Error);
  CHECK_THROWS_AS(Loader(dataset, {0}, {.batch = 0}), Error);
  CHECK_THROWS_AS(Loader(dataset, {0}, {.threads = 0}), Error);
  CHECK_THROWS_AS(Loader(dataset, {0}, {.readers = -1}), Error);
  CHECK_THROWS_AS(Loader(dataset, {0}, {.scales = {1, 2}}), Error);
  CHECK_THROWS_AS(Loader(dataset, {0}, {.weights = {1}}), Error);
  CHECK_THROWS_AS(Loader(dataset, {0}, {.augmentation = {.gain = 1}}), Error);
  const auto nothing = [](const Sample&, Random&) {};
  const auto refusal = [&](const SampleChange& change) -> std::string {
    try {
      Loader(dataset, {0}, {.change = change});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal({.name = "a", .apply = nothing, .makes_targets = true}) == "");
  CHECK(refusal({.makes_targets = true}).find("nothing to apply") != std::string::npos);
  CHECK(refusal({.apply = nothing}).find("needs a name") != std::string::npos);
}
