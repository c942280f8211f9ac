#include "scoring.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../imaging/resample.h"
#include "../../train/resampled_dataset.h"
#include "../../train/score.h"
#include "time_opinion.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kBlock = 256;  // slices between two reports of progress

double checked_level(double level, const char* what) {
  if (!(level > 0) || !std::isfinite(level))
    fail(ErrorKind::usage, what, " is ", level, ", expected a positive number");
  return level;
}

// The slices of a scan on the model's grid, [volumes * slices, rows, columns].
std::vector<float> slices_on_grid(const Volume& volume, const SliceLayout& layout,
                                  const ModelGrid& grid) {
  const RunSlices run(volume, layout);
  const SliceResampler resampler(layout.grid, grid.rows, grid.columns);
  const auto pixels = static_cast<std::size_t>(grid.rows * grid.columns);
  std::vector<float> result(static_cast<std::size_t>(run.times() * run.slices()) * pixels);
  std::vector<float> slice(static_cast<std::size_t>(layout.grid.rows * layout.grid.columns));
  std::vector<float> scratch(resampler.scratch_size());
  for (std::int64_t i = 0; i < run.times() * run.slices(); ++i) {
    run.copy(i / run.slices(), i % run.slices(), slice);
    resampler.run(slice, std::span(result).subspan(static_cast<std::size_t>(i) * pixels, pixels),
                  scratch);
  }
  return result;
}

// Marks what the model does not understand; see score_run.
void mark_unfamiliar(RunScores& run, const std::vector<BrainRegion>& regions) {
  const auto slices = static_cast<std::size_t>(run.slices);
  const bool long_run = run.volumes >= kLeastVolumesForTime;
  // Each position by itself, or all of a short scan together.
  const std::size_t groups = long_run ? slices : 1;
  run.unfamiliar.assign(run.probability.size(), 0);
  std::size_t marked = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    std::size_t judged = 0, dark = 0;
    for (std::size_t i = g; i < run.probability.size(); i += groups) {
      judged += !std::isnan(run.probability[i]);
      dark += run.probability[i] >= run.threshold;
    }
    if (judged == 0 || 2 * dark < judged) continue;
    ++marked;
    for (std::size_t i = g; i < run.probability.size(); i += groups) run.unfamiliar[i] = 1;
  }
  std::size_t without_brain = 0;
  for (std::size_t slice = 0; slice < slices; ++slice) {
    if (regions[slice].has_signal) continue;
    ++without_brain;
    for (std::size_t i = slice; i < run.probability.size(); i += slices) run.unfamiliar[i] = 1;
  }
  if (without_brain > 0)
    run.notes.push_back(
        text("positions without a brain, not judged: ", without_brain, " of ", slices));
  if (marked == 0) return;
  run.notes.push_back(
      long_run
          ? text("positions not judged: ", marked, " of ", slices,
                 ", which look dark in half of the volumes or more, as slices do that are unlike "
                 "what the model was trained on")
          : "this scan is not judged: half of its slices or more look dark, as they do in scans "
            "unlike what the model was trained on (or badly damaged ones)");
}

}  // namespace

std::string_view name_of(ScaleSource source) {
  switch (source) {
    case ScaleSource::stated: return "stated";
    case ScaleSource::file: return "from the file";
    case ScaleSource::estimated: return "estimated";
    case ScaleSource::each_slice: return "each slice by itself";
  }
  return "?";
}

std::string_view name_of(SliceCall call) {
  switch (call) {
    case SliceCall::good: return "good";
    case SliceCall::dark: return "dark";
    case SliceCall::empty: return "empty";
    case SliceCall::unfamiliar: return "unfamiliar";
  }
  return "?";
}

SliceCall SliceScores::call(std::size_t index) const {
  if (std::isnan(probability[index])) return SliceCall::empty;
  if (!unfamiliar.empty() && unfamiliar[index]) return SliceCall::unfamiliar;
  return probability[index] >= threshold ? SliceCall::dark : SliceCall::good;
}

std::int64_t SliceScores::count(SliceCall wanted) const {
  std::int64_t n = 0;
  for (std::size_t i = 0; i < probability.size(); ++i) n += call(i) == wanted;
  return n;
}

ModelGrid grid_of(const Model& model) {
  if (model.system != "dark_slices")
    fail(ErrorKind::input, "the model is of '", model.system.substr(0, 32),
         "', expected one of dark_slices");
  const auto& steps = model.preprocessing;
  if (steps.size() != 2 || steps[0].name != "resample" ||
      steps[1].name != "divide_by_brain_level" || !steps[0].values.contains("rows") ||
      !steps[0].values.contains("columns"))
    fail(ErrorKind::input, "the model asks for a preparation of slices that this version lacks");
  const ModelGrid grid{static_cast<std::int64_t>(steps[0].values.at("rows")),
                       static_cast<std::int64_t>(steps[0].values.at("columns"))};
  const Shape input = model.graph.infer(1, false)[0].output;
  if (input != Shape{1, grid.rows, grid.columns, 1} || model.class_names.size() != 2)
    fail(ErrorKind::input, "the model's network does not take the slices it asks for");
  return grid;
}

