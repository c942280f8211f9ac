// RatNet trained from a file of slices, and such a file read.
#include <numeric>

#include "../../apps/dark_slices/ratnet.h"
#include "../../train/hdf5_dataset.h"
#include "../../train/loader.h"
#include "../../train/trainer.h"
#include "peer_protocol.h"
#include "ratnet_peer.h"

namespace ratnet::inline v1 {

// Trains RatNet with Adam at a rate of 0.001 for so many steps and says how it went: the mean loss
// of the last 100 steps, and how fast all but the first 20 were.
void train(const Words& words) {
  const std::string& path = words[0];
  const std::int64_t steps = std::stoll(words[1]), batch = std::stoll(words[2]);
  const auto dataset = open_hdf5_slices(path);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset->size()));
  std::iota(indices.begin(), indices.end(), 0);
  TrainerOptions options;
  options.epochs = steps * batch / dataset->size() + 1;
  options.schedule.kind = ScheduleKind::constant;
  options.schedule.rate = 1e-3;
  options.loader.batch = batch;
  options.loader.scales = {1.0f / 255};
  options.threads = std::stoi(words[3]);

  constexpr std::int64_t kWarmUp = 20, kLast = 100;
  double start = 0, cpu = 0, loss_before = 0, loss_sum = 0;
  std::int64_t epoch = -1, counted = 0;
  const auto watch = [&](const TrainingProgress& progress) {
    if (progress.step == kWarmUp) {
      start = wall_seconds();
      cpu = cpu_seconds();
    }
    // The mean of the epoch so far, undone into the loss of this step.
    const std::int64_t done = progress.epoch == epoch ? ++counted : counted = 1;
    if (progress.epoch != epoch) loss_before = 0;
    epoch = progress.epoch;
    const double sum = progress.loss * static_cast<double>(done);
    if (progress.step > steps - kLast) loss_sum += sum - loss_before;
    loss_before = sum;
    return progress.step < steps;
  };
  train_classifier(ratnet_graph(), *dataset, indices, {}, options, watch);
  const auto measured = static_cast<double>(steps - kWarmUp);
  std::cout << R"({"steps_per_s": )" << measured / (wall_seconds() - start)
            << R"(, "steps_per_cpu_s": )" << measured / (cpu_seconds() - cpu) << R"(, "loss": )"
            << loss_sum / static_cast<double>(std::min(kLast, steps)) << "}" << std::endl;
}

// Says how long opening the file took, then answers each line "BATCH SECONDS" with a measurement of
// that length: shuffled batches by a loader that starts anew and may keep no more than windows of
// 16 MiB, so that every slice is unpacked in every epoch.
void load(const Words& words) {
  const std::string& path = words[0];
  const int threads = std::stoi(words[1]);
  const double opened = wall_seconds();
  const auto dataset = open_hdf5_slices(path, {.keep_bytes = 0});
  std::cout << R"({"open_s": )" << wall_seconds() - opened << "}" << std::endl;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset->size()));
  std::iota(indices.begin(), indices.end(), 0);

  std::string line;
  while (std::getline(std::cin, line)) {
    LoaderOptions options;
    double length = 0;
    std::istringstream(line) >> options.batch >> length;
    options.threads = options.readers = threads;
    options.memory_budget = 0;
    options.window_bytes = std::size_t{16} << 20;
    const double cpu = cpu_seconds();
    const double start = wall_seconds();
    double seconds = 0;
    std::int64_t slices = 0;
    Loader loader(*dataset, indices, options);
    for (; seconds < length; seconds = wall_seconds() - start) slices += loader.next().count;
    std::cout << R"({"slices_per_s": )" << static_cast<double>(slices) / seconds
              << R"(, "slices_per_cpu_s": )" << static_cast<double>(slices) / (cpu_seconds() - cpu)
              << "}" << std::endl;
  }
}

}  // namespace ratnet::inline v1
