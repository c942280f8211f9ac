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
#include "../network/refused.h"
#include "subject_maker.h"

using namespace ratnet;
using ratnet::testing::refused;

namespace {

AnomalyTrainingOptions quick(AnomalyMethod method) {
  AnomalyTrainingOptions options;
  options.method = method;
  options.trainer = anomaly_training_defaults();
  options.trainer.epochs = 2;
  options.trainer.loader.batch = 4;
  options.trainer.threads = 2;
  options.trainer.device = {DeviceKind::cpu, 0};
  return options;
}

const std::vector<Split> kSplits = {Split::train, Split::train, Split::train, Split::validation,
                                    Split::validation};

}  // namespace

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

TEST_CASE("a model that makes no numbers is refused when it is used") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 2);
  AnomalyTrainingOptions options = quick(AnomalyMethod::ae);
  options.trainer.epochs = 1;
  AnomalyTrainingResult trained = train_anomaly(subjects, kSplits, "hash", options);
  AnomalyModel& model = trained.model;
  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  Plan plan(model.model.graph, std::make_shared<Parameters>(queue, model.model.weights),
            {.batch = 8});
  const auto find = [&] { find_anomalies(plan, model, subjects[0]); };
  CHECK_NOTHROW(find());
  const std::span<float> mean = model.z_score.mean.values<float>();
  std::ranges::fill(mean, -1e38f);  // over a deviation, infinite
  CHECK(refused(ErrorKind::input, "no number of slice 0 of 's0'", find) == "");
  std::ranges::fill(mean, -1e35f);
  CHECK_NOTHROW(find());
  model.scales[1] = 2e-9;  // over it, infinite
  CHECK(refused(ErrorKind::input, "no number of slice 0", find) == "");
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

TEST_CASE("models that are no models of anomalies are refused") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 2);
  AnomalyTrainingOptions options = quick(AnomalyMethod::ae);
  options.trainer.epochs = 1;
  const AnomalyTrainingResult trained = train_anomaly(subjects, kSplits, "hash", options);
  const auto changed = [&](const auto& change) {
    const Model& from = trained.model.model;
    Model model{.system = from.system,
                .graph = from.graph,
                .weights = from.weights.clone(),
                .preprocessing = from.preprocessing,
                .threshold = from.threshold,
                .coefficients = from.coefficients,
                .provenance = from.provenance};
    for (const auto& [name, array] : from.arrays) model.arrays.emplace(name, array.clone());
    change(model);
    return model;
  };
  const auto with = [&](const char* part, const auto& change) {
    return refused(ErrorKind::input, part, [&] { anomaly_model(changed(change)); });
  };
  CHECK_NOTHROW(anomaly_model(changed([](Model&) {})));
  CHECK(with("dark_slices", [](Model& m) { m.system = "dark_slices"; }) == "");
  CHECK(with("method", [](Model& m) { m.provenance["method"] = "magic"; }) == "");
  CHECK(with("'score'", [](Model& m) { m.preprocessing.pop_back(); }) == "");
  CHECK(with("median", [](Model& m) { m.preprocessing.back().values["median"] = 4; }) == "");
  CHECK(with("residual", [](Model& m) { m.preprocessing.back().values["residual"] = 17; }) == "");
  CHECK(with("brain_mask", [](Model& m) { m.preprocessing.erase(m.preprocessing.begin()); }) !=
        "was accepted");
  CHECK(with("z_score/mean", [](Model& m) { m.arrays.clear(); }) == "");
  CHECK(with("no number", [](Model& m) {
          m.arrays.at("z_score/mean").values<float>()[5] = std::nanf("");
        }) == "");
  CHECK(with("a deviation of",
             [](Model& m) { m.arrays.at("z_score/deviation").values<float>()[5] = 1e-40f; }) == "");
  CHECK(with("a deviation of",
             [](Model& m) { m.arrays.at("z_score/deviation").values<float>()[5] = -1; }) == "");
  CHECK(with("no threshold", [](Model& m) { m.threshold = 0; }) == "");
  CHECK(with("expected the same size", [](Model& m) {
          GraphBuilder builder;
          const auto image = builder.input("image", {64, 64, 1});
          m.graph = builder.build(
              {builder.add("half", layers::Conv{.out = 1, .kernel = {2}, .stride = {2}}, {image})});
        }) == "");
  CHECK(with("scales", [](Model& m) { m.coefficients["combination_scales"][1] = 0; }) == "");
  CHECK(with("3 coefficients 'combination_scales'",
             [](Model& m) { m.coefficients.erase("combination_weights"); }) == "");
  for (const double weight : {0., -1., 1e30, std::nan("")})
    CHECK(with("weights", [&](Model& m) { m.coefficients["combination_weights"][3] = weight; }) ==
          "");
  CHECK(with("4 coefficients 'combination_weights'",
             [](Model& m) { m.coefficients["combination_weights"].push_back(1); }) == "");
  CHECK(with("structure_coarse/mean", [](Model& m) { m.arrays.erase("structure_coarse/mean"); }) ==
        "");
  CHECK(with("structure_fine/deviation", [](Model& m) {
          m.arrays.at("structure_fine/deviation").values<float>()[5] = 1e-40f;
        }) == "");
  CHECK(with("conformal", [](Model& m) { m.coefficients.erase("conformal_sizes"); }) == "");
  CHECK(with("'learnt_slices'", [](Model& m) { m.coefficients["learnt_slices"] = {2, 1}; }) == "");
}

