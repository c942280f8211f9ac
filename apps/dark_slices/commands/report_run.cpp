#include "report_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "../../../core/quantile.h"
#include "../../../core/version.h"
#include "../../program/inputs.h"
#include "../../program/sample_columns.h"
#include "../../program/tsv.h"
#include "../../report/map_png.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

std::vector<TsvColumn> result_columns() {
  return {{"probability", "probability that the slice lost signal; n/a for empty slices"},
          {"call",
           "the verdict at the model's threshold",
           {},
           {{"good", "as it should be"},
            {"dark", "signal dropout"},
            {"empty", "shows nothing: padding, or lost; not judged"},
            {"unfamiliar", "unlike what the model was trained on; not judged"}}},
          {"brain_level", "mean of the brain region over the scale of the run or file"},
          {"ghost_ratio", "signal beside the head over the mean of the brain region"}};
}

void add_result(std::vector<TsvValue>& row, const SliceScores& scores, std::size_t i) {
  const SliceMeasures& m = scores.measures[i];
  const double p = scores.probability[i];
  row.push_back(p);
  row.push_back(std::string(name_of(scores.call(i))));
  if (m.empty || !(scores.brain_level > 0)) {
    row.insert(row.end(), 2, TsvValue());
  } else {
    row.push_back(m.brain / scores.brain_level);
    row.push_back(static_cast<double>(m.ghost));
  }
}

std::vector<std::pair<std::string, TsvValue>> facts(const SliceScores& scores,
                                                    const ReportContext& context) {
  std::string notes;
  for (const std::string& note : scores.notes) notes += (notes.empty() ? "" : "; ") + note;
  return {{"Sources", fs::path(context.input).filename().string()},
          {"GeneratedBy", "ratnet " + version()},
          {"Model", context.model_name},
          {"ModelTrainingData", context.model_hash},
          {"Threshold", scores.threshold},
          {"BrainLevel", scores.brain_level},
          {"BrainLevelSource", std::string(name_of(scores.scale))},
          {"StretchedSlices", scores.stretched},
          {"SlicesGood", scores.count(SliceCall::good)},
          {"SlicesDark", scores.count(SliceCall::dark)},
          {"SlicesEmpty", scores.count(SliceCall::empty)},
          {"SlicesUnfamiliar", scores.count(SliceCall::unfamiliar)},
          {"Notes", notes}};
}

// The slice on the grey window of all thumbnails: up to twice the brain level.
std::vector<std::uint8_t> grey(std::span<const float> slice, double brain_level) {
  std::vector<std::uint8_t> pixels;
  for (const float x : slice)
    pixels.push_back(static_cast<std::uint8_t>(
        std::clamp(127.5 * static_cast<double>(x) / brain_level, 0.0, 255.0)));
  return pixels;
}

// Median over the volumes of one slice position, of at most 51 volumes spread over the run.
std::vector<float> typical(const RunScores& scores, const std::vector<float>& grid_slices,
                           std::size_t pixels, std::int64_t slice) {
  std::vector<std::int64_t> volumes;
  const std::int64_t count = std::min<std::int64_t>(scores.volumes, 51);
  for (std::int64_t k = 0; k < count; ++k) volumes.push_back(k * scores.volumes / count);
  std::vector<float> result(pixels), values(volumes.size());
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t k = 0; k < volumes.size(); ++k)
      values[k] =
          grid_slices[static_cast<std::size_t>(volumes[k] * scores.slices + slice) * pixels + p];
    result[p] = quantile(values, 0.5);
  }
  return result;
}

std::vector<SliceThumbnail> worst_slices(const RunScores& scores,
                                         const std::vector<float>& grid_slices,
                                         const ModelGrid& grid) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.probability.size(); ++i)
    if (scores.call(i) == SliceCall::dark || scores.call(i) == SliceCall::good) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return scores.probability[a] > scores.probability[b];
  });
  const auto dark = static_cast<std::size_t>(scores.count(SliceCall::dark));
  order.resize(std::min({order.size(), kMostThumbnails, std::max<std::size_t>(dark, 4)}));
  const auto pixels = static_cast<std::size_t>(grid.rows * grid.columns);
  std::vector<SliceThumbnail> thumbnails;
  for (const std::size_t i : order) {
    const std::int64_t slice = static_cast<std::int64_t>(i) % scores.slices;
    SliceThumbnail t{
        .volume = static_cast<std::int64_t>(i) / scores.slices,
        .slice = slice,
        .probability = scores.probability[i],
        .width = static_cast<int>(grid.columns),
        .height = static_cast<int>(grid.rows),
        .pixels = grey(std::span(grid_slices).subspan(i * pixels, pixels), scores.brain_level)};
    if (scores.volumes > 1)
      t.reference = grey(typical(scores, grid_slices, pixels, slice), scores.brain_level);
    thumbnails.push_back(std::move(t));
  }
  return thumbnails;
}

