#include "detection.h"

#include <algorithm>
#include <vector>

#include "../../core/error.h"
#include "ground_truth.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

// The lesion that holds pixel `start`, over faces, edges and corners, which goes from `left`;
// gives its pixels.
std::vector<std::int64_t> take_lesion(std::vector<std::uint8_t>& left, std::int64_t slices,
                                      std::int64_t start) {
  constexpr std::int64_t n = kJudgedSize;
  std::vector<std::int64_t> pixels = {start};
  left[static_cast<std::size_t>(start)] = 0;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::int64_t s = pixels[i] / (n * n), r = pixels[i] / n % n, c = pixels[i] % n;
    for (std::int64_t z = std::max<std::int64_t>(0, s - 1); z <= std::min(slices - 1, s + 1); ++z)
      for (std::int64_t y = std::max<std::int64_t>(0, r - 1); y <= std::min(n - 1, r + 1); ++y)
        for (std::int64_t x = std::max<std::int64_t>(0, c - 1); x <= std::min(n - 1, c + 1); ++x) {
          const std::int64_t at = (z * n + y) * n + x;
          std::uint8_t& lesion = left[static_cast<std::size_t>(at)];
          if (lesion != 0) pixels.push_back(at);
          lesion = 0;
        }
  }
  return pixels;
}

void detect_lesions(Found& lesions, const AnomalyModel& model, const PreparedSubject& subject,
                    const SubjectScores& scores) {
  const std::span<const std::uint8_t> all = subject.lesions.values<std::uint8_t>();
  const std::span<const float> maps = scores.maps.values<float>();
  std::vector<std::uint8_t> left(all.begin(), all.end());
  for (std::size_t at = 0; at < left.size(); ++at) {
    if (left[at] == 0) continue;
    std::int64_t judged = 0, above = 0;
    for (const std::int64_t pixel :
         take_lesion(left, subject.slices(), static_cast<std::int64_t>(at))) {
      if (!subject.judged[static_cast<std::size_t>(pixel / (kJudgedSize * kJudgedSize))]) continue;
      ++judged;
      above += static_cast<double>(maps[static_cast<std::size_t>(pixel)]) >= model.model.threshold;
    }
    lesions.of += judged > 0;
    lesions.found += judged > 0 && 2 * above >= judged;
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
    found.found += p_value <= detection.rate;
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