TEST_CASE("a model of before the structure loss combines its three rules as it did") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 2);
  AnomalyTrainingOptions options = quick(AnomalyMethod::ae);
  options.trainer.epochs = 1;
  AnomalyTrainingResult trained = train_anomaly(subjects, kSplits, "hash", options);
  const std::vector<double> scales = trained.model.scales;
  Model& file = trained.model.model;
  file.coefficients.erase("combination_weights");
  file.coefficients["combination_scales"].pop_back();
  std::erase_if(file.arrays,
                [](const auto& array) { return array.first.starts_with("structure"); });
  const AnomalyModel old = anomaly_model(std::move(file));
  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  Plan plan(old.model.graph, std::make_shared<Parameters>(queue, old.model.weights), {.batch = 8});
  const SubjectAnomalies found = find_anomalies(plan, old, subjects[4]);
  REQUIRE(found.rules.size() == 3);
  for (const std::size_t p : {voxel(0, 60, 60), voxel(1, 40, 80)}) {
    double sum = 0;
    for (std::size_t r = 0; r < 3; ++r)
      sum += static_cast<double>(found.rules[r].maps.values<float>()[p]) / scales[r] / 3;
    CHECK(static_cast<double>(found.scores.maps.values<float>()[p]) == Approx(sum).margin(1e-6));
  }
  // Beside it the rule stands as any other.
  const std::optional<LearntBaselines> learnt =
      calibrated_baselines(of_split(subjects, kSplits, Split::train),
                           of_split(subjects, kSplits, Split::validation), old.score);
  ThreadPool pool(1);
  const AnomalyEvaluation evaluation = compare(plan, old, subjects, learnt, pool);
  std::vector<std::string> names;
  for (const MethodEvaluation& method : evaluation.methods) names.push_back(method.name);
  CHECK(std::ranges::count(names, std::string(kStructureRule)) == 1);
}

TEST_CASE("lost structure counts by what is asked for") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 2);
  AnomalyTrainingOptions options = quick(AnomalyMethod::ae);
  options.trainer.epochs = 1;
  AnomalyModel model = train_anomaly(subjects, kSplits, "hash", options).model;
  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  Plan plan(model.model.graph, std::make_shared<Parameters>(queue, model.model.weights),
            {.batch = 8});
  const std::vector<std::pair<Residual, double>> weights = {{Residual::positive, 0.5},
                                                            {Residual::negative, 0.5},
                                                            {Residual::absolute, 1},
                                                            {Residual::ssim, 3}};
  for (const auto& [residual, weight] : weights) {
    model.score.residual = residual;
    calibrate(model, plan, of_split(subjects, kSplits, Split::train),
              of_split(subjects, kSplits, Split::validation));
    CHECK(model.weights == std::vector<double>{1, 1, 1, weight});
  }
}

