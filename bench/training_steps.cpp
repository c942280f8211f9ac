// Training steps of the systems' networks, for scripts/compare_training.
//   training_steps graph NETWORK small|full              prints the graph as JSON
//   training_steps train GRAPH.json RUN.safetensors      see train()
//   training_steps memory NETWORK BATCH STEPS THREADS [recompute]    see memory()
// The networks of kNetworks; `small` ones take part in the comparison, without dropout.
#include <chrono>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>

#include "../apps/anomaly/autoencoders.h"
#include "../apps/dark_slices/ratnet.h"
#include "../apps/microbleeds/unet.h"
#include "../apps/motion/conv5_fc3.h"
#include "../apps/series/series_network.h"
#include "../core/atomic_file.h"
#include "../core/error.h"
#include "../kernels/cpu/instruction_set.h"
#include "../network/safetensors.h"
#include "training_run.h"

namespace {

using namespace ratnet;

const std::map<std::string, std::function<Graph(bool small)>> kNetworks = {
    {"ratnet", [](bool small) { return ratnet_graph(small ? 32 : 64); }},
    {"denoising",
     [](bool small) {
       return small ? denoising_autoencoder_graph({.size = {32, 32}, .widths = {8, 12, 16}})
                    : denoising_autoencoder_graph();
     }},
    {"convolutional",
     [](bool small) {
       return small ? convolutional_autoencoder_graph(
                          {.size = {32, 32}, .widths = {8, 12, 16}, .code = 16})
                    : convolutional_autoencoder_graph();
     }},
    {"variational",
     [](bool small) {
       return small ? variational_autoencoder_graph(
                          {.size = {32, 32}, .widths = {8, 12, 16}, .code = 16})
                    : variational_autoencoder_graph();
     }},
    {"series",
     [](bool small) {
       return small ? series_network_graph(4, {.size = 32, .widths = {8, 12, 16}})
                    : series_network_graph(10);
     }},
    {"conv5_fc3",
     [](bool small) {
       return small ? conv5_fc3_graph({.size = {32, 32, 32},
                                       .widths = {3, 4, 6, 8, 12},
                                       .dense = {32, 16},
                                       .dropout = 0})
                    : conv5_fc3_graph();
     }},
    {"unet",
     [](bool small) {
       return small ? unet_graph(3, {.size = {32, 32}, .widths = {8, 12, 16}}) : unet_graph(2);
     }},
    {"unet_3d",
     [](bool small) {
       return small ? unet_graph(2, {.size = {16, 16, 16}, .channels = 1, .widths = {4, 6, 8}})
                    : unet_graph(2, {.size = {64, 64, 64}, .widths = {32, 64, 128, 256}});
     }},
};

Graph network(const std::string& name, bool small) {
  const auto found = kNetworks.find(name);
  require(found != kNetworks.end(), "there is no network '", name, "'");
  return found->second(small);
}

// This process' memory in bytes: "VmHWM" at its peak, "VmRSS" now.
std::size_t resident(const std::string& what) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (std::size_t kib = 0; word == what + ":" && file >> kib) return kib << 10;
  fail(ErrorKind::file_system, "/proc/self/status does not tell ", what);
}

// Samples of a file from `first` on, as many as the shape says.
ConstView samples(const SafetensorsFile& file, const std::string& name, DType dtype,
                  const Shape& shape, std::int64_t first) {
  const ConstView all = file.find(name);
  if (all.dtype != dtype || all.shape.rank() == 0 || all.shape.with_first(shape[0]) != shape ||
      first + shape[0] > all.shape[0])
    fail(ErrorKind::input, "'", name, "' is ", name_of(all.dtype), " ", to_string(all.shape),
         ", from ", first, " on ", name_of(dtype), " ", to_string(shape), " are asked of it");
  const std::size_t sample = all.bytes() / static_cast<std::size_t>(all.shape[0]);
  return {static_cast<const char*>(all.data) + static_cast<std::size_t>(first) * sample, dtype,
          shape};
}

