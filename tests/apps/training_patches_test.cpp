// The anomaly system on patches of volumes.
#include "../../apps/anomaly/training_patches.h"

#include <filesystem>
#include <set>

#include "../../apps/anomaly/training.h"
#include "../../kernels/open.h"
#include "../catch.h"
#include "../network/refused.h"
#include "subject_maker.h"

using namespace ratnet;
using ratnet::testing::refused;

namespace {

// Every pixel tells its slice, in the whole part, and its place.
PreparedSubject numbered_subject(std::int64_t slices, double from) {
  return made_subject(slices, [&](std::int64_t s, std::int64_t y, std::int64_t x) {
    return from + static_cast<double>(s) +
           static_cast<double>(y * kJudgedSize + x) / (kJudgedSize * kJudgedSize);
  });
}

Plan identity(const Sizes& patch, float factor, std::int64_t batch) {
  GraphBuilder builder;
  Sizes shape = patch;
  shape.push_back(1);
  const int image = builder.input("image", shape);
  const Graph graph = builder.build(
      {builder.add("scale", layers::Conv{.out = 1, .kernel = {1}, .bias = false}, {image})});
  Weights weights = Weights::initialised(graph, 1);
  weights.entries()[0].value.values<float>()[0] = factor;
  return Plan(graph, std::make_shared<Parameters>(open_queue({.threads = 1}), weights),
              {.batch = batch});
}

}  // namespace

TEST_CASE("patches lie within healthy slices that follow each other, about the brain") {
  std::vector<PreparedSubject> subjects;
  subjects.push_back(numbered_subject(9, 1));
  subjects.push_back(numbered_subject(5, 101));
  subjects[0].judged[4] = 0;
  subjects[1].labels = {0, 0, 0, 1, 0};
  const PreparedSubject* both[] = {&subjects[0], &subjects[1]};
  const TrainingSamples samples = training_patches(both, {4, 16, 16}, 3);
  // (9 - 1) and 4 healthy slices.
  REQUIRE(samples.images->size() == 8 * 64 / 4 + 4 * 64 / 4);
  CHECK(samples.images->image_shape() == Shape{4, 16, 16, 1});
  CHECK(samples.brains->image_shape() == Shape{4, 16, 16, 1});
  CHECK(std::ranges::count(samples.subjects, std::size_t{0}) == 128);
  CHECK(std::ranges::is_sorted(samples.subjects));
  Tensor image(Shape{1, 4, 16, 16, 1}, DType::f32), brain(image.shape(), DType::u8);
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < samples.images->size(); ++i) {
    samples.images->read(i, image);
    samples.brains->read(i, brain);
    const std::span<const float> pixels = std::as_const(image).values<float>();
    const std::span<const std::uint8_t> inside = std::as_const(brain).values<std::uint8_t>();
    std::set<std::int64_t> slices;
    for (std::size_t p = 0; p < pixels.size(); ++p) {
      REQUIRE((inside[p] == 1) == (pixels[p] > 0));
      if (inside[p]) slices.insert(static_cast<std::int64_t>(pixels[p]));
    }
    REQUIRE_FALSE(slices.empty());
    seen.insert(slices.begin(), slices.end());
    // Whole runs of slices are brain at the same places: 0-3, 5-8; 0-2 with a slice of zeros, 4.
    const std::size_t expected =
        samples.subjects[static_cast<std::size_t>(i)] == 0 ? 4 : (*slices.begin() == 105 ? 1 : 3);
    REQUIRE(slices.size() == expected);
    REQUIRE(*slices.rbegin() - *slices.begin() == static_cast<std::int64_t>(expected) - 1);
  }
  CHECK(seen == std::set<std::int64_t>{1, 2, 3, 4, 6, 7, 8, 9, 101, 102, 103, 105});
  // The same once more; others with another seed.
  Tensor again(image.shape(), DType::f32);
  samples.images->read(7, image);
  training_patches(both, {4, 16, 16}, 3).images->read(7, again);
  CHECK(std::ranges::equal(image.values<float>(), again.values<float>()));
  training_patches(both, {4, 16, 16}, 4).images->read(7, again);
  CHECK_FALSE(std::ranges::equal(image.values<float>(), again.values<float>()));
}

TEST_CASE("noise of a volume is of the place along every axis") {
  Tensor image({8, 32, 32, 1}, DType::f32), target = image.clone(), weight = image.clone();
  Tensor brain(image.shape(), DType::u8);
  std::ranges::fill(brain.values<std::uint8_t>(), std::uint8_t{1});
  Random random(5);
  noise_change({.deviation = 0.3, .grid = 8}).apply({image, brain, target, weight}, random);
  const std::span<const float> noise = std::as_const(image).values<float>();
  // Neighbours are alike along each axis, ends are not.
  const auto mean_step = [&](std::size_t stride, std::size_t n) {
    double near = 0, far = 0;
    for (std::size_t p = 0; p + stride < noise.size(); ++p) {
      if (p / stride % n + 1 < n) near += std::abs(noise[p] - noise[p + stride]);
      if (p / stride % n == 0) far += std::abs(noise[p] - noise[p + stride * (n / 2)]);
    }
    return std::pair{near / static_cast<double>(noise.size()),
                     far * static_cast<double>(n) / static_cast<double>(noise.size())};
  };
  for (const auto& [stride, n] :
       {std::pair<std::size_t, std::size_t>{1024, 8}, {32, 32}, {1, 32}}) {
    const auto [near, far] = mean_step(stride, n);
    CHECK(near > 0.01);
    CHECK(far > 1.3 * near);
  }
}

