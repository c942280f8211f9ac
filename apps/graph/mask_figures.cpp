#include "mask_figures.h"

#include <algorithm>
#include <cmath>

#include "../../train/dataset.h"

namespace ratnet::inline v1 {

MaskFigures::MaskFigures(const ClassOutput& output, std::vector<double> spacing)
    : output_(output),
      spacing_(std::move(spacing)),
      classes_(static_cast<std::size_t>(output.classes() - 1)) {
  for (const double step : spacing_)
    require(step > 0 && std::isfinite(step), "a spacing of ", step, ", expected more than 0");
}

void MaskFigures::add(const ConstView& truth, const float* scores) {
  require(truth.shape.rank() == static_cast<int>(spacing_.size()), "a spacing of ", spacing_.size(),
          " numbers for masks of ", truth.shape);
  const auto pixels = static_cast<std::size_t>(truth.count());
  const auto width = static_cast<std::size_t>(output_.width);
  const auto classes = static_cast<std::size_t>(output_.classes());
  std::vector<std::uint8_t> known(pixels), called(pixels);
  std::vector<double> probabilities(classes * pixels), row(classes);  // [classes, pixels]
  for (std::size_t p = 0; p < pixels; ++p) {
    const std::uint8_t label = truth.as<std::uint8_t>()[p];
    if (label == kUnlabelled) continue;
    known[p] = label;
    called[p] = static_cast<std::uint8_t>(output_.decide(scores + p * width));
    output_.to_probabilities(scores + p * width, row);
    for (std::size_t k = 0; k < classes; ++k) probabilities[k * pixels + p] = row[k];
  }
  for (std::size_t k = 1; k < classes; ++k)
    add_class(k, {known.data(), DType::u8, truth.shape}, {called.data(), DType::u8, truth.shape},
              std::span(probabilities).subspan(k * pixels, pixels));
}

void MaskFigures::add_class(std::size_t k, const ConstView& truth, const ConstView& called,
                            std::span<const double> probabilities) {
  Class& c = classes_[k - 1];
  const auto label = static_cast<std::int32_t>(k);
  c.dice.push_back(overlap_by_class(truth, called, output_.classes())[k].dice());
  const SurfaceDistances distances = surface_distances(truth, called, label, spacing_);
  if (!std::isnan(distances.hausdorff95)) {
    c.hausdorff95 += distances.hausdorff95;
    c.surface_distance += distances.average;
    ++c.measured;
  }
  const Components there = connected_components(mask_of(truth, label));
  const Components found = connected_components(mask_of(called, label));
  const LesionMatches matches = match_lesions(there, found);
  c.lesions.true_positives += matches.true_positives;
  c.lesions.false_positives += matches.false_positives;
  c.lesions.false_negatives += matches.false_negatives;
  std::vector<double> scores(static_cast<std::size_t>(found.count));
  for (std::size_t p = 0; p < found.labels.size(); ++p)
    if (const auto lesion = static_cast<std::size_t>(found.labels[p]); lesion > 0)
      scores[lesion - 1] = std::max(scores[lesion - 1], probabilities[p]);
  const auto candidates = lesion_candidates(std::ssize(c.true_lesions), there, found, scores);
  c.candidates.insert(c.candidates.end(), candidates.begin(), candidates.end());
  c.true_lesions.push_back(there.count);
}

std::vector<MaskClassFigures> MaskFigures::figures() const {
  std::vector<MaskClassFigures> all;
  for (const Class& c : classes_) {
    const double measured = c.measured ? static_cast<double>(c.measured) : std::nan("");
    all.push_back({.dice = c.dice,
                   .hausdorff95 = c.hausdorff95 / measured,
                   .surface_distance = c.surface_distance / measured,
                   .measured = c.measured,
                   .lesions = c.lesions,
                   .froc = froc(c.candidates, c.true_lesions)});
  }
  return all;
}

}  // namespace ratnet::inline v1
