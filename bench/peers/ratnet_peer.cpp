// Our side of the comparison with other frameworks; bench/peers/run starts it.
//   ratnet_peer init MODEL                            writes RatNet with fresh weights
//   ratnet_peer infer MODEL INPUTS OUTPUTS THREADS    see infer()
//   ratnet_peer train SLICES.h5 STEPS BATCH THREADS   see train()
//   ratnet_peer load SLICES.h5 THREADS                see load()
// Files of inputs and outputs are bare f32. Answers are lines of JSON.
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <numeric>
#include <sstream>

#include "../../apps/dark_slices/ratnet.h"
#include "../../core/error.h"
#include "../../kernels/cpu/instruction_set.h"
#include "../../network/predictor.h"
#include "../../train/hdf5_dataset.h"
#include "../../train/loader.h"
#include "../../train/trainer.h"

namespace {

using namespace ratnet;

double wall_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) fail(ErrorKind::file_system, path, ": cannot be opened");
  std::vector<float> values(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

void init(const std::string& path) {
  Model model;
  model.system = "dark_slices";
  model.graph = ratnet_graph();
  model.weights = Weights::initialised(model.graph, 0);
  model.class_names = {"good", "dark"};
  save_model(model, path);
}

// Writes the outputs of all inputs, says what it is, then answers each line "BATCH SECONDS" with a
// measurement of that length.
void infer(const std::string& model_path, const std::string& input_path,
           const std::string& output_path, int threads) {
  const Model model = load_model(model_path);
  const std::vector<float> inputs = read_floats(input_path);
  {
    const std::vector<float> outputs = Predictor(model, {.threads = threads}).run(inputs);
    std::ofstream file(output_path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(outputs.data()),
               static_cast<std::streamsize>(outputs.size() * sizeof(float)));
    if (!file.flush()) fail(ErrorKind::file_system, output_path, ": cannot be written");
  }
  std::cout << R"({"instruction_set": ")" << instruction_set() << "\"}" << std::endl;

  std::string line;
  while (std::getline(std::cin, line)) {
    std::size_t batch = 0;
    double length = 0;
    std::istringstream(line) >> batch >> length;
    Predictor predictor(model, {.batch = static_cast<std::int64_t>(batch), .threads = threads});
    const std::size_t size = static_cast<std::size_t>(predictor.input_size()) * batch;
    require(batch >= 1 && size <= inputs.size(), "no measurement with '", line, "'");
    const std::span<const float> images(inputs.data(), size);
    std::vector<float> outputs(static_cast<std::size_t>(predictor.output_size()) * batch);
    predictor.run(images, outputs);

    const double cpu = cpu_seconds();
    const double start = wall_seconds();
    double seconds = 0;
    std::size_t runs = 0;
    for (; seconds < length; seconds = wall_seconds() - start, ++runs)
      predictor.run(images, outputs);
    const auto slices = static_cast<double>(runs * batch);
    std::cout << R"({"slices_per_s": )" << slices / seconds << R"(, "slices_per_cpu_s": )"
              << slices / (cpu_seconds() - cpu) << "}" << std::endl;
  }
}

// Trains RatNet with Adam at a rate of 0.001 for so many steps and says how it went: the mean loss
// of the last 100 steps, and how fast all but the first 20 were.
void train(const std::string& path, std::int64_t steps, std::int64_t batch, int threads) {
  const auto dataset = open_hdf5_slices(path);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset->size()));
  std::iota(indices.begin(), indices.end(), 0);
  TrainerOptions options;
  options.epochs = steps * batch / dataset->size() + 1;
  options.schedule.kind = ScheduleKind::constant;
  options.schedule.rate = 1e-3;
  options.loader.batch = batch;
  options.loader.scales = {1.0f / 255};
  options.threads = threads;

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
void load(const std::string& path, int threads) {
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

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 2 && words[0] == "init") {
      init(words[1]);
    } else if (words.size() == 5 && words[0] == "infer") {
      infer(words[1], words[2], words[3], std::stoi(words[4]));
    } else if (words.size() == 5 && words[0] == "train") {
      train(words[1], std::stoll(words[2]), std::stoll(words[3]), std::stoi(words[4]));
    } else if (words.size() == 3 && words[0] == "load") {
      load(words[1], std::stoi(words[2]));
    } else {
      fail(ErrorKind::usage, "see the head of bench/peers/ratnet_peer.cpp");
    }
  } catch (const std::exception& error) {
    std::cerr << "ratnet_peer: " << error.what() << '\n';
    return 1;
  }
}
