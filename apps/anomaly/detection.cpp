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

void count(Found& found, double p_value, double rate) {
  ++found.of;
  found.found += is_unusual(p_value, rate);
}

// What is counted of scans one by one.
void detect_in_scan(Detection& detection, const AnomalyModel& model, const JudgedScan& judged) {
  const auto& [scan, scores] = judged;
  check_subject("detection", scan);
  const auto slices = static_cast<std::size_t>(scan.slices());
  require(scores.slice_scores.size() == slices && scores.maps.shape() == scan.images.shape(),
          "scores of ", scores.slice_scores.size(), " slices and maps of ", scores.maps.shape(),
          " for a scan of ", scan.images.shape());
  if (has_masks(scan)) detect_lesions(detection.lesions, model, scan, scores);
  for (std::size_t s = 0; s < slices; ++s) {
    if (!scan.judged[s]) continue;
    const LesionTruth truth = truth_of(scan, static_cast<std::int64_t>(s)).truth;
    const double p_value = model.reference->sample_p_value(scores.slice_scores[s]);
    if (truth == LesionTruth::lesion) count(detection.lesion_slices, p_value, detection.rate);
    if (truth == LesionTruth::healthy) count(detection.healthy_slices, p_value, detection.rate);
  }
}

}  // namespace

void detect(Detection& detection, const AnomalyModel& model,
            const std::vector<JudgedScan>& of_subject) {
  require(model.reference.has_value(), "a model that is not calibrated has no p-values");
  detection.rate = false_alarm_rate(model);
  std::vector<double> judged;
  bool lesion = false, healthy = true;
  for (const JudgedScan& one : of_subject) {
    detect_in_scan(detection, model, one);
    for (std::size_t s = 0; s < one.scan.judged.size(); ++s) {
      if (!one.scan.judged[s]) continue;
      judged.push_back(one.scores.slice_scores[s]);
      const auto [truth, pixels] = truth_of(one.scan, static_cast<std::int64_t>(s));
      lesion = lesion || truth == LesionTruth::lesion || pixels > 0;
      healthy = healthy && truth == LesionTruth::healthy;
    }
  }
  if (judged.empty() || (!lesion && !healthy)) return;
  count(lesion ? detection.lesion_subjects : detection.healthy_subjects,
        model.reference->subject_p_value(judged), detection.rate);
}

}  // namespace ratnet::inline v1
