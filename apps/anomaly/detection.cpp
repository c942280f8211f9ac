#include "detection.h"

#include <vector>

#include "../../core/error.h"
#include "../../train/components.h"
#include "ground_truth.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

void detect_lesions(Found& lesions, const AnomalyModel& model, const PreparedSubject& subject,
                    const SubjectScores& scores) {
  const Components components = connected_components(mask_of(subject.lesions.view(), 1));
  const std::span<const float> maps = scores.maps.values<float>();
  // Of each, its pixels in judged slices.
  std::vector<Found> pixels(static_cast<std::size_t>(components.count) + 1);
  for (std::size_t at = 0; at < maps.size(); ++at) {
    const auto label = static_cast<std::size_t>(components.labels[at]);
    if (label == 0 || !subject.judged[at / (kJudgedSize * kJudgedSize)]) continue;
    ++pixels[label].of;
    pixels[label].found += static_cast<double>(maps[at]) >= model.model.threshold;
  }
  for (const Found& lesion : pixels) {
    lesions.of += lesion.of > 0;
    lesions.found += lesion.of > 0 && 2 * lesion.found >= lesion.of;
  }
}

}  // namespace

void detect(Detection& detection, const AnomalyModel& model, const PreparedSubject& subject,
            const SubjectScores& scores) {
  check_subject("detection", subject);
  const auto slices = static_cast<std::size_t>(subject.slices());
  require(scores.slice_scores.size() == slices && scores.maps.shape() == subject.images.shape(),
          "scores of ", scores.slice_scores.size(), " slices and maps of ", scores.maps.shape(),
          " for a subject of ", subject.images.shape());
  require(model.reference.has_value(), "a model that is not calibrated has no p-values");
  detection.rate = false_alarm_rate(model);
  if (has_masks(subject)) detect_lesions(detection.lesions, model, subject, scores);
  const auto count = [&](Found& found, double p_value) {
    ++found.of;
    found.found += is_unusual(p_value, detection.rate);
  };
  std::vector<double> judged;
  bool lesion = false, healthy = true;
  for (std::size_t s = 0; s < slices; ++s) {
    if (!subject.judged[s]) continue;
    judged.push_back(scores.slice_scores[s]);
    const auto [truth, pixels] = truth_of(subject, static_cast<std::int64_t>(s));
    const double p_value = model.reference->sample_p_value(judged.back());
    if (truth == LesionTruth::lesion) count(detection.lesion_slices, p_value);
    if (truth == LesionTruth::healthy) count(detection.healthy_slices, p_value);
    lesion = lesion || truth == LesionTruth::lesion || pixels > 0;
    healthy = healthy && truth == LesionTruth::healthy;
  }
  if (judged.empty() || (!lesion && !healthy)) return;
  count(lesion ? detection.lesion_subjects : detection.healthy_subjects,
        model.reference->subject_p_value(judged));
}

}  // namespace ratnet::inline v1
