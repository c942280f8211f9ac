#include "label_index.h"

#include <algorithm>

#include "../core/random.h"

namespace ratnet::inline v1 {
namespace {

// Which of `count` things are kept, ascending; all of them where `most` are enough.
std::vector<std::int64_t> choose(std::int64_t count, std::int64_t most, Random random) {
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(std::min(count, most)));
  const double stretch = static_cast<double>(count) / static_cast<double>(chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (count <= most)
      chosen[i] = static_cast<std::int64_t>(i);
    else
      chosen[i] = std::min(count - 1, static_cast<std::int64_t>(
                                          (static_cast<double>(i) + random.uniform()) * stretch));
  }
  return chosen;
}

}  // namespace

LabelIndex::LabelIndex(const ConstView& mask, std::int64_t most, std::uint64_t seed,
                       std::uint8_t ignore) {
  require(most >= 1 && most <= std::int64_t{1} << 31,
          "label index: from 1 to 2^31 voxels of a label can be kept, not ", most);
  const auto* labels = mask.as<std::uint8_t>();
  const std::int64_t n = mask.count();
  for (std::int64_t i = 0; i < n; ++i) ++counts_[labels[i]];
  for (std::size_t label = 1; label < 256; ++label) {
    if (label == ignore || counts_[label] == 0) continue;
    labels_.push_back(static_cast<std::uint8_t>(label));
    voxels_[label] = choose(counts_[label], most, Random(seed, label));
  }
  // Each list holds ranks among the label's voxels: walking the mask they become positions.
  std::array<std::int64_t, 256> seen{};
  std::array<std::size_t, 256> next{};
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::int64_t>& list = voxels_[labels[i]];
    std::size_t& at = next[labels[i]];
    const std::int64_t rank = seen[labels[i]]++;
    // A voxel on the border of two stretches may have been drawn from both.
    while (at < list.size() && list[at] == rank) list[at++] = i;
  }
}

}  // namespace ratnet::inline v1
