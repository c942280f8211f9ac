// Where the labelled voxels of a mask are.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "../core/view.h"

namespace ratnet::inline v1 {

// The voxels of every label, by position in the mask, ascending. Of a label with more than `most`
// voxels `most` are kept, one drawn from each of as many equal stretches of its list, so that every
// voxel is as likely. Memory: 8 bytes for each voxel kept, at most 255 * most.
class LabelIndex {
 public:
  // mask: u8 of any sizes. Label 0, the background, and `ignore` have no list. Depends on the mask,
  // `most` and `seed` alone. Throws Error (usage) unless most is 1 to 2^31.
  LabelIndex(const ConstView& mask, std::int64_t most, std::uint64_t seed, std::uint8_t ignore);

  // Those with voxels, ascending.
  std::span<const std::uint8_t> labels() const { return labels_; }
  // None for a label that is not there.
  std::span<const std::int64_t> voxels(std::uint8_t label) const { return voxels_[label]; }
  // How many voxels of the mask have the label, kept or not.
  std::int64_t count(std::uint8_t label) const { return counts_[label]; }

 private:
  std::vector<std::uint8_t> labels_;
  std::array<std::vector<std::int64_t>, 256> voxels_;
  std::array<std::int64_t, 256> counts_{};
};

}  // namespace ratnet::inline v1