// RUN holds the initial weights ("weights/NAME"), the samples "images" [M, ...] f32 with "labels"
// [M] i32 or "masks" [M, spatial...] u8 or neither, of which the batches are taken in turn, and in
// its metadata objective, batch, steps, optimiser, rate, weight_decay, seed. Prints the loss of
// every step.
void train(const std::string& graph_path, const std::string& run_path) {
  const SafetensorsFile file(run_path);
  const auto& settings = file.metadata();
  const Objective objective = objective_from_json(settings.at("objective"));
  const Graph graph =
      graph_for(Graph::from_json(read_file(graph_path, std::size_t{1} << 20)), objective);
  const std::int64_t size = std::stoll(settings.at("batch"));
  const std::int64_t steps = std::stoll(settings.at("steps"));
  const double rate = std::stod(settings.at("rate"));
  const std::uint64_t seed = std::stoull(settings.at("seed"));

  Weights weights;
  for (const auto& [name, spec] : graph.weights()) {
    const ConstView value = file.find("weights/" + name);
    weights.add(name, Tensor::of<float>(value.shape, {value.as<float>(),
                                                      static_cast<std::size_t>(value.count())}));
  }
  weights.match(graph);
  const Shape images = images_of(graph, size);
  const std::int64_t batches = file.find("images").shape[0] / size;
  require(batches >= 1, "there are fewer images than a batch of ", size);
  TrainingRun run(graph, weights, objective, size,
                  {.kind = parse_optimiser_kind(settings.at("optimiser")),
                   .weight_decay = std::stod(settings.at("weight_decay"))},
                  1);
  std::cout << R"({"instruction_set": ")" << instruction_set() << R"(", "losses": [)"
            << std::setprecision(17);
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t first = step % batches * size;
    Batch batch;
    batch.count = size;
    batch.images = samples(file, "images", DType::f32, images, first);
    if (reads(objective, LossTarget::labels))
      batch.labels = samples(file, "labels", DType::i32, {size}, first);
    if (reads(objective, LossTarget::masks))
      batch.masks = samples(file, "masks", DType::u8, masks_of(images), first);
    std::cout << (step ? ", " : "")
              << run.step(batch, {seed, static_cast<std::uint32_t>(step)}, rate);
  }
  std::cout << "]}" << std::endl;
}

// Some steps of the network at full size, with fresh weights and a batch of nothing in particular:
// what its plan says it needs beside what the process grows by, and the mean time of a step but
// the first, in which memory is touched that never was before. recompute: as
// PlanOptions::recompute.
void memory(const std::string& name, std::int64_t size, std::int64_t steps, int threads,
            bool recompute) {
  require(steps >= 2, steps, " steps, expected at least 2");
  const Graph whole = network(name, false);
  const Shape input = images_of(whole, size);
  const bool segments = name == "unet" || name == "unet_3d";
  const Objective objective = default_objective(whole, !segments, segments);
  const Graph graph = graph_for(whole, objective);

  Tensor images(input, DType::f32);
  Tensor labels({size}, DType::i32);
  Tensor masks(masks_of(input), DType::u8);
  for (std::size_t i = 0; float& value : images.values<float>())
    value = static_cast<float>(i++ * 2654435761u % 1000) / 1000;
  for (std::size_t i = 0; std::int32_t & label : labels.values<std::int32_t>())
    label = static_cast<std::int32_t>(i++ % 2);
  for (std::size_t i = 0; std::uint8_t & label : masks.values<std::uint8_t>()) label = i++ % 7 == 0;
  Batch batch;
  batch.count = size;
  batch.images = images;
  batch.labels = labels;
  batch.masks = masks;

  const std::size_t before = resident("VmRSS");
  TrainingRun run(graph, Weights::initialised(graph, 1), objective, size, {}, threads, recompute);
  double seconds = 0, loss = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    loss = run.step(batch, {0, static_cast<std::uint32_t>(step)}, 1e-4);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (step > 0) seconds += took.count();
  }
  const Plan::Memory planned = run.plan().memory();
  std::cout << R"({"network": ")" << name << R"(", "batch": )" << size << R"(, "threads": )"
            << threads << R"(, "instruction_set": ")" << instruction_set() << R"(", "steps": )"
            << steps << R"(, "loss": )" << loss << R"(, "seconds_per_step": )"
            << seconds / static_cast<double>(steps - 1) << R"(, "activations": )"
            << planned.activations << R"(, "scratch": )" << planned.scratch << R"(, "parameters": )"
            << planned.parameters << R"(, "gradients": )" << planned.gradients << R"(, "moments": )"
            << run.moments() << R"(, "resident_before": )" << before << R"(, "peak": )"
            << resident("VmHWM") << "}" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 3 && words[0] == "graph" && (words[2] == "small" || words[2] == "full")) {
      std::cout << network(words[1], words[2] == "small").to_json() << std::endl;
    } else if (words.size() == 3 && words[0] == "train") {
      train(words[1], words[2]);
    } else if ((words.size() == 5 || (words.size() == 6 && words[5] == "recompute")) &&
               words[0] == "memory") {
      memory(words[1], std::stoll(words[2]), std::stoll(words[3]), std::stoi(words[4]),
             words.size() == 6);
    } else {
      fail(ErrorKind::usage, "see the head of bench/training_steps.cpp");
    }
  } catch (const std::exception& error) {
    std::cerr << "training_steps: " << error.what() << '\n';
    return 1;
  }
}