TEST_CASE("a model of one band of structure compares that one, and stays so when stored") {
  const std::vector<PreparedSubject> subjects = healthy_cohort(5, 2);
  AnomalyTrainingOptions options = quick(AnomalyMethod::ae);
  options.trainer.epochs = 1;
  Model file = train_anomaly(subjects, kSplits, "hash", options).model.model;
  for (const std::string what : {"/mean", "/deviation"}) {
    file.arrays.insert_or_assign("structure" + what,
                                 file.arrays.at("structure_fine" + what).clone());
    file.arrays.erase("structure_fine" + what);
    file.arrays.erase("structure_coarse" + what);
  }
  AnomalyModel old = anomaly_model(std::move(file));
  REQUIRE(old.structure.size() == 1);
  const Tensor learnt = old.structure[0].usual.mean.clone();
  CHECK(old.structure[0].band.coarse == 4);
  const Tensor expected = position_z_score_maps(old.structure[0].usual, subjects[4],
                                                Residual::negative, [](const PreparedSubject& s) {
                                                  return local_structure(s, {1, 4, 4});
                                                });
  const Tensor maps = structure_loss_maps(old.structure, subjects[4]);
  CHECK(std::ranges::max(maps.values<float>()) > 0);
  CHECK(std::ranges::equal(maps.values<float>(), expected.values<float>()));
  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  Plan plan(old.model.graph, std::make_shared<Parameters>(queue, old.model.weights), {.batch = 8});
  ThreadPool pool(1);
  const AnomalyEvaluation evaluation =
      compare(plan, old, subjects,
              calibrated_baselines(of_split(subjects, kSplits, Split::train),
                                   of_split(subjects, kSplits, Split::validation), old.score),
              pool);
  for (const MethodEvaluation& method : evaluation.methods)
    if (method.name == kStructureRule) CHECK(method.threshold == old.scales[RulePlace::structure]);
  store(old);
  const AnomalyModel again = anomaly_model(std::move(old.model));
  REQUIRE(again.structure.size() == 1);
  CHECK(std::ranges::equal(again.structure[0].usual.mean.values<float>(), learnt.values<float>()));
}

TEST_CASE("cohorts are split by subject, the same way every time") {
  Tensor images({60, 4, 4}, DType::u8);
  for (std::size_t i = 0; i < images.values<std::uint8_t>().size(); ++i)
    images.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  SampleTable table;
  for (std::int32_t i = 0; i < 60; ++i) {
    table.subjects.push_back("s" + std::to_string(i / 3));
    table.slices.push_back(i % 3);
  }
  const auto split = [&](const SampleTable& of) {
    return split_cohort(SubjectCohort(std::make_unique<TensorDataset>(images.clone(), of)));
  };
  const std::vector<Split> drawn = split(table);
  CHECK(drawn == split(table));
  CHECK(std::ranges::count(drawn, Split::test) == 5);
  CHECK(std::ranges::count(drawn, Split::validation) == 3);
  SampleTable stated = table;
  for (std::int32_t i = 0; i < 60; ++i)
    stated.splits.push_back(i < 30 ? Split::train : i < 45 ? Split::validation : Split::test);
  CHECK(std::ranges::count(split(stated), Split::test) == 5);
  CHECK(split(stated)[0] == Split::train);
  // Three sessions of one slice each part nobody, and are drawn as if they were one scan.
  SampleTable sessions = table;
  for (std::int32_t i = 0; i < 60; ++i) sessions.sessions.push_back(std::to_string(i % 3));
  const std::vector<Split> scans = split(sessions);
  REQUIRE(scans.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) CHECK(scans[i] == drawn[i / 3]);
  const auto hash = [&](const SampleTable& of) {
    return hash_of(SubjectCohort(std::make_unique<TensorDataset>(images.clone(), of)));
  };
  CHECK(hash(sessions) != hash(table));
  stated.splits[1] = Split::test;  // of the first subject
  CHECK(refused(ErrorKind::input, "same subject", [&] { split(stated); }) == "");
}
