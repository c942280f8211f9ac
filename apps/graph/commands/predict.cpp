// ratnet predict, of models of `train --graph`
#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "../../../core/thread_pool.h"
#include "../../../kernels/open.h"
#include "../../../network/parameters.h"
#include "../../../train/hdf5_dataset.h"
#include "../../../train/score.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/output.h"
#include "../../program/predict.h"
#include "../../program/progress.h"
#include "answer_files.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

void predict_file(Plan& plan, const TrainedGraph& trained, const Input& input,
                  const AnswerPaths& paths, const PredictOptions& options,
                  const WindowOptions& window) {
  if (!is_hdf5_name(input.path))
    fail(ErrorKind::input, input.path, ": is no HDF5 file (.h5, .hdf5), which a model of ",
         "`train --graph` takes; docs/file-formats.md says how images stand in one");
  const auto dataset = open_hdf5_slices(input.path, {.labels_required = false});
  check_images(trained, *dataset);
  make_folder(fs::path(paths.table).parent_path().string());
  AnswerFiles files(trained, *dataset, options.probabilities, paths);
  std::vector<std::int64_t> all(static_cast<std::size_t>(dataset->size()));
  std::iota(all.begin(), all.end(), 0);
  std::optional<WholeImages> whole;
  if (trained.patches) whole.emplace(plan, trained.objective, dataset->image_shape(), window);
  Progress progress(fs::path(input.path).filename().string(), "samples", dataset->size());
  progress.update(0);
  std::int64_t done = 0;
  const int threads = options.compute.threads;
  try {
    run_over(plan, *dataset, all,
             {.scales = {static_cast<float>(trained.scale)},
              .threads = threads > 0 ? threads : usable_processors(),
              .whole = whole ? &*whole : nullptr},
             [&](const Batch& batch, std::span<const View> outputs) {
               stop_if_interrupted();
               files.add(batch, outputs);
               progress.update(done += batch.count);
             });
  } catch (const Error& error) {
    throw about(error, trained, *dataset);
  }
  progress.finish();
  files.commit();
  std::printf("%s\n  %lld samples\n", input.path.c_str(), static_cast<long long>(done));
  for (const std::string& note : dataset->notes()) std::printf("  note: %s\n", note.c_str());
  if (const std::string note = pixel_note(trained, *dataset); !note.empty())
    std::printf("  note: %s\n", note.c_str());
  std::printf("  table: %s\n", paths.table.c_str());
  if (files.has_arrays()) std::printf("  arrays: %s\n", paths.arrays.c_str());
}

}  // namespace

void predict_graph(Model model, const PredictOptions& options) {
  const TrainedGraph trained = trained_graph(std::move(model), options.model);
  require(trained.by_mask || !options.probabilities, options.model,
          ": finds no masks, which --probabilities is for");
  const WindowOptions window = options.window.window(options.model, trained.patch_axes());
  check_array_names(trained, options.probabilities);
  const QueueHandle queue = open_queue({.device = parse_device(options.compute.device),
                                        .threads = options.compute.threads,
                                        .executor = {},
                                        .tuner = tuning_if(options.compute.tune)});
  const Graph graph = trained.model.graph.up_to(answer_outputs(trained));
  constexpr std::int64_t kMostAtOnce = 64;
  const Shape image = graph.infer(1, false)[static_cast<std::size_t>(graph.inputs()[0])].output;
  Plan plan(graph, std::make_shared<Parameters>(queue, trained.model.weights),
            {.batch = images_at_once(image, kMostAtOnce),
             .precision = parse_precision(options.compute.precision)});

  for (const std::string& warning : trained.model.warnings)
    std::printf("warning: the model: %s\n", warning.c_str());
  for_each_input(
      find_inputs(options.files), options.output,
      [](const std::string& path, const std::string& folder) {
        return answer_paths(folder, path).table;
      },
      [&](const Input& input, const std::string& folder) {
        predict_file(plan, trained, input, answer_paths(folder, input.path), options, window);
      })
      .throw_if_any();
}

}  // namespace ratnet::inline v1
