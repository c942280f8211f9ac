#include "labelled_runs.h"

#include <limits>

#include "baselines.h"

namespace ratnet::inline v1 {

void LabelledRuns::add(const RunScores& run_scores, const std::vector<SliceLabel>& labels,
                       const std::string& subject, const std::string& run) {
  const std::size_t first = truth.labels.size(), n = run_scores.probability.size();
  truth.labels.resize(first + n, kUnlabelled);
  truth.subjects.resize(first + n, subject);
  std::vector<std::uint8_t>& clear = truth.columns["clear"];
  std::vector<std::uint8_t>& ambiguous = truth.columns["ambiguous"];
  clear.resize(first + n, 0);
  ambiguous.resize(first + n, 0);
  std::vector<bool> seen(n, false);
  for (const SliceLabel& label : labels) {
    if (label.volume >= run_scores.volumes || label.slice >= run_scores.slices)
      fail(ErrorKind::input, run, ": has ", run_scores.volumes, " volumes of ", run_scores.slices,
           " slices, but a label is of volume ", label.volume, ", slice ", label.slice);
    const auto at = static_cast<std::size_t>(label.volume * run_scores.slices + label.slice);
    if (seen[at])
      fail(ErrorKind::input, run, ": volume ", label.volume, ", slice ", label.slice,
           " is labelled twice");
    seen[at] = true;
    truth.labels[first + at] = label.label;
    clear[first + at] = label.clear;
    ambiguous[first + at] = label.ambiguous;
  }

  scores.threshold = run_scores.threshold;
  scores.brain_level = 1;
  scores.slices += static_cast<std::int64_t>(n);
  scores.probability.insert(scores.probability.end(), run_scores.probability.begin(),
                            run_scores.probability.end());
  scores.unfamiliar.insert(scores.unfamiliar.end(), run_scores.unfamiliar.begin(),
                           run_scores.unfamiliar.end());
  const auto unit = static_cast<float>(run_scores.brain_level > 0 ? 1 / run_scores.brain_level : 0);
  std::vector<float> levels;
  for (SliceMeasures m : run_scores.measures) {
    m.mean *= unit;
    m.brain *= unit;
    m.maximum *= unit;
    levels.push_back(m.empty ? std::numeric_limits<float>::quiet_NaN() : m.brain);
    scores.measures.push_back(m);
  }

  // One short run leaves all of them without: the figures have to be of the same slices.
  const bool others_long = in_time.probability.size() == first;
  if (!others_long || run_scores.probability_in_time.empty()) {
    in_time = {};
    return;
  }
  const std::vector<double> darkness = darkness_through_time(levels, run_scores.slices);
  in_time.darkness.insert(in_time.darkness.end(), darkness.begin(), darkness.end());
  in_time.probability.insert(in_time.probability.end(), run_scores.probability_in_time.begin(),
                             run_scores.probability_in_time.end());
}

}  // namespace ratnet::inline v1