std::vector<double> brain_level_by_volume(const RunScores& scores) {
  std::vector<double> levels;
  for (std::int64_t v = 0; v < scores.volumes; ++v) {
    double sum = 0;
    std::int64_t n = 0;
    for (std::int64_t s = 0; s < scores.slices; ++s) {
      const SliceMeasures& m = scores.measures[static_cast<std::size_t>(v * scores.slices + s)];
      if (m.empty) continue;
      sum += static_cast<double>(m.brain);
      ++n;
    }
    levels.push_back(n ? sum / static_cast<double>(n) : std::numeric_limits<double>::quiet_NaN());
  }
  return levels;
}

void write_map(const RunScores& scores, const std::vector<float>& grid_slices,
               const ModelGrid& grid, const ReportContext& context, const std::string& path) {
  SliceMap map{.name = fs::path(context.input).filename().string(),
               .notes = {text("scale: brain level ", scores.brain_level, " (",
                              name_of(scores.scale), "); model ", context.model_name),
                         scores.layout.reason},
               .volumes = scores.volumes,
               .slices = scores.slices,
               .threshold = scores.threshold,
               .repetition_time = scores.repetition_time.value_or(0),
               .brain_level = brain_level_by_volume(scores)};
  map.notes.insert(map.notes.end(), scores.notes.begin(), scores.notes.end());
  for (std::size_t i = 0; i < scores.probability.size(); ++i)
    map.probability.push_back(scores.call(i) == SliceCall::unfamiliar
                                  ? std::numeric_limits<float>::quiet_NaN()
                                  : static_cast<float>(scores.probability[i]));
  if (scores.brain_level > 0) map.worst = worst_slices(scores, grid_slices, grid);
  write_map_png(path, map);
}

}  // namespace

ReportPaths report_paths(const std::string& folder, const std::string& input) {
  const std::string base = (fs::path(folder) / (stem_of(input) + "_desc-darkslices")).string();
  return {base + "_slices.tsv", base + "_slices.json", base + "_map.png"};
}

void report_run(const RunScores& scores, const std::vector<float>& grid_slices,
                const ModelGrid& grid, const ReportContext& context, const ReportPaths& paths) {
  std::vector<TsvColumn> columns = {{"volume", "volume of the run, from 0"},
                                    {"slice", "slice of the volume, from 0, in the file's order"}};
  for (TsvColumn& column : result_columns()) columns.push_back(std::move(column));
  columns.push_back({"probability_in_time",
                     "a second opinion that also weighs how much darker the slice is than at other "
                     "times; n/a for runs of less than 10 volumes. The call rests on probability"});
  TsvFile table(paths.table, columns);
  for (std::int64_t v = 0; v < scores.volumes; ++v)
    for (std::int64_t s = 0; s < scores.slices; ++s) {
      const auto i = static_cast<std::size_t>(v * scores.slices + s);
      std::vector<TsvValue> row = {v, s};
      add_result(row, scores, i);
      row.push_back(scores.probability_in_time.empty() ? TsvValue()
                                                       : TsvValue(scores.probability_in_time[i]));
      table.row(row);
    }
  table.commit();
  auto known = facts(scores, context);
  known.emplace_back("SliceAxis", scores.layout.reason);
  if (scores.repetition_time) known.emplace_back("RepetitionTime", *scores.repetition_time);
  write_file(paths.sidecar, tsv_sidecar(columns, known));
  write_map(scores, grid_slices, grid, context, paths.map);
}

void report_slices(const SliceScores& scores, const SampleTable& samples,
                   const ReportContext& context, const ReportPaths& paths) {
  std::vector<TsvColumn> columns = sample_columns(samples);
  for (TsvColumn& column : result_columns()) columns.push_back(std::move(column));
  TsvFile table(paths.table, columns);
  for (std::size_t i = 0; i < scores.probability.size(); ++i) {
    std::vector<TsvValue> row = sample_values(samples, i);
    add_result(row, scores, i);
    table.row(row);
  }
  table.commit();
  write_file(paths.sidecar, tsv_sidecar(columns, facts(scores, context)));
}

}  // namespace ratnet::inline v1
