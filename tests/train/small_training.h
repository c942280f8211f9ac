// A training that takes a tenth of a second, for the tests of the trainer.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "../../train/trainer.h"
#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "../kernels/test_device.h"
#include "../network/refused.h"

namespace ratnet::testing {

constexpr std::int64_t kImages = 200;

// Class 1 has a bright spot somewhere; both have noise.
inline TensorDataset spots(int label_of_first = 0) {
  Random random(77);
  Tensor images({kImages, 16, 16}, DType::u8);
  SampleTable table;
  auto pixels = images.values<std::uint8_t>();
  for (std::int64_t i = 0; i < kImages; ++i) {
    const bool spot = i % 3 == 0;
    table.labels.push_back(static_cast<std::uint8_t>(spot));
    for (std::int64_t p = 0; p < 256; ++p)
      pixels[static_cast<std::size_t>(i * 256 + p)] =
          static_cast<std::uint8_t>(random.integer(100));
    if (!spot) continue;
    const std::int64_t row = random.integer(13), column = random.integer(13);
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t c = 0; c < 3; ++c)
        pixels[static_cast<std::size_t>(i * 256 + (row + r) * 16 + column + c)] = 200;
  }
  if (label_of_first) table.labels[0] = static_cast<std::uint8_t>(label_of_first);
  return TensorDataset(std::move(images), std::move(table));
}

// With dropout, so that its random numbers must be resumed too.
inline Graph small_graph(std::int64_t classes = 2) {
  GraphBuilder b;
  int last = b.input("image", {16, 16, 1});
  last = b.add("conv", layers::Conv{.out = 8, .kernel = {3, 3}}, {last});
  last = b.add("relu", layers::Relu{}, {last});
  last = b.add("pool", layers::MaxPool{.kernel = {4, 4}}, {last});
  last = b.add("dropout", layers::Dropout{.probability = 0.2}, {last});
  last = b.add("flat", layers::Flatten{}, {last});
  last = b.add("logits", layers::Dense{.out = classes}, {last});
  last = b.add("probability", layers::Softmax{}, {last});
  return b.build({last});
}

struct Samples {
  std::vector<std::int64_t> train, validation;
  Samples() {
    for (std::int64_t i = 0; i < kImages; ++i) (i % 4 == 3 ? validation : train).push_back(i);
  }
};
inline const Samples kSamples;

// 150 training images in batches of 16 make 10 steps an epoch, the last batch smaller.
inline TrainerOptions options(std::int64_t epochs = 3) {
  TrainerOptions o;
  o.epochs = epochs;
  o.schedule.rate = 0.01;
  o.loader = {.batch = 16,
              .seed = 5,
              .balance = true,
              .augmentation = {.shift = 1, .flip_left_right = true, .noise = 0.01},
              .scales = {1 / 255.0f}};
  o.class_weights = {1, 2};
  o.device = test_device();
  o.threads = 2;
  return o;
}

inline TrainingResult train(const TrainerOptions& o, const TrainingCallback& callback = {}) {
  TensorDataset dataset = spots();
  return train_classifier(small_graph(), dataset, kSamples.train, kSamples.validation, o, callback);
}

inline bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

inline void check_same(const TrainingResult& a, const TrainingResult& b) {
  CHECK(a.steps == b.steps);
  REQUIRE(a.weights.entries().size() == b.weights.entries().size());
  for (std::size_t i = 0; i < a.weights.entries().size(); ++i) {
    INFO(a.weights.entries()[i].name);
    CHECK(same_bits(a.weights.entries()[i].value, b.weights.entries()[i].value));
  }
  REQUIRE(a.history.size() == b.history.size());
  for (std::size_t i = 0; i < a.history.size(); ++i) {
    CHECK(a.history[i].epoch == b.history[i].epoch);
    CHECK(same_number(a.history[i].training_loss, b.history[i].training_loss));
    CHECK(same_number(a.history[i].validation_loss, b.history[i].validation_loss));
    CHECK(same_number(a.history[i].validation_auroc, b.history[i].validation_auroc));
    CHECK(same_number(a.history[i].validation_accuracy, b.history[i].validation_accuracy));
  }
}

inline TrainingCallback until(std::int64_t step) {
  return [step](const TrainingProgress& progress) { return progress.step < step; };
}

inline const TrainingResult& undisturbed() {
  static const TrainingResult result = train(options());
  return result;
}

inline std::string refused_training(ErrorKind kind, const std::string& part,
                                    const TrainerOptions& o) {
  return refused(kind, part, [&] { train(o); });
}

}  // namespace ratnet::testing
