#include "scored_scan.h"

#include <algorithm>
#include <cmath>

#include "subject_slices.h"

namespace ratnet::inline v1 {

bool ScanScores::is_judged(std::int64_t slice) const {
  return !std::isnan(slice_p_values[static_cast<std::size_t>(slice)]);
}

ScanScores scan_scores(const AnomalyModel& model, const PreparedSubject& subject,
                       const SubjectScores& scores) {
  ScanScores result{
      .positions = subject.positions, .slice_scores = scores.slice_scores, .slice_p_values = {}};
  result.learnt_slices = count_learnt_slices(model, subject);
  std::vector<double> judged;
  std::int64_t brain = 0, above = 0;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const auto i = static_cast<std::size_t>(s);
    const double score = scores.slice_scores[i];
    result.slice_p_values.push_back(subject.judged[i] ? model.reference->sample_p_value(score)
                                                      : std::nan(""));
    if (!result.is_judged(s)) continue;
    judged.push_back(score);
    if (result.worst_slice < 0 || score > result.score) {
      result.worst_slice = s;
      result.score = score;
    }
    const auto inside = slice_of<std::uint8_t>(subject.brain, s);
    const auto map = slice_of<float>(scores.maps, s);
    for (std::size_t p = 0; p < map.size(); ++p) {
      brain += inside[p];
      above += inside[p] && static_cast<double>(map[p]) >= model.model.threshold;
    }
  }
  result.judged = static_cast<std::int64_t>(judged.size());
  if (judged.empty()) return result;
  result.p_value = model.reference->subject_p_value(judged);
  result.unusual = is_unusual(result.p_value, false_alarm_rate(model));
  result.above = static_cast<double>(above) / static_cast<double>(std::max<std::int64_t>(1, brain));
  return result;
}

}  // namespace ratnet::inline v1
