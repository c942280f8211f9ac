#include "subject_summary.h"

#include <algorithm>
#include <cmath>

#include "../subject_slices.h"
#include "verdict.h"

namespace ratnet::inline v1 {

bool SubjectSummary::is_judged(std::int64_t slice) const {
  return !std::isnan(slice_p_values[static_cast<std::size_t>(slice)]);
}

SubjectSummary summarise(const AnomalyModel& model, const PreparedSubject& subject,
                         const SubjectScores& scores, std::string input) {
  SubjectSummary summary{.name = subject.name,
                         .input = std::move(input),
                         .positions = subject.positions,
                         .slice_scores = scores.slice_scores,
                         .slice_p_values = {}};
  std::vector<double> judged;
  std::int64_t brain = 0, above = 0;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const auto i = static_cast<std::size_t>(s);
    const double score = scores.slice_scores[i];
    summary.slice_p_values.push_back(subject.judged[i] ? model.reference->sample_p_value(score)
                                                       : std::nan(""));
    if (!summary.is_judged(s)) continue;
    judged.push_back(score);
    if (summary.worst_slice < 0 || score > summary.score) {
      summary.worst_slice = s;
      summary.score = score;
    }
    const auto inside = slice_of<std::uint8_t>(subject.brain, s);
    const auto map = slice_of<float>(scores.maps, s);
    for (std::size_t p = 0; p < map.size(); ++p) {
      brain += inside[p];
      above += inside[p] && static_cast<double>(map[p]) >= model.model.threshold;
    }
  }
  summary.judged = static_cast<std::int64_t>(judged.size());
  if (judged.empty()) return summary;
  summary.p_value = model.reference->subject_p_value(judged);
  summary.unusual = is_unusual(summary.p_value, false_alarm_rate(model));
  summary.above =
      static_cast<double>(above) / static_cast<double>(std::max<std::int64_t>(1, brain));
  return summary;
}

bool ranks_before(const SubjectSummary& a, const SubjectSummary& b) {
  if (std::isnan(a.score) || std::isnan(b.score)) return !std::isnan(a.score);
  return a.score > b.score;
}

std::string sentence(const AnomalyModel& model, const SubjectSummary& summary) {
  if (summary.judged == 0)
    return summary.name +
           ": no slice can be judged: no brain was found, or one of a single brightness";
  char figures[160];
  std::snprintf(figures, sizeof figures,
                "score %.4f (slice %lld), p %.3f, %.2f%% of the brain at or above the threshold",
                summary.score, static_cast<long long>(summary.worst_slice), summary.p_value,
                100 * summary.above);
  return summary.name + ": " +
         (summary.unusual
              ? "unusual at a false-alarm rate of " + percent(false_alarm_rate(model)) + "; "
              : std::string()) +
         figures;
}

}  // namespace ratnet::inline v1
