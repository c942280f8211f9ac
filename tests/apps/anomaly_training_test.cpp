// What the anomaly system's networks learn from, and the models that come of it.
#include "../../apps/anomaly/training.h"

#include <filesystem>

#include "../../apps/anomaly/asymmetry.h"
#include "../../apps/anomaly/cohort_split.h"
#include "../../apps/anomaly/comparison.h"
#include "../../apps/anomaly/label_free_threshold.h"
#include "../../apps/anomaly/subject_slices.h"
#include "../../kernels/open.h"
#include "../catch.h"
#include "quick_training.h"
#include "subject_maker.h"

using namespace ratnet;

TEST_CASE("networks learn from healthy judged slices alone") {
  std::vector<PreparedSubject> subjects = healthy_cohort(2, 4);
  subjects[0].judged[1] = 0;
  subjects[1].labels = {0, 1, 255, 0};
  const TrainingSamples slices = training_slices(pointers(subjects), 32);
  CHECK(slices.images->size() == 5);
  CHECK(slices.images->image_shape() == Shape{32, 32, 1});
  CHECK(slices.images->table().slices == std::vector<std::int32_t>{0, 2, 3, 0, 3});
  CHECK(slices.images->table().subjects[3] == "s1");
  Tensor images(Shape{32, 32, 1}.batch_of(5), DType::f32), brains(images.shape(), DType::u8);
  slices.images->read(0, images);
  slices.brains->read(0, brains);
  double inside = 0, outside = 0;
  for (std::size_t p = 0; p < images.values<float>().size(); ++p)
    (brains.values<std::uint8_t>()[p] ? inside : outside) +=
        static_cast<double>(images.values<float>()[p]);
  CHECK(inside > 50 * outside);
}

TEST_CASE("noise stays in the brain, has its deviation, and leaves the target clean") {
  constexpr std::int64_t n = 64;
  Tensor image({n, n, 1}, DType::f32), target = image.clone(), weight = image.clone();
  Tensor brain({n, n, 1}, DType::u8);
  for (std::int64_t p = 0; p < n * n; ++p)
    if (p % n >= 16 && p % n < 48) {
      brain.values<std::uint8_t>()[static_cast<std::size_t>(p)] = 1;
      image.values<float>()[static_cast<std::size_t>(p)] = 0.5f;
    }
  const Tensor clean = image.clone();
  const SampleChange change = noise_change({.deviation = 0.3, .grid = 8});
  double square = 0, count = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Tensor noisy = clean.clone();
    Random random(seed);
    change.apply({noisy, brain, target, weight}, random);
    REQUIRE(std::ranges::equal(target.values<float>(), clean.values<float>()));
    for (std::size_t p = 0; p < n * n; ++p) {
      const float difference = noisy.values<float>()[p] - clean.values<float>()[p];
      REQUIRE(weight.values<float>()[p] == static_cast<float>(brain.values<std::uint8_t>()[p]));
      if (!brain.values<std::uint8_t>()[p]) {
        REQUIRE(difference == 0);
        continue;
      }
      square += static_cast<double>(difference) * static_cast<double>(difference);
      ++count;
    }
  }
  // Interpolation between numbers of deviation 0.3 leaves two thirds of each axis' variance.
  CHECK(std::sqrt(square / count) > 0.3 * 0.6);
  CHECK(std::sqrt(square / count) < 0.3 * 0.76);
}

TEST_CASE("augmentation moves image and brain together and shifts brightness within it") {
  const PreparedSubject subject = healthy_subject(1, 3);
  const PreparedSubject* one[] = {&subject};
  const TrainingSamples slices = training_slices(one, 64);
  Tensor image({64, 64, 1}, DType::f32), brain({64, 64, 1}, DType::u8);
  slices.images->read(0, image.view().reshaped({1, 64, 64, 1}));
  slices.brains->read(0, brain.view().reshaped({1, 64, 64, 1}));
  const SampleChange change = healthy_change({}, {.deviation = 0});
  bool moved = false;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Tensor a = image.clone(), b = brain.clone(), target = image.clone(), weight = image.clone();
    Random random(seed);
    change.apply({a, b, target, weight}, random);
    moved = moved || !std::ranges::equal(b.values<std::uint8_t>(), brain.values<std::uint8_t>());
    for (std::size_t p = 0; p < 64 * 64; ++p) {
      const bool inside = b.values<std::uint8_t>()[p] != 0;
      REQUIRE((inside || a.values<float>()[p] == 0));
      REQUIRE(target.values<float>()[p] == a.values<float>()[p]);
    }
    CHECK(std::abs(static_cast<double>(std::ranges::count(b.values<std::uint8_t>(), 1)) /
                       static_cast<double>(std::ranges::count(brain.values<std::uint8_t>(), 1)) -
                   1) < 0.2);
  }
  CHECK(moved);
}

