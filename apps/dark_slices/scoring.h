// RatNet's verdict on slices: of a whole run, or of loose slices in a dataset.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../../imaging/orientation.h"
#include "../../network/model.h"
#include "../../network/predictor.h"
#include "../../train/dataset.h"
#include "brain_level.h"

namespace ratnet::inline v1 {

// Where the scale of the pixels came from.
enum class ScaleSource : int { stated, file, estimated, each_slice };
std::string_view name_of(ScaleSource source);

enum class SliceCall : int { good, dark, empty, unfamiliar };
std::string_view name_of(SliceCall call);

struct SliceScores {
  std::int64_t volumes = 0;  // 0 for loose slices
  std::int64_t slices = 0;   // of a volume, or all loose ones
  // [volumes * slices], slices fastest: P(dark), NaN for empty slices.
  std::vector<double> probability;
  std::vector<SliceMeasures> measures;
  // 1 where a slice of a run cannot be judged because it looks unlike what the model knows,
  // whatever its probability; see score_run. Empty for loose slices.
  std::vector<std::uint8_t> unfamiliar;
  double brain_level = 0;  // what pixels were divided by
  ScaleSource scale = ScaleSource::estimated;
  // Each slice was stretched to its own maximum: they are ranked by ghosting alone.
  bool stretched = false;
  double threshold = 0.5;          // of the model: dark when probability >= threshold
  std::vector<std::string> notes;  // what a reader must know, a sentence each

  SliceCall call(std::size_t index) const;
  std::int64_t count(SliceCall call) const;
};

// The model's grid, from its first preprocessing step. Throws Error (input) unless the model is of
// dark slices, prepared by steps that this version knows.
struct ModelGrid {
  std::int64_t rows = 0, columns = 0;
};
ModelGrid grid_of(const Model& model);

struct RunScoreOptions {
  SliceOptions slices = {};                          // which axis, flips
  std::optional<double> brain_level = std::nullopt;  // stated by the user
  std::function<void(std::int64_t done, std::int64_t total)> progress = nullptr;
};

// A scan of one or many volumes. `grid_slices`, if given, receives the slices on the model's grid,
// [volumes * slices, rows, columns], for pictures.
struct RunScores : SliceScores {
  SliceLayout layout;
  std::optional<double> repetition_time;
  // A second opinion: P(dark) from the slice and from how much darker it is than the same slice at
  // other times (time_opinion.h). Empty below 10 volumes. The verdict rests on `probability`.
  std::vector<double> probability_in_time;
};
// Dropouts come and go, so a position whose slice is called dark in half of the volumes or more is
// one the model does not understand (another species, plane or contrast): it is marked unfamiliar.
// With fewer volumes than can tell, the whole scan is, if half of its slices or more are called
// dark.
RunScores score_run(Predictor& predictor, const Model& model, const Volume& volume,
                    const RunScoreOptions& options, std::vector<float>* grid_slices = nullptr);

// What a file of slices is divided by before the network sees it: a stated level, else the file's
// own (attribute `scale`), else an estimate; each slice's own level where all were stretched.
struct DatasetScale {
  double brain_level = 0;
  ScaleSource source = ScaleSource::estimated;
  bool stretched = false;
  std::vector<SliceMeasures> measures;  // [N]
  std::vector<float> factors;           // [N], what each image is multiplied by
  std::vector<std::string> notes;
};
// dataset: grey images on the model's grid (train/resampled_dataset.h). Throws Error (input) where
// every slice is empty.
DatasetScale scale_of(Dataset& dataset, std::optional<double> stated_level);

// The images `indices` of a dataset on the model's grid; probability has one entry each.
SliceScores score_dataset(Predictor& predictor, const Model& model, Dataset& dataset,
                          const DatasetScale& scale, const std::vector<std::int64_t>& indices,
                          const std::function<void(std::int64_t done)>& progress = {});

}  // namespace ratnet::inline v1