RunScores score_run(Predictor& predictor, const Model& model, const Volume& volume,
                    const RunScoreOptions& options, std::vector<float>* grid_slices) {
  const ModelGrid grid = grid_of(model);
  RunScores result;
  result.layout = find_slices(volume.geometry, options.slices);
  result.repetition_time = volume.geometry.repetition_time;
  result.volumes = volume.geometry.times;
  result.slices = result.layout.slices;
  result.threshold = model.threshold;
  result.notes = volume.notes;
  std::vector<float> slices = slices_on_grid(volume, result.layout, grid);
  const auto pixels = static_cast<std::size_t>(grid.rows * grid.columns);
  const auto image = [&](std::int64_t i) {
    return std::span(slices).subspan(static_cast<std::size_t>(i) * pixels, pixels);
  };

  const RunMeasures measured = measure_run(
      result.volumes, result.slices, static_cast<int>(grid.rows), static_cast<int>(grid.columns),
      [&](std::int64_t i, std::span<float> out) { std::ranges::copy(image(i), out.begin()); });
  result.measures = measured.measures;
  result.scale = options.brain_level ? ScaleSource::stated : ScaleSource::estimated;
  result.brain_level = options.brain_level ? checked_level(*options.brain_level, "the brain level")
                                           : measured.brain_level;
  const std::int64_t total = result.volumes * result.slices;
  result.probability.assign(static_cast<std::size_t>(total), kNaN);
  if (!(result.brain_level > 0)) {
    result.notes.push_back("no slice shows a brain: nothing was judged");
  } else {
    const auto factor = static_cast<float>(1 / result.brain_level);
    std::vector<std::size_t> judged;
    for (std::size_t i = 0; i < result.measures.size(); ++i)
      if (!result.measures[i].empty) judged.push_back(i);
    std::vector<float> inputs;
    for (std::size_t first = 0; first < judged.size(); first += kBlock) {
      const std::size_t last = std::min(judged.size(), first + kBlock);
      inputs.clear();
      for (std::size_t k = first; k < last; ++k)
        for (const float x : image(static_cast<std::int64_t>(judged[k])))
          inputs.push_back(x * factor);
      const std::vector<float> outputs = predictor.run(inputs);
      for (std::size_t k = first; k < last; ++k)
        result.probability[judged[k]] = static_cast<double>(outputs[2 * (k - first) + 1]);
      if (options.progress)
        options.progress(static_cast<std::int64_t>(last), static_cast<std::int64_t>(judged.size()));
    }
  }

  mark_unfamiliar(result, measured.regions);

  std::vector<float> levels;
  for (const SliceMeasures& m : result.measures)
    levels.push_back(m.empty ? std::numeric_limits<float>::quiet_NaN() : m.brain);
  if (result.volumes >= kLeastVolumesForTime) {
    const std::vector<double> dimming = dimming_through_time(levels, result.slices);
    for (std::size_t i = 0; i < dimming.size(); ++i) {
      const double p = std::clamp(result.probability[i], 1e-12, 1 - 1e-12);
      const double log_odds = add_time_opinion(std::log(p / (1 - p)), dimming[i]);
      result.probability_in_time.push_back(1 / (1 + std::exp(-log_odds)));
    }
  } else if (result.count(SliceCall::good) + result.count(SliceCall::dark) > 0) {
    result.notes.push_back(
        "with so few volumes the brain level cannot be followed through time; slices are judged "
        "each by itself");
  }
  if (grid_slices) *grid_slices = std::move(slices);
  return result;
}

DatasetScale scale_of(Dataset& dataset, std::optional<double> stated_level) {
  const Shape shape = dataset.image_shape();
  ImageReader reader(dataset);
  LooseMeasures measured =
      measure_loose(dataset.size(), static_cast<int>(shape[0]), static_cast<int>(shape[1]),
                    [&](std::int64_t i, std::span<float> out) { reader.read(i, out); });
  DatasetScale scale;
  scale.measures = measured.measures;
  scale.stretched = measured.stretched;
  if (measured.stretched) {
    scale.source = ScaleSource::each_slice;
    scale.notes.push_back(
        "each slice was stretched to its own maximum: slices are ranked by ghosting alone, pure "
        "dimming cannot be seen in them, and the threshold is not that of the model's training");
    if (stated_level || dataset.attributes().scale)
      scale.notes.push_back("the brain level that was stated means nothing here and is not used");
  } else if (stated_level) {
    scale.source = ScaleSource::stated;
    measured.brain_level = checked_level(*stated_level, "the brain level");
  } else if (dataset.attributes().scale) {
    scale.source = ScaleSource::file;
    measured.brain_level =
        checked_level(*dataset.attributes().scale, "the file's attribute 'scale'");
  }
  scale.brain_level = measured.brain_level;
  if (!(scale.brain_level > 0))
    fail(ErrorKind::input, dataset.name(), ": no slice shows a brain, so there is no scale; ",
         "check the images, or state the brain level");
  for (const float level : slice_scales(measured))
    scale.factors.push_back(level > 0 ? 1 / level : 0.0f);
  return scale;
}

SliceScores score_dataset(Predictor& predictor, const Model& model, Dataset& dataset,
                          const DatasetScale& scale, const std::vector<std::int64_t>& indices,
                          const std::function<void(std::int64_t done)>& progress) {
  const ModelGrid grid = grid_of(model);
  require(dataset.image_shape() == Shape{grid.rows, grid.columns, 1}, dataset.name(),
          ": has images of ", to_string(dataset.image_shape()), ", not on the model's grid");
  SliceScores result;
  result.slices = static_cast<std::int64_t>(indices.size());
  result.brain_level = scale.brain_level;
  result.scale = scale.source;
  result.stretched = scale.stretched;
  result.threshold = model.threshold;
  result.notes = scale.notes;
  const std::vector<float> outputs =
      score(predictor.plan(), dataset, indices, {.scales = scale.factors}, progress);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const SliceMeasures& m = scale.measures[static_cast<std::size_t>(indices[i])];
    result.measures.push_back(m);
    result.probability.push_back(m.empty ? kNaN : static_cast<double>(outputs[2 * i + 1]));
  }
  return result;
}

}  // namespace ratnet::inline v1
