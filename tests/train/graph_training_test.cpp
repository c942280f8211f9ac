// A training from a dataset's splits to a model with its figures.
#include "../../train/graph_training.h"

#include "../network/temporary_folder.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Every fourth image of `spots`, two images a subject.
TensorDataset pairs(bool named) {
  SampleTable table;
  Tensor all({kImages, 16, 16, 1}, DType::u8), some({kImages / 4, 16, 16}, DType::u8);
  spots().read(0, all.view());
  for (std::int64_t i = 0; i < kImages / 4; ++i) {
    std::copy_n(all.values<std::uint8_t>().data() + 4 * i * 256, 256,
                some.values<std::uint8_t>().data() + i * 256);
    if (named) table.subjects.push_back("rat" + std::to_string(i / 2));
  }
  return TensorDataset(std::move(some), std::move(table));
}

Graph one_factor() {
  GraphBuilder b;
  const int image = b.input("image", {16, 16, 1});
  return b.build({b.add("again", layers::Conv{.out = 1, .kernel = {1, 1}}, {image})});
}
const Objective kAgain = {{.kind = LossKind::mse, .target = LossTarget::image}};

SampleChange brighter(const std::string& name, float by) {
  return {.name = name, .apply = [by](const Sample& sample, Random&) {
            for (std::int64_t p = 0; p < sample.image.count(); ++p)
              sample.image.as<float>()[p] += by;
          }};
}

// The loss on the test samples of a network that learns next to nothing.
double test_loss(const SampleChange& change, const SampleChange& judged) {
  TensorDataset dataset = pairs(true);
  GraphTrainingOptions o;
  o.trainer.epochs = 1;
  o.trainer.schedule = {.kind = ScheduleKind::constant, .rate = 1e-9};
  o.trainer.loader = {.batch = 16, .seed = 5, .change = change};
  o.trainer.judged_change = judged;
  o.trainer.threads = 1;
  return train_graph(one_factor(), kAgain, dataset, o).test->loss;
}

}  // namespace

TEST_CASE("test samples are judged with the change of held-out samples, not of training") {
  const SampleChange none, much = brighter("much", 3);
  const double plain = test_loss(none, none);
  CHECK(test_loss(much, none) == Approx(plain).epsilon(1e-5));
  CHECK(test_loss(none, much) > 2 * plain);
}

TEST_CASE("a training says who it split, and that its figures are flattered") {
  for (const bool named : {true, false}) {
    TensorDataset dataset = pairs(named);
    GraphTrainingOptions o{.trainer = {}, .scale = {}, .allow_leakage = true};
    o.trainer.epochs = 1;
    o.trainer.threads = 1;
    std::string said;
    const auto result = train_graph(
        one_factor(), kAgain, dataset, o,
        {.progress = {}, .say = [&](const std::string& sentence) { said += sentence + "\n"; }});
    INFO(said);
    CHECK((said.find("70% of the subjects train") != std::string::npos) == named);
    CHECK((said.find("70% of the images train") != std::string::npos) == !named);
    CHECK(result.model.warnings.empty() == named);
  }
}

TEST_CASE("a training that is interrupted among its test samples resumes to the same model") {
  const TemporaryFolder folder;
  TensorDataset dataset = pairs(true);
  GraphTrainingOptions o;
  o.trainer.epochs = 2;
  o.trainer.loader.batch = 2;
  o.trainer.threads = 1;
  const GraphTrainingResult whole = train_graph(one_factor(), kAgain, dataset, o);
  REQUIRE(whole.test);
  o.trainer.checkpoint_path = folder / "checkpoint";
  o.trainer.resume = true;
  std::vector<std::int64_t> told;
  const GraphTrainingResult first = train_graph(one_factor(), kAgain, dataset, o,
                                                {.progress = {},
                                                 .testing =
                                                     [&](std::int64_t done, std::int64_t of) {
                                                       CHECK(of == whole.test->samples);
                                                       told.push_back(done);
                                                       return done < 4;
                                                     },
                                                 .say = {}});
  CHECK(told == std::vector<std::int64_t>{0, 2, 4});
  CHECK(first.interrupted);
  CHECK_FALSE(first.test);
  CHECK(first.model.weights.entries().empty());
  std::int64_t steps = 0;
  const GraphTrainingResult resumed = train_graph(one_factor(), kAgain, dataset, o,
                                                  {.progress =
                                                       [&](const TrainingProgress&) {
                                                         ++steps;
                                                         return true;
                                                       },
                                                   .testing = {},
                                                   .say = {}});
  CHECK(steps == 0);  // trained already
  CHECK_FALSE(resumed.interrupted);
  CHECK(resumed.test->loss == whole.test->loss);
  for (const auto& entry : whole.model.weights.entries())
    CHECK(same_bits(resumed.model.weights.find(entry.name).value, entry.value));
}
