#include "training_slices.h"

#include <algorithm>
#include <cstring>

#include "../../imaging/augment_geometry.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

void add_noise(const CoarseNoise& noise, const Sample& sample, Random& random) {
  if (noise.deviation == 0) return;
  const std::int64_t h = sample.image.shape[0], w = sample.image.shape[1], n = noise.grid;
  std::vector<float> coarse(static_cast<std::size_t>(n * n)), fine;
  for (float& value : coarse) value = static_cast<float>(random.normal(0, noise.deviation));
  const std::int64_t down = random.integer(h), right = random.integer(w);
  // Where pixel i of an axis lies among the coarse numbers, pixel centres to pixel centres.
  const auto place = [n](std::int64_t i, std::int64_t size) {
    const double at =
        (static_cast<double>(i) + 0.5) * static_cast<double>(n) / static_cast<double>(size) - 0.5;
    return std::clamp(at, 0.0, static_cast<double>(n - 1));
  };
  auto* image = sample.image.as<float>();
  const auto* brain = sample.mask.as<std::uint8_t>();
  for (std::int64_t y = 0; y < h; ++y) {
    const double row = place((y + down) % h, h);
    const auto top = std::min(static_cast<std::int64_t>(row), std::max<std::int64_t>(0, n - 2));
    const auto below = std::min(top + 1, n - 1);
    const auto b = static_cast<float>(row - static_cast<double>(top));
    for (std::int64_t x = 0; x < w; ++x) {
      if (!brain[y * w + x]) continue;
      const double column = place((x + right) % w, w);
      const auto left =
          std::min(static_cast<std::int64_t>(column), std::max<std::int64_t>(0, n - 2));
      const auto next = std::min(left + 1, n - 1);
      const auto a = static_cast<float>(column - static_cast<double>(left));
      const auto at = [&](std::int64_t i, std::int64_t j) {
        return coarse[static_cast<std::size_t>(i * n + j)];
      };
      image[y * w + x] += (1 - b) * ((1 - a) * at(top, left) + a * at(top, next)) +
                          b * ((1 - a) * at(below, left) + a * at(below, next));
    }
  }
}

void set_target(const Sample& sample) {
  std::memcpy(sample.target.data, sample.image.data, sample.image.bytes());
  const auto* brain = sample.mask.as<std::uint8_t>();
  std::transform(brain, brain + sample.mask.count(), sample.weight.as<float>(),
                 [](std::uint8_t inside) { return inside ? 1.0f : 0.0f; });
}

void move(const HealthyAugmentation& augmentation, const Sample& sample, Random& random) {
  const GeometryAugmentation geometry{.rotation = {augmentation.rotation, 0, 0},
                                      .rotation_chance = 1,
                                      .scaling = augmentation.scaling,
                                      .scaling_chance = 1};
  Tensor image(sample.image.shape, DType::f32), brain(sample.mask.shape.without_last(), DType::u8);
  std::memcpy(image.data(), sample.image.data, image.bytes());
  std::memcpy(brain.data(), sample.mask.data, brain.bytes());
  augment_geometry(geometry, {1, 1, 1}, image, brain, sample.image,
                   sample.mask.reshaped(brain.shape()), random);
}

void change_contrast(const HealthyAugmentation& augmentation, const Sample& sample,
                     Random& random) {
  const auto factor =
      static_cast<float>(random.uniform(1 - augmentation.contrast, 1 + augmentation.contrast));
  const auto offset = static_cast<float>(random.uniform(-augmentation.offset, augmentation.offset));
  auto* image = sample.image.as<float>();
  const auto* brain = sample.mask.as<std::uint8_t>();
  for (std::int64_t i = 0; i < sample.image.count(); ++i)
    image[i] = brain[i] ? image[i] * factor + offset : 0.0f;
}

std::string name_of(const CoarseNoise& noise) {
  return text("noise ", noise.deviation, " ", noise.grid);
}

}  // namespace

TrainingSlices training_slices(std::span<const PreparedSubject* const> subjects, std::int64_t n) {
  const std::vector<HealthySlice> chosen = healthy_slices("training", subjects);
  const auto count = static_cast<std::int64_t>(chosen.size());
  Tensor images({count, n, n}, DType::f32), brains({count, n, n}, DType::u8);
  SampleTable table;
  std::int64_t i = 0;
  for (std::size_t number = 0; number < subjects.size(); ++number) {
    const PreparedSubject& subject = *subjects[number];
    const Tensor small = resample_slices(subject.images, n);
    const Tensor share = resample_slices(brain_as_floats(subject), n);
    for (; i < count && chosen[static_cast<std::size_t>(i)].subject == number; ++i) {
      const std::int64_t slice = chosen[static_cast<std::size_t>(i)].slice;
      std::ranges::copy(slice_of<float>(small, slice), slice_of<float>(images, i).begin());
      std::ranges::transform(slice_of<float>(share, slice),
                             slice_of<std::uint8_t>(brains, i).begin(),
                             [](float part) -> std::uint8_t { return part >= 0.5f; });
      table.subjects.push_back(subject.name);
      table.slices.push_back(static_cast<std::int32_t>(slice));
    }
  }
  return {std::make_unique<TensorDataset>(std::move(images), table, DatasetAttributes(),
                                          "healthy slices"),
          std::make_unique<TensorDataset>(std::move(brains), table, DatasetAttributes(),
                                          "their brains")};
}

SampleChange healthy_change(const HealthyAugmentation& augmentation, const CoarseNoise& noise) {
  return {.name = text("healthy ", augmentation.rotation, " ", augmentation.scaling, " ",
                       augmentation.contrast, " ", augmentation.offset, " ", name_of(noise)),
          .apply =
              [=](const Sample& sample, Random& random) {
                move(augmentation, sample, random);
                change_contrast(augmentation, sample, random);
                set_target(sample);
                add_noise(noise, sample, random);
              },
          .makes_targets = true};
}

SampleChange noise_change(const CoarseNoise& noise) {
  return {.name = name_of(noise),
          .apply =
              [=](const Sample& sample, Random& random) {
                set_target(sample);
                add_noise(noise, sample, random);
              },
          .makes_targets = true};
}

}  // namespace ratnet::inline v1
