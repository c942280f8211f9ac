#include "graph_training.h"

#include <algorithm>
#include <cmath>

#include "../kernels/open.h"
#include "learnt_images.h"
#include "split.h"
#include "training_provenance.h"

namespace ratnet::inline v1 {
namespace {

double default_scale(DType dtype) {
  switch (dtype) {
    case DType::u8: return 1.0 / 255;
    case DType::u16: return 1.0 / 65535;
    case DType::i16: return 1.0 / 32767;
    default: return 1;
  }
}

constexpr const char* kFlattered =
    "trained without knowing that held-out images are of other subjects: its figures on them are "
    "flattered and say nothing about new subjects";

// The marks of what a model has learnt from or was validated on; absent where it does not tell.
std::optional<std::vector<double>> learnt_marks(const Dataset& dataset,
                                                const std::vector<std::int64_t>& train,
                                                const std::vector<std::int64_t>& validation,
                                                const Model* start) {
  if (dataset.hashes().empty()) return std::nullopt;
  std::vector<ImageHash> hashes;
  for (const auto* indices : {&train, &validation})
    for (const std::int64_t index : *indices)
      hashes.push_back(dataset.hashes()[static_cast<std::size_t>(index)]);
  auto marks = marks_of(hashes);
  if (!start || !marks) return marks;
  // What it started from has learnt too.
  const std::vector<double>* before = marks_in(*start, kLearntImages);
  return before ? merged_marks(*marks, *before) : std::nullopt;
}

// What a start means for the figures on test images; empty where nothing.
std::string what_start_saw(const Dataset& dataset, const std::vector<std::int64_t>& test,
                           const Model& start, const std::string& name) {
  const std::vector<double>* marks = marks_in(start, kLearntImages);
  const std::span<const ImageHash> hashes = dataset.hashes();
  if (!marks || hashes.empty())
    return "what " + name +
           " has learnt from is not known: figures hold only if no test image is "
           "among it";
  const auto seen = std::ranges::count_if(test, [&](std::int64_t index) {
    return is_marked(*marks, hashes[static_cast<std::size_t>(index)]);
  });
  if (seen == 0) return "";
  return text(seen, " of the ", test.size(), " test images are among those that ", name,
              " has learnt from: figures on them are flattered");
}

// Which weights come from a model.
std::string what_starts(const Graph& graph, const Model& start, const std::string& name) {
  std::string drawn;
  std::size_t taken = 0;
  const auto weights = graph.weights();
  for (const auto& weight : weights) {
    const auto& entries = start.weights.entries();
    const bool there = std::ranges::any_of(
        entries, [&](const Weights::Entry& entry) { return entry.name == weight.name; });
    taken += there;
    if (!there) drawn += (drawn.empty() ? "; drawn anew: " : ", ") + weight.name;
  }
  return text(taken, " of ", weights.size(), " weights start as in ", name, drawn);
}

std::map<std::string, double> metrics_of(const Judgement& test) {
  std::map<std::string, double> metrics = {{"test_samples", static_cast<double>(test.samples)},
                                           {"test_loss", test.loss}};
  if (!test.scores.empty()) {
    metrics["test_accuracy"] = test.accuracy;
    metrics["test_auroc"] = test.auroc;
  }
  if (!test.overlap.empty()) metrics["test_dice"] = test.dice;
  for (std::size_t k = 1; k < test.overlap.size(); ++k)
    metrics["test_dice_" + std::to_string(k)] = test.overlap[k].dice();
  return metrics;
}

}  // namespace

GraphTrainingResult train_graph(const Graph& graph, const Objective& objective, Dataset& dataset,
                                const GraphTrainingOptions& options,
                                const GraphTrainingCallbacks& callbacks) {
  const auto say = [&](const std::string& sentence) {
    if (callbacks.say) callbacks.say(sentence);
  };
  const Graph trained_part = graph_for(graph, objective);
  const auto read = trained_part.weights();
  for (const auto& weight : graph.weights())
    require(std::any_of(read.begin(), read.end(),
                        [&](const auto& other) { return other.name == weight.name; }),
            "no loss reads the weight '", weight.name, "': take its layer out, or add a loss");
  const double scale = options.scale.value_or(default_scale(dataset.dtype()));
  require(scale > 0 && std::isfinite(scale), "the scale is ", scale, ", expected more than 0");
  const auto [splits, made, flattered] = choose_splits(
      dataset, {.seed = options.trainer.loader.seed, .allow_leakage = options.allow_leakage});
  if (made)
    say(text("the file has no `split`: 70% of the ",
             dataset.table().subjects.empty() ? "images" : "subjects",
             " train, 15% validate, 15% test"));
  const auto of_split = [&, &splits = splits](Split which) {
    return usable_samples(indices_of(splits, which), objective, dataset);
  };
  const auto train = of_split(Split::train);
  const auto validation = of_split(Split::validation);
  const auto test = of_split(Split::test);
  say(text("images: ", train.size(), " to train on, ", validation.size(), " to validate, ",
           test.size(), " to test"));

  TrainerOptions trainer = options.trainer;
  if (options.patches) {
    trainer.loader.patches = *options.patches;
    trainer.loader.patches.size = patch_size(graph);
    check_patches(graph, objective, dataset.image_shape(), dataset.name());
    check_windows(graph, objective, dataset.image_shape(), dataset.name());
  }
  trainer.loader.scales = {static_cast<float>(scale)};
  trainer.data_hash = combined_hash(dataset.hashes());
  if (trainer.loader.masks)
    trainer.data_hash += " " + combined_hash(trainer.loader.masks->hashes());
  say(text("pixels are multiplied by ", scale));
  trainer.further_settings = {{"test samples", std::to_string(test.size())},
                              {"pixels", text(name_of(dataset.dtype()), ", times ", scale)}};
  if (options.patches)
    trainer.further_settings.emplace_back(
        "patches", text(to_json(*options.patches), " of ", Shape(patch_size(graph))));
  if (options.start) {
    trainer.start = {options.start, &options.start->weights};  // no copy of them
    trainer.further_settings.emplace_back("started from", options.start_name);
    // When they have been taken.
    trainer.tell_memory = [&](const TrainingMemory& memory) {
      say(what_starts(trained_part, *options.start, options.start_name));
      if (options.trainer.tell_memory) options.trainer.tell_memory(memory);
    };
  }

  check_samples(trained_part, objective, dataset, trainer.loader.masks, test);

  Model model;
  try {
    if (auto marks = learnt_marks(dataset, train, validation, options.start.get()))
      model.coefficients[kLearntImages] = std::move(*marks);
    if (flattered) model.warnings.push_back(kFlattered);
    if (options.start && !test.empty())
      if (std::string saw = what_start_saw(dataset, test, *options.start, options.start_name);
          !saw.empty())
        model.warnings.push_back(std::move(saw));
  } catch (const Error& error) {
    throw error.with_context(options.start_name);
  }
  for (const std::string& warning : model.warnings) say("warning: " + warning);
  GraphTrainingResult result;
  TrainingResult trained =
      train_network(graph, objective, dataset, train, validation, trainer, callbacks.progress);
  result.interrupted = trained.interrupted;
  if (trained.interrupted) return result;

  model.system = "graph";
  model.graph = graph;
  model.preprocessing = {{"multiply", {{"by", scale}}}};
  model.class_names = dataset.attributes().class_names;
  model.provenance = training_provenance(trainer, trained, trainer.data_hash);
  model.provenance["losses"] = to_json(objective);
  model.provenance["split_hash"] = hash_of(splits);
  if (options.patches) model.provenance[kPatches] = to_json(*options.patches);
  if (options.start) model.provenance["started_from"] = options.start_name;
  model.provenance["pixels"] = std::string(name_of(dataset.dtype()));
  if (!test.empty()) {
    const QueueHandle queue = open_queue({trainer.device, trainer.threads, trainer.executor});
    LoaderOptions judged = loader_of(trainer);
    judged.change = trainer.judged_change;
    Judge judge(trained_part, std::make_shared<Parameters>(queue, trained.weights), objective,
                dataset, judged);
    try {
      result.test = judge.run(test, {}, callbacks.testing);
    } catch (const JudgingInterrupted&) {
      result.interrupted = true;
      return result;
    }
    model.metrics = metrics_of(*result.test);
  }
  model.weights = std::move(trained.weights);
  result.model = std::move(model);
  return result;
}

}  // namespace ratnet::inline v1
