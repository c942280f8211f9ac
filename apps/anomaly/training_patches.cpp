#include "training_patches.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "../../train/patch_sampler.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

LabelledVolume volume_of(const PreparedSubject& subject, std::int64_t first, std::int64_t slices) {
  LabelledVolume volume{Tensor({slices, kJudgedSize, kJudgedSize, 1}, DType::f32),
                        Tensor({slices, kJudgedSize, kJudgedSize}, DType::u8)};
  constexpr std::int64_t kPixels = kJudgedSize * kJudgedSize;
  const auto part = [&](auto values) {
    return values.subspan(static_cast<std::size_t>(first * kPixels),
                          static_cast<std::size_t>(slices * kPixels));
  };
  std::ranges::copy(part(subject.images.values<float>()), volume.image.values<float>().begin());
  std::ranges::copy(part(subject.brain.values<std::uint8_t>()),
                    volume.mask.values<std::uint8_t>().begin());
  return volume;
}

// By subject, what lies between its slices that are not learnt from.
std::vector<std::vector<LabelledVolume>> healthy_volumes(
    std::span<const PreparedSubject* const> subjects) {
  const std::vector<HealthySlice> slices = healthy_slices("training", subjects);
  std::vector<std::vector<LabelledVolume>> volumes(subjects.size());
  for (std::size_t i = 0; i < slices.size();) {
    const HealthySlice& first = slices[i];
    std::int64_t n = 0;
    while (i < slices.size() && slices[i].subject == first.subject &&
           slices[i].slice == first.slice + n) {
      ++i;
      ++n;
    }
    volumes[first.subject].push_back(volume_of(*subjects[first.subject], first.slice, n));
  }
  return volumes;
}

}  // namespace

TrainingSamples training_patches(std::span<const PreparedSubject* const> subjects,
                                 const Sizes& patch, std::uint64_t seed) {
  const std::int64_t voxels =
      std::accumulate(patch.begin(), patch.end(), std::int64_t{1}, std::multiplies{});
  std::vector<std::vector<LabelledVolume>> volumes = healthy_volumes(subjects);
  TrainingSamples samples;
  SampleTable table;
  std::vector<std::int64_t> counts;
  for (std::size_t number = 0; number < subjects.size(); ++number) {
    std::int64_t healthy = 0;
    for (const LabelledVolume& volume : volumes[number]) healthy += volume.mask.count();
    counts.push_back((healthy + voxels - 1) / voxels);
    samples.subjects.insert(samples.subjects.end(), static_cast<std::size_t>(counts.back()),
                            number);
    table.subjects.insert(table.subjects.end(), static_cast<std::size_t>(counts.back()),
                          subjects[number]->name);
  }
  Sizes sizes = patch;
  sizes.push_back(1);
  const Shape shape = Shape(sizes).batch_of(static_cast<std::int64_t>(samples.subjects.size()));
  Tensor images(shape, DType::f32), brains(shape, DType::u8);

  ThreadPool here(1);
  std::int64_t first = 0;
  for (std::size_t number = 0; number < subjects.size(); ++number) {
    const std::int64_t n = counts[number];
    if (n == 0) continue;
    const PatchSampler sampler(
        std::move(volumes[number]),
        {.size = patch, .labelled = 1, .seed = seed + number, .outside = 0, .ignore = 255});
    sampler.fill(here, 0, 0,
                 View(images.values<float>().data() + first * voxels, DType::f32,
                      sampler.image_shape().batch_of(n)),
                 View(brains.values<std::uint8_t>().data() + first * voxels, DType::u8,
                      sampler.mask_shape().batch_of(n)));
    first += n;
  }
  std::ranges::replace(brains.values<std::uint8_t>(), std::uint8_t{255}, std::uint8_t{0});
  samples.images = std::make_unique<TensorDataset>(std::move(images), table, DatasetAttributes(),
                                                   "healthy patches");
  samples.brains = std::make_unique<TensorDataset>(std::move(brains), std::move(table),
                                                   DatasetAttributes(), "their brains");
  return samples;
}

}  // namespace ratnet::inline v1
