#include "label_free_threshold.h"

#include <cmath>
#include <vector>

#include "../../core/error.h"
#include "../../core/quantile.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {

double label_free_threshold(std::span<const PreparedSubject* const> subjects,
                            std::span<const ConstView> maps, double percentile) {
  require(subjects.size() == maps.size(), maps.size(), " maps for ", subjects.size(), " subjects");
  require(percentile >= 0 && percentile <= 100, "a percentile of ", percentile,
          " is not between 0 and 100");
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const Shape shape{subjects[i]->slices(), kJudgedSize, kJudgedSize};
    require(maps[i].shape == shape, "the maps of subject ", subjects[i]->name, " are ",
            maps[i].shape, " where ", shape, " are needed");
  }
  constexpr std::int64_t kPixels = kJudgedSize * kJudgedSize;
  std::vector<float> scores;
  for (const auto& [n, slice] : healthy_slices("a threshold", subjects)) {
    const std::uint8_t* brain = slice_of<std::uint8_t>(subjects[n]->brain, slice).data();
    const float* map = maps[n].as<float>() + slice * kPixels;
    for (std::int64_t p = 0; p < kPixels; ++p) {
      if (brain[p] == 0) continue;
      if (std::isnan(map[p]))
        fail(ErrorKind::input, "the map of subject ", subjects[n]->name, " is NaN in slice ",
             slice);
      scores.push_back(map[p]);
    }
  }
  if (scores.empty())
    fail(ErrorKind::input, "no healthy slice shows brain: a threshold needs some");

  return quantile_linear(scores, percentile / 100);
}

}  // namespace ratnet::inline v1
