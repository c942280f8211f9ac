#include "training_slices.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../../imaging/augment_geometry.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

// Where the pixels of an axis lie among `n` coarse numbers, centres to centres, moved around by
// `by`.
struct CoarseAxis {
  struct Place {
    std::int64_t low, high;
    float weight;  // of the high one
  };
  std::vector<Place> places;

  CoarseAxis(std::int64_t size, std::int64_t n, std::int64_t by) {
    for (std::int64_t i = 0; i < size; ++i) {
      const double at = (static_cast<double>((i + by) % size) + 0.5) * static_cast<double>(n) /
                            static_cast<double>(size) -
                        0.5;
      const double inside = std::clamp(at, 0.0, static_cast<double>(n - 1));
      const auto low =
          std::min(static_cast<std::int64_t>(inside), std::max<std::int64_t>(0, n - 2));
      places.push_back(
          {low, std::min(low + 1, n - 1), static_cast<float>(inside - static_cast<double>(low))});
    }
  }
};

void add_noise(const CoarseNoise& noise, const Sample& sample, Random& random) {
  if (noise.deviation == 0) return;
  const bool volume = sample.image.shape.rank() == 4;
  const std::int64_t d = volume ? sample.image.shape[0] : 1;
  const std::int64_t h = sample.image.shape[volume ? 1 : 0], w = sample.image.shape[volume ? 2 : 1];
  const std::int64_t n = noise.grid;
  // As close together along D as along W.
  const std::int64_t deep =
      volume ? std::max<std::int64_t>(
                   1, std::llround(static_cast<double>(n * d) / static_cast<double>(w)))
             : 1;
  std::vector<float> coarse(static_cast<std::size_t>(deep * n * n));
  for (float& value : coarse) value = static_cast<float>(random.normal(0, noise.deviation));
  const CoarseAxis depth(d, deep, volume ? random.integer(d) : 0), rows(h, n, random.integer(h)),
      columns(w, n, random.integer(w));
  auto* image = sample.image.as<float>();
  const auto* brain = sample.mask.as<std::uint8_t>();
  for (const CoarseAxis::Place& z : depth.places)
    for (const CoarseAxis::Place& y : rows.places)
      for (const CoarseAxis::Place& x : columns.places) {
        const auto at = [&](std::int64_t k, std::int64_t i, std::int64_t j) {
          return coarse[static_cast<std::size_t>((k * n + i) * n + j)];
        };
        const auto in_plane = [&](std::int64_t k) {
          return (1 - y.weight) *
                     ((1 - x.weight) * at(k, y.low, x.low) + x.weight * at(k, y.low, x.high)) +
                 y.weight *
                     ((1 - x.weight) * at(k, y.high, x.low) + x.weight * at(k, y.high, x.high));
        };
        if (*brain) {
          const float front = in_plane(z.low);
          *image += z.weight == 0 ? front : (1 - z.weight) * front + z.weight * in_plane(z.high);
        }
        ++image;
        ++brain;
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

TrainingSamples training_slices(std::span<const PreparedSubject* const> subjects, std::int64_t n) {
  const std::vector<HealthySlice> chosen = healthy_slices("training", subjects);
  const auto count = static_cast<std::int64_t>(chosen.size());
  Tensor images({count, n, n}, DType::f32), brains({count, n, n}, DType::u8);
  SampleTable table;
  std::vector<std::size_t> of;
  std::int64_t i = 0;
  for (std::size_t number = 0; number < subjects.size(); ++number) {
    const PreparedSubject& subject = *subjects[number];
    const Tensor small = resample_slices(subject.images, n);
    const Tensor share = resample_slices(brain_as_floats(subject.brain), n);
    for (; i < count && chosen[static_cast<std::size_t>(i)].subject == number; ++i) {
      const std::int64_t slice = chosen[static_cast<std::size_t>(i)].slice;
      std::ranges::copy(slice_of<float>(small, slice), slice_of<float>(images, i).begin());
      std::ranges::transform(slice_of<float>(share, slice),
                             slice_of<std::uint8_t>(brains, i).begin(),
                             [](float part) -> std::uint8_t { return part >= 0.5f; });
      table.subjects.push_back(subject.person());
      table.slices.push_back(static_cast<std::int32_t>(slice));
      of.push_back(number);
    }
  }
  return {std::make_unique<TensorDataset>(std::move(images), table, DatasetAttributes(),
                                          "healthy slices"),
          std::make_unique<TensorDataset>(std::move(brains), table, DatasetAttributes(),
                                          "their brains"),
          std::move(of)};
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