TEST_CASE("every method makes a calibrated model that comes back from its file") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 4);
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("ratnet-anomaly-" + std::to_string(getpid()) + ".safetensors"))
                               .string();
  for (const AnomalyMethod method :
       {AnomalyMethod::denoising, AnomalyMethod::ae, AnomalyMethod::vae}) {
    INFO(std::string(name_of(method)));
    CHECK(parse_anomaly_method(name_of(method)) == method);
    const AnomalyTrainingResult trained = train_anomaly(subjects, kSplits, "hash", quick(method));
    REQUIRE_FALSE(trained.interrupted);
    CHECK(trained.model.model.threshold > 0);
    CHECK(trained.model.reference->subjects() == 2);
    save_model(trained.model.model, path);
    const AnomalyModel read = anomaly_model(load_model(path));
    CHECK(read.method == method);
    CHECK(read.score.median == trained.model.score.median);
    CHECK(read.reference->smallest_rate() == Approx(1.0 / 3));
    // The same scores, higher where there is a lesion.
    PreparedSubject ill = healthy_subject(4, 50);
    const auto scored = [&](const AnomalyModel& model) {
      const QueueHandle queue =
          open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
      Plan plan(model.model.graph, std::make_shared<Parameters>(queue, model.model.weights),
                {.batch = 3});
      return find_anomalies(plan, model, ill).scores.slice_scores;
    };
    const std::vector<double> well = scored(read);
    CHECK(well == scored(trained.model));
    for (std::int64_t y = 60; y < 75; ++y)
      for (std::int64_t x = 70; x < 85; ++x) ill.images.values<float>()[voxel(2, y, x)] += 0.6f;
    CHECK(scored(read)[2] > 1.1 * well[2]);
  }
  std::filesystem::remove(path);
}

TEST_CASE("calibration counts people, each by all of his scans") {
  std::vector<PreparedSubject> scans = healthy_cohort(7, 4);
  // The calibrating ones: two scans of one, three of another; all of the first are healthy.
  const std::vector<Split> splits = {Split::train,      Split::train,      Split::validation,
                                     Split::validation, Split::validation, Split::validation,
                                     Split::validation};
  for (std::size_t i = 2; i < 7; ++i) scans[i].subject = i < 4 ? "a" : "b";
  AnomalyTrainingOptions options = quick(AnomalyMethod::denoising);
  options.trainer.epochs = 1;
  const AnomalyModel model = std::move(train_anomaly(scans, splits, "hash", options).model);
  REQUIRE(model.reference->subjects() == 2);
  CHECK(model.reference->coefficients().at("conformal_sizes") == std::vector<double>{8, 12});
  CHECK(model.model.warnings.empty());
  CHECK(model.model.provenance.at("training_subjects") == "2");
  CHECK(model.model.provenance.at("training_scans") == "2");
  // The worst of each is that of his worst scan.
  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  Plan plan(model.model.graph, std::make_shared<Parameters>(queue, model.model.weights),
            {.batch = 8});
  std::vector<double> worst = {0, 0};
  for (std::size_t i = 2; i < 7; ++i)
    for (const double score : find_anomalies(plan, model, scans[i]).scores.slice_scores)
      worst[i < 4 ? 0 : 1] = std::max(worst[i < 4 ? 0 : 1], score);
  std::ranges::sort(worst);
  CHECK(std::ranges::equal(model.reference->worst(), worst));
  // One scan of which only a part is known to be healthy makes its person one of those.
  scans[3].labels = {0, 0, 0, 1};
  const AnomalyModel partial = std::move(train_anomaly(scans, splits, "hash", options).model);
  REQUIRE(partial.model.warnings.size() == 1);
  CHECK(partial.model.warnings[0].find("of 1 of its 2 healthy subjects") != std::string::npos);
}

TEST_CASE("a model knows the slices that it was made of") {
  std::vector<PreparedSubject> subjects = healthy_cohort(6, 3);
  // Each slice its own number, that of the fifth subject's first not healthy.
  std::uint64_t number = 0;
  for (PreparedSubject& subject : subjects)
    for (int s = 0; s < 3; ++s) subject.hashes.push_back({++number << 40, 1});
  subjects[4].labels = {1, 0, 0};
  // Empty slices are alike in all scans.
  subjects[0].hashes[1] = subjects[5].hashes[1] = {};
  const std::vector<Split> splits = {Split::train,      Split::train,      Split::train,
                                     Split::validation, Split::validation, Split::test};
  AnomalyTrainingOptions options = quick(AnomalyMethod::denoising);
  options.trainer.epochs = 1;
  AnomalyModel made = std::move(train_anomaly(subjects, splits, "hash", options).model);
  const AnomalyModel read = anomaly_model(std::move(made.model));
  const auto learnt = [&](std::size_t subject) {
    return count_learnt_slices(read, subjects[subject]).value();
  };
  CHECK(read.learnt_slices->size() == 13);
  CHECK(learnt(0) == 2);
  CHECK(learnt(3) == 3);
  CHECK(learnt(4) == 2);
  CHECK(learnt(5) == 0);
  subjects[5].hashes[2] = subjects[1].hashes[0];
  CHECK(learnt(5) == 1);
  subjects[5].hashes.clear();
  CHECK_FALSE(count_learnt_slices(read, subjects[5]).has_value());
  // Where the slices are not all known, nothing is promised of them.
  subjects[3].hashes.clear();
  made = std::move(train_anomaly(subjects, splits, "hash", options).model);
  CHECK_FALSE(made.learnt_slices.has_value());
}

