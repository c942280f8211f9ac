// Patches of labelled volumes, for training networks that segment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "../core/image_grid.h"
#include "../core/tensor.h"
#include "../core/thread_pool.h"
#include "label_index.h"

namespace ratnet::inline v1 {

struct LabelledVolume {
  Tensor image;  // f32 [H, W, C] or [D, H, W, C]
  Tensor mask;   // u8 [H, W] or [D, H, W]
};

// Gives volume n of a collection, the same whenever it is asked. Called from several threads at
// once: what reads files keeps what it can and locks where it must.
using VolumeReader = std::function<std::shared_ptr<const LabelledVolume>(std::int64_t)>;

struct PatchOptions {
  // H, W: pieces of slices, [D, H, W, C] being cut across D; D, H, W: pieces of volumes.
  std::vector<std::int64_t> size;
  // This share of the patches is centred on a labelled voxel: every label of the collection equally
  // often, then every volume that has it, then every voxel. The others lie anywhere. nnU-Net takes
  // a third (Isensee and others, Nature Methods 2021).
  double labelled = 1.0 / 3;
  std::uint64_t seed = 0;
  std::int64_t most_voxels = 10000;  // kept of each label of each volume (LabelIndex)
  float outside = 0;                 // the image where a patch is larger than the volume
  std::uint8_t ignore = 255;         // the mask there; voxels with it are no label
};

// Draws patch `index` of epoch `epoch` the same whatever batch or thread it comes in. A patch
// centred on a voxel near the border is moved inside; along an axis where the volume is the smaller
// one, it lies in the middle of the patch, with `outside` and `ignore` about it.
class PatchSampler {
 public:
  // Asks for every volume once to find its labels. Throws Error: usage for options out of range or
  // volumes that do not fit them, input where labelled patches are asked of masks without labels.
  PatchSampler(std::int64_t volumes, VolumeReader read, PatchOptions options);
  // Volumes that stay in memory.
  PatchSampler(std::vector<LabelledVolume> volumes, PatchOptions options);

  Shape image_shape() const;  // of a patch: [H, W, C] or [D, H, W, C]
  Shape mask_shape() const;   // [H, W] or [D, H, W]

  // Where a patch lies.
  struct Place {
    std::int64_t volume = 0;
    Size3 first{};  // voxel of the patch's corner; negative where it is padded
  };
  Place place(std::int64_t epoch, std::int64_t index) const;

  // Patches index..index + n - 1 into images f32 [n, ...] and masks u8 [n, ...].
  void fill(Executor& executor, std::int64_t epoch, std::int64_t index, const View& images,
            const View& masks) const;

 private:
  struct Found {
    ImageGrid grid;
    LabelIndex labels;
  };
  PatchSampler(const std::shared_ptr<const std::vector<LabelledVolume>>& volumes,
               PatchOptions options);
  std::shared_ptr<const LabelledVolume> read(std::int64_t volume) const;

  VolumeReader read_;
  PatchOptions options_;
  Size3 size_{};
  std::vector<Found> volumes_;
  std::vector<std::uint8_t> labels_;                   // of any volume, ascending
  std::vector<std::vector<std::int64_t>> with_label_;  // volumes that have labels_[n]
};

}  // namespace ratnet::inline v1
