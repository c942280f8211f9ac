// Model files of the anomaly system: older ones, damaged ones, and what a rule counts in them.
#include "../../apps/anomaly/anomaly_model.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "../../apps/anomaly/cohort_split.h"
#include "../../apps/anomaly/comparison.h"
#include "../../kernels/open.h"
#include "../catch.h"
#include "../network/refused.h"
#include "quick_training.h"
#include "subject_maker.h"

using namespace ratnet;
using ratnet::testing::refused;

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
  const auto structure =
      std::ranges::find(evaluation.methods, kStructureRule, &MethodEvaluation::name);
  REQUIRE(structure != evaluation.methods.end());
  CHECK(structure->threshold == old.scales[RulePlace::structure]);
  store(old);
  const AnomalyModel again = anomaly_model(std::move(old.model));
  REQUIRE(again.structure.size() == 1);
  CHECK(std::ranges::equal(again.structure[0].usual.mean.values<float>(), learnt.values<float>()));
}