TEST_CASE("patches slide over the judged slices of a subject") {
  PreparedSubject subject = healthy_subject(9, 3);
  subject.judged[0] = subject.judged[4] = subject.judged[8] = 0;
  const auto x = std::as_const(subject.images).values<float>();
  for (const Sizes& patch : {Sizes{4, 64, 64}, Sizes{16, 128, 32}}) {
    Plan plan = identity(patch, 0.75f, 3);
    const Reconstruction made = reconstruct(plan, subject);
    REQUIRE(made.images.shape() == Shape{9, kJudgedSize, kJudgedSize});
    double worst = 0, worst_raw = 0;
    for (std::int64_t s = 0; s < 9; ++s)
      for (std::int64_t p = 0; p < kJudgedSize * kJudgedSize; ++p) {
        const std::size_t i = voxel(s, 0, p);
        const double here = subject.judged[static_cast<std::size_t>(s)] ? x[i] : 0.0;
        worst = std::max(worst, std::abs(made.images.values<float>()[i] - 0.75 * here));
        worst_raw = std::max(worst_raw, std::abs(made.raw.values<float>()[i] - 0.25 * here));
      }
    CHECK(worst < 1e-6);
    CHECK(worst_raw < 1e-6);
    Plan alone = identity(patch, 0.75f, 1);
    CHECK(std::ranges::equal(reconstruct(alone, subject).raw.values<float>(),
                             made.raw.values<float>()));
  }
  subject.judged.assign(9, 0);
  Plan plan = identity({4, 64, 64}, 0.75f, 3);
  CHECK(std::ranges::max(reconstruct(plan, subject).raw.values<float>()) == 0);
}

TEST_CASE("every method learns from patches and comes back from its file") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(4, 6);
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("ratnet-patches-" + std::to_string(getpid()) + ".safetensors"))
                               .string();
  for (const AnomalyMethod method :
       {AnomalyMethod::denoising, AnomalyMethod::ae, AnomalyMethod::vae}) {
    INFO(std::string(name_of(method)));
    AnomalyTrainingOptions options;
    options.method = method;
    options.network = {.size = {4, 32, 32}, .widths = {4, 6}, .code = 16};
    options.trainer = anomaly_training_defaults();
    options.trainer.epochs = 2;
    options.trainer.loader.batch = 4;
    options.trainer.threads = 1;
    options.trainer.device = {DeviceKind::cpu, 0};
    options.combined = false;
    const AnomalyTrainingResult trained =
        train_anomaly(subjects, {Split::train, Split::train, Split::validation, Split::validation},
                      "hash", options);
    // Two subjects of 6 slices, 16 patches of 32 x 32 in each, 4 slices deep.
    CHECK(trained.model.model.provenance.at("training_patches") == "48");
    CHECK(trained.model.model.threshold > 0);
    save_model(trained.model.model, path);
    const AnomalyModel read = anomaly_model(load_model(path));
    CHECK(scoring_batch(read.model.graph) == 8);
    PreparedSubject ill = healthy_subject(7, 50);
    const auto scored = [&](const AnomalyModel& model) {
      Plan plan(model.model.graph,
                std::make_shared<Parameters>(
                    open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}}),
                    model.model.weights),
                {.batch = 3});
      return find_anomalies(plan, model, ill).scores.slice_scores;
    };
    const std::vector<double> well = scored(read);
    REQUIRE(well.size() == 7);
    CHECK(well == scored(trained.model));
    plant(ill, 3, 66, 76, 8, 0.6f);
    CHECK(scored(read)[3] > 1.1 * well[3]);
  }
  std::filesystem::remove(path);
}

TEST_CASE("networks of sizes that the anomaly system does not take are refused") {
  const auto with = [](const char* part, const Sizes& size) {
    return refused(ErrorKind::usage, part,
                   [&] { anomaly_graph(AnomalyMethod::denoising, {.size = size}); });
  };
  CHECK(with("square slices of up to 512 pixels or patches D, H, W, got 1 sizes", {64}) == "");
  CHECK(with("square slices", {64, 32}) == "");
  CHECK(with("square slices", {1024, 1024}) == "");
  CHECK(with("up to 128 voxels along an edge, got 256", {8, 256, 64}) == "");
  CHECK(with("a size of 4 cannot be halved 3 times", {4, 64, 64}) == "");
}