TEST_CASE("a rule beside the model is the same as in it") {
  std::vector<PreparedSubject> subjects = healthy_cohort(6, 6);
  for (PreparedSubject& subject : subjects) {
    // Brain beyond the judged zone, with a midline of its own and much that departs there.
    subject.judged[0] = subject.judged[5] = 0;
    for (std::int64_t y = 30; y < 90; ++y)
      for (std::int64_t x = 30; x < 50; ++x) subject.images.values<float>()[voxel(5, y, x)] += 0.5f;
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = 70; x < kJudgedSize; ++x)
        subject.brain.values<std::uint8_t>()[voxel(0, y, x)] = 0;
  }
  AnomalyTrainingOptions options = quick(AnomalyMethod::denoising);
  options.trainer.epochs = 1;
  std::vector<Split> splits = kSplits;
  splits.push_back(Split::test);
  const AnomalyTrainingResult trained = train_anomaly(subjects, splits, "hash", options);
  const AnomalyModel& model = trained.model;
  const LearntBaselines learnt =
      calibrated_baselines(of_split(subjects, splits, Split::train),
                           of_split(subjects, splits, Split::validation), model.score);
  CHECK(learnt.thresholds.at("z_score") == model.scales[1]);
  CHECK(learnt.thresholds.at("asymmetry") == model.scales[2]);
  CHECK(learnt.thresholds.at("structure_loss") == model.scales[3]);

  std::vector<SubjectScores> asymmetry;
  for (const PreparedSubject* subject : of_split(subjects, splits, Split::validation)) {
    const PreparedSubject all = with_all_brain(*subject);
    asymmetry.push_back(score_subject(all, asymmetry_maps(all), model.score));
  }
  const std::vector<ConstView> maps = {asymmetry[0].maps, asymmetry[1].maps};
  CHECK(label_free_threshold(of_split(subjects, splits, Split::validation), maps) ==
        model.scales[2]);

  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  Plan plan(model.model.graph, std::make_shared<Parameters>(queue, model.model.weights),
            {.batch = 8});
  const SubjectAnomalies found = find_anomalies(plan, model, subjects[5]);
  REQUIRE(found.rules.size() == 4);
  const PreparedSubject all = with_all_brain(subjects[5]);
  for (const BaselineRule& rule : baseline_rules(&learnt.baselines)) {
    const SubjectScores scores = score_subject(all, rule.raw_maps(all), model.score);
    if (rule.name == kZScoreRule) CHECK(scores.slice_scores == found.rules[1].slice_scores);
    if (rule.name == kAsymmetryRule) CHECK(scores.slice_scores == found.rules[2].slice_scores);
    if (rule.name == kStructureRule) CHECK(scores.slice_scores == found.rules[3].slice_scores);
  }
  // What lies beyond the judged zone tells.
  const SubjectScores bare = score_subject(subjects[5], asymmetry_maps(subjects[5]), model.score);
  CHECK(bare.slice_scores[4] != found.rules[2].slice_scores[4]);
  for (const std::size_t p : {voxel(2, 60, 60), voxel(1, 40, 80), voxel(4, 60, 40)}) {
    double sum = 0, weights = 0;
    for (std::size_t r = 0; r < 4; ++r) {
      weights += model.weights[r];
      sum += model.weights[r] * static_cast<double>(found.rules[r].maps.values<float>()[p]) /
             model.scales[r];
    }
    CHECK(static_cast<double>(found.scores.maps.values<float>()[p]) ==
          Approx(sum / weights).margin(1e-6));
  }
  // Alone, the network's threshold is the model's.
  options.combined = false;
  const AnomalyTrainingResult alone = train_anomaly(subjects, splits, "hash", options);
  CHECK(alone.model.model.threshold == alone.model.scales[0]);
  CHECK(alone.model.scales == std::vector<double>{model.scales[0]});
}

TEST_CASE("a training of healthy slices repeats to the bit on any number of threads") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 3);
  AnomalyTrainingOptions options = quick(AnomalyMethod::denoising);
  options.trainer.epochs = 1;
  const AnomalyTrainingResult one = train_anomaly(subjects, kSplits, "hash", options);
  options.trainer.threads = 1;
  options.trainer.loader.threads = 3;
  const AnomalyTrainingResult other = train_anomaly(subjects, kSplits, "hash", options);
  CHECK(one.model.model.threshold == other.model.model.threshold);
  for (std::size_t i = 0; i < one.model.model.weights.entries().size(); ++i)
    REQUIRE(std::ranges::equal(one.model.model.weights.entries()[i].value.values<float>(),
                               other.model.model.weights.entries()[i].value.values<float>()));
}
