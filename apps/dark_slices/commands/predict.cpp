// ratnet predict, of models of dark slices
#include <algorithm>
#include <filesystem>
#include <numeric>

#include "../../../core/atomic_file.h"
#include "../../../core/version.h"
#include "../../../imaging/nifti.h"
#include "../../../train/hdf5_dataset.h"
#include "../../../train/resampled_dataset.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/output.h"
#include "../../program/predict.h"
#include "../../program/progress.h"
#include "report_run.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

// BIDS asks every folder of derivatives to say what made it.
void describe_folder(const std::string& folder) {
  const std::string path = (fs::path(folder) / "dataset_description.json").string();
  if (fs::exists(path)) return;
  write_file(path,
             "{\n  \"Name\": \"ratnet dark slices\",\n  \"BIDSVersion\": \"1.8.0\",\n"
             "  \"DatasetType\": \"derivative\",\n  \"GeneratedBy\": [{\"Name\": \"ratnet\", "
             "\"Version\": \"" +
                 version() + "\"}]\n}\n");
}

class Prediction {
 public:
  Prediction(const Model& model, const PredictOptions& options)
      : options_(options),
        model_(model),
        grid_(grid_of(model_)),
        predictor_(model_, {.batch = 64,
                            .threads = options.compute.threads,
                            .device = parse_device(options.compute.device),
                            .precision = parse_precision(options.compute.precision),
                            .tuner = tuning_if(options.compute.tune)}),
        slices_(options.scan.slices()) {}

  void run();

 private:
  void run_one(const Input& input, const ReportPaths& paths);
  void run_scan(const std::string& path, const ReportPaths& paths);
  void run_slices(const std::string& path, const ReportPaths& paths);
  void print(const std::string& path, const SliceScores& scores) const;
  ReportContext context(const std::string& input) const {
    const auto hash = model_.provenance.find("data_hash");
    return {input, fs::path(options_.model).filename().string(),
            hash == model_.provenance.end() ? "" : hash->second};
  }

  const PredictOptions& options_;
  const Model& model_;
  ModelGrid grid_;
  Predictor predictor_;
  SliceOptions slices_;
};

void Prediction::print(const std::string& path, const SliceScores& scores) const {
  const auto count = [&](SliceCall call) { return static_cast<long long>(scores.count(call)); };
  const long long dark = count(SliceCall::dark);
  const long long judged = dark + count(SliceCall::good);
  std::printf("%s\n  ", path.c_str());
  if (judged > 0)
    std::printf("%lld of %lld slices dark (%.1f%%)", dark, judged,
                100.0 * static_cast<double>(dark) / static_cast<double>(judged));
  else
    std::printf("no slice judged");
  if (scores.volumes > 0)
    std::printf("; %lld volume%s of %lld slice%s", static_cast<long long>(scores.volumes),
                scores.volumes == 1 ? "" : "s", static_cast<long long>(scores.slices),
                scores.slices == 1 ? "" : "s");
  for (const SliceCall call : {SliceCall::empty, SliceCall::unfamiliar})
    if (count(call))
      std::printf("; %lld %s, not judged", count(call), std::string(name_of(call)).c_str());
  std::printf("\n  threshold %.4f; scale: brain level %.4g (%s)\n", scores.threshold,
              scores.brain_level, std::string(name_of(scores.scale)).c_str());
  for (const std::string& note : scores.notes) std::printf("  note: %s\n", note.c_str());
}

void Prediction::run_scan(const std::string& path, const ReportPaths& paths) {
  const Volume volume = read_nifti(path);
  Progress progress(fs::path(path).filename().string(), "slices", 0);
  progress.update(0);
  RunScoreOptions options{.slices = slices_, .brain_level = options_.brain_level};
  options.progress = [&](std::int64_t done, std::int64_t) {
    stop_if_interrupted();
    progress.update(done);
  };
  std::vector<float> grid_slices;
  const RunScores scores = score_run(predictor_, model_, volume, options, &grid_slices);
  report_run(scores, grid_slices, grid_, context(path), paths);
  print(path, scores);
  std::printf("  %s\n  map: %s\n  table: %s\n", scores.layout.reason.c_str(), paths.map.c_str(),
              paths.table.c_str());
}

void Prediction::run_slices(const std::string& path, const ReportPaths& paths) {
  const auto dataset =
      resampled(open_hdf5_slices(path, {.labels_required = false}), grid_.rows, grid_.columns);
  const DatasetScale scale = scale_of(*dataset, options_.brain_level);
  std::vector<std::int64_t> all(static_cast<std::size_t>(dataset->size()));
  std::iota(all.begin(), all.end(), 0);
  Progress progress(fs::path(path).filename().string(), "slices", dataset->size());
  progress.update(0);
  SliceScores scores =
      score_dataset(predictor_, model_, *dataset, scale, all, [&](std::int64_t done) {
        stop_if_interrupted();
        progress.update(done);
      });
  scores.notes.insert(scores.notes.end(), dataset->notes().begin(), dataset->notes().end());
  report_slices(scores, dataset->table(), context(path), paths);
  print(path, scores);
  std::printf("  table: %s\n", paths.table.c_str());
}

void Prediction::run_one(const Input& input, const ReportPaths& paths) {
  make_folder(fs::path(paths.table).parent_path().string());
  if (is_hdf5_name(input.path))
    run_slices(input.path, paths);
  else
    run_scan(input.path, paths);
}

void Prediction::run() {
  const std::vector<Input> inputs = find_inputs(options_.files);
  options_.scan.check_used(std::any_of(
      inputs.begin(), inputs.end(), [](const Input& input) { return !is_hdf5_name(input.path); }));
  for (const std::string& warning : model_.warnings)
    std::printf("warning: the model: %s\n", warning.c_str());

  const UnusableInputs unusable = for_each_input(
      inputs, options_.output,
      [](const std::string& path, const std::string& folder) {
        return report_paths(folder, path).table;
      },
      [&](const Input& input, const std::string& folder) {
        run_one(input, report_paths(folder, input.path));
      });
  if (fs::exists(options_.output)) describe_folder(options_.output);
  unusable.throw_if_any();
}

}  // namespace

void predict_dark_slices(const Model& model, const PredictOptions& options) {
  Prediction(model, options).run();
}

}  // namespace ratnet::inline v1
