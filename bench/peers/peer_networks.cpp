// Whole networks: inference, and training steps on one batch.
#include <functional>
#include <map>

#include "../../apps/anomaly/autoencoders.h"
#include "../../apps/dark_slices/ratnet.h"
#include "../../apps/microbleeds/unet.h"
#include "../../apps/motion/conv5_fc3.h"
#include "../../kernels/cpu/instruction_set.h"
#include "../../network/predictor.h"
#include "../../train/trainer.h"
#include "../training_run.h"
#include "peer_protocol.h"
#include "ratnet_peer.h"

namespace ratnet::inline v1 {
namespace {

// Two libraries do not drop the same numbers, hence no dropout.
const std::map<std::string, std::function<Graph()>> kNetworks = {
    {"ratnet", [] { return ratnet_graph(); }},
    {"autoencoder", [] { return denoising_autoencoder_graph(); }},
    {"unet", [] { return unet_graph(2); }},
    {"conv5_fc3", [] { return conv5_fc3_graph({.dropout = 0}); }}};

// The first n samples, of which the file has to have that many.
template <class T>
std::span<const T> first_of(const std::vector<T>& all, std::int64_t n, std::int64_t size,
                            const char* what) {
  const auto count = static_cast<std::size_t>(n * size);
  require(n >= 1 && count <= all.size(), n, " samples of ", size, " numbers are asked of ", what,
          " that are ", all.size(), " numbers");
  return std::span(all).first(count);
}

}  // namespace

// Writes the network with fresh weights.
void init(const Words& words) {
  const auto found = kNetworks.find(words[1]);
  require(found != kNetworks.end(), "there is no network '", words[1], "'");
  Model model;
  model.system = "graph";
  model.graph = found->second();
  model.weights = Weights::initialised(model.graph, 0);
  save_model(model, words[0]);
}

// Writes the outputs of all inputs, logits in place of probabilities (which hide most of the
// rounding), says what it is, then measures with batches of WHAT.
void infer(const Words& words) {
  Model model = load_model(words[0]);
  model.graph = logits_graph(model.graph);
  const auto inputs = read_numbers<float>(words[1]);
  const int threads = std::stoi(words[3]);
  // A batch of 1: what a single prediction from a cold start takes is measured here, too.
  write_numbers(words[2], Predictor(model, {.batch = 1, .threads = threads}).run(inputs));
  std::cout << R"({"instruction_set": ")" << instruction_set() << "\"}" << std::endl;

  serve([&](const std::string& what) -> std::function<void()> {
    const std::int64_t batch = std::stoll(what);
    const auto predictor =
        std::make_shared<Predictor>(model, PredictorOptions{.batch = batch, .threads = threads});
    const auto images = first_of(inputs, batch, predictor->input_size(), "inputs");
    auto outputs = std::make_shared<std::vector<float>>(predictor->output_size() * batch);
    return [=] { predictor->run(images, *outputs); };
  });
}

// Adam at a rate of 1e-4 on the first BATCH samples, again and again. Writes the losses of the
// first two steps, then measures with batches of WHAT. LOSS: what the loss compares with, "labels",
// "masks" or "image" (LossTarget).
void steps(const Words& words) {
  const Model model = load_model(words[0]);
  const auto inputs = read_numbers<float>(words[1]);
  const auto targets = read_numbers<std::uint8_t>(words[5]);
  const std::vector<std::int32_t> labels(targets.begin(), targets.end());
  const int threads = std::stoi(words[3]);
  const Objective objective =
      default_objective(model.graph, words[4] == "labels", words[4] == "masks");
  const Graph graph = graph_for(model.graph, objective);

  const auto make = [&](std::int64_t n) -> std::function<double()> {
    const Shape shape = images_of(graph, n), mask = masks_of(shape);
    const auto run = std::make_shared<TrainingRun>(graph, model.weights, objective, n,
                                                   OptimiserOptions{}, threads);
    Batch batch;
    batch.count = n;
    batch.images = {first_of(inputs, n, shape.count() / n, "inputs").data(), DType::f32, shape};
    if (reads(objective, LossTarget::labels))
      batch.labels = {first_of(labels, n, 1, "targets").data(), DType::i32, {n}};
    if (reads(objective, LossTarget::masks))
      batch.masks = {first_of(targets, n, mask.count() / n, "targets").data(), DType::u8, mask};
    return [=] { return run->step(batch, {}, 1e-4); };
  };

  {
    const auto step = make(std::stoll(words[6]));
    const float first = static_cast<float>(step());
    write_numbers(words[2], std::vector<float>{first, static_cast<float>(step())});
  }
  std::cout << R"({"instruction_set": ")" << instruction_set() << "\"}" << std::endl;
  serve([&](const std::string& what) { return make(std::stoll(what)); });
}

}  // namespace ratnet::inline v1
