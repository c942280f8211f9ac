// The loader over an HDF5 file of 30,000 slices of 64x64 (u8, gzip chunks).
#include <benchmark/benchmark.h>

#include <filesystem>
#include <numeric>
#include <random>

#include "../train/hdf5_dataset.h"
#include "../train/hdf5_write.h"
#include "../train/loader.h"
#include "setting.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kSlices = 30'000;

// The file, made at first use and removed at the end of the program.
class SliceFile {
 public:
  SliceFile()
      : folder_(std::filesystem::temp_directory_path() /
                ("ratnet_bench_" + std::to_string(std::random_device{}()))) {
    std::filesystem::create_directory(folder_);
    Tensor images({kSlices, 64, 64}, DType::u8);
    Random random(1);
    // Noise on a gradient, so that gzip has as much to do as with a scan.
    std::size_t at = 0;
    for (std::uint8_t& pixel : images.values<std::uint8_t>())
      pixel = static_cast<std::uint8_t>(at++ % 64 * 2 + random.bits() % 16);
    SampleTable table;
    for (std::int64_t i = 0; i < kSlices; ++i)
      table.labels.push_back(static_cast<std::uint8_t>(i % 2));
    write_hdf5_slices(path(), images, table);
  }
  ~SliceFile() { std::filesystem::remove_all(folder_); }
  SliceFile(const SliceFile&) = delete;
  SliceFile& operator=(const SliceFile&) = delete;

  std::string path() const { return folder_ / "slices.h5"; }

 private:
  std::filesystem::path folder_;
};

const std::string& slice_file() {
  static const SliceFile file;
  static const std::string path = file.path();
  return path;
}

// Checks the whole file and finds out what is in it.
void open_dataset(benchmark::State& state) {
  const std::string& path = slice_file();
  for (auto _ : state) benchmark::DoNotOptimize(open_hdf5_slices(path));
  state.counters["slices/s"] = benchmark::Counter(static_cast<double>(kSlices),
                                                  benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(open_dataset)->UseRealTime()->Unit(benchmark::kMillisecond);

// One shuffled epoch in batches of 32. Arguments: whether all images may stay in memory, or only
// windows of them (then each epoch inflates the file again); threads that inflate, 0 for all cores.
void loader_epoch(benchmark::State& state) {
  const bool in_memory = state.range(0) != 0;
  const auto dataset =
      open_hdf5_slices(slice_file(), {.keep_bytes = in_memory ? Hdf5Options().keep_bytes : 0});
  std::vector<std::int64_t> indices(static_cast<std::size_t>(kSlices));
  std::iota(indices.begin(), indices.end(), 0);
  LoaderOptions options;
  options.readers = static_cast<int>(state.range(1));
  if (!in_memory) {
    options.memory_budget = 0;
    options.window_bytes = std::size_t{16} << 20;
  }
  Loader loader(*dataset, indices, options);
  loader.next();
  for (auto _ : state)
    for (std::int64_t b = 0; b < loader.batches_per_epoch(); ++b) loader.next();
  state.counters["slices/s"] = benchmark::Counter(static_cast<double>(kSlices),
                                                  benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(loader_epoch)
    ->ArgNames({"in_memory", "readers"})
    ->Args({1, 1})
    ->Args({0, 1})
    ->Args({0, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ratnet::inline v1
