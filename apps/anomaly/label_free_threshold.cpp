#include "label_free_threshold.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../core/error.h"
#include "ground_truth.h"

namespace ratnet::inline v1 {

double label_free_threshold(std::span<const PreparedSubject> subjects,
                            std::span<const ConstView> maps, double percentile) {
  require(subjects.size() == maps.size(), maps.size(), " maps for ", subjects.size(), " subjects");
  require(percentile >= 0 && percentile <= 100, "a percentile of ", percentile,
          " is not between 0 and 100");
  std::vector<float> scores;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const PreparedSubject& subject = subjects[i];
    check_subject(subject);
    const Shape shape{subject.slices(), kJudgedSize, kJudgedSize};
    require(maps[i].shape == shape, "the maps of subject ", subject.name, " are ", maps[i].shape,
            " where ", shape, " are needed");
    for (std::int64_t s = 0; s < subject.slices(); ++s) {
      if (subject.judged[static_cast<std::size_t>(s)] == 0 ||
          truth_of(subject, s).truth != SliceTruth::healthy)
        continue;
      const std::int64_t first = s * kJudgedSize * kJudgedSize;
      const std::uint8_t* brain = subject.brain.view().as<std::uint8_t>() + first;
      const float* map = maps[i].as<float>() + first;
      for (std::int64_t p = 0; p < kJudgedSize * kJudgedSize; ++p) {
        if (brain[p] == 0) continue;
        if (std::isnan(map[p]))
          fail(ErrorKind::input, "the map of subject ", subject.name, " is NaN in slice ", s);
        scores.push_back(map[p]);
      }
    }
  }
  if (scores.empty())
    fail(ErrorKind::input, "none of ", subjects.size(),
         " validation subjects has a judged healthy slice: a threshold needs some");

  const double place = percentile / 100 * static_cast<double>(scores.size() - 1);
  const auto middle = scores.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(scores.begin(), middle, scores.end());
  const double below = *middle;
  if (middle + 1 == scores.end()) return below;
  const double above = *std::min_element(middle + 1, scores.end());
  return below + (above - below) * (place - std::floor(place));
}

}  // namespace ratnet::inline v1
