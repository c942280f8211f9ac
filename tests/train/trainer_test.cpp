// What a training gives, and what it refuses.
#include "../network/temporary_folder.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("training an easy problem lowers the loss and finds the classes", "[device]") {
  std::vector<double> finished;
  std::int64_t calls = 0;
  TrainerOptions o = options(12);
  o.schedule.rate = 0.03;
  o.class_weights.clear();
  const TrainingResult result = train(o, [&](const TrainingProgress& progress) {
    ++calls;
    CHECK(progress.step == calls);
    CHECK(progress.steps == progress.epochs * 10);
    if (progress.finished) finished.push_back(progress.finished->training_loss);
    return true;
  });
  REQUIRE(result.history.size() == 12);
  CHECK(!result.interrupted);
  CHECK(result.steps == 120);
  CHECK(calls == 120);
  CHECK(finished.size() == 12);
  CHECK(finished.back() == result.history.back().training_loss);
  CHECK(result.history.back().training_loss < result.history.front().training_loss / 2);
  CHECK(result.history.back().validation_loss < result.history.front().validation_loss);
  CHECK(result.history.back().validation_auroc > 0.98);
  CHECK(result.history.back().validation_accuracy > 0.9);
}

TEST_CASE("without validation samples the figures of validation are no numbers", "[device]") {
  TensorDataset dataset = spots();
  const TrainingResult result =
      train_classifier(small_graph(), dataset, kSamples.train, {}, options(1));
  CHECK(std::isnan(result.history[0].validation_loss));
  CHECK(std::isnan(result.history[0].validation_auroc));
  CHECK(std::isnan(result.history[0].validation_accuracy));
}

TEST_CASE("a training gives the same bits on any number of threads, and others from other seeds",
          "[device]") {
  for (const int threads : {1, 3}) {
    TrainerOptions o = options();
    o.threads = threads;
    o.loader.threads = threads;
    o.loader.ahead = threads;
    check_same(train(o), undisturbed());
  }
  TrainerOptions other = options();
  other.loader.seed = 6;
  CHECK(!same_bits(train(other).weights.find("conv/weight").value,
                   undisturbed().weights.find("conv/weight").value));
}

TEST_CASE("early stopping ends the training and gives the best epoch's weights", "[device]") {
  const TemporaryFolder folder;
  TrainerOptions o = options(30);
  o.schedule = {.kind = ScheduleKind::constant, .rate = 0.2};  // too high: it gets worse again
  o.patience = 2;
  o.checkpoint_path = folder / "checkpoint";
  const TrainingResult result = train(o);
  REQUIRE(result.history.size() < 30);
  CHECK(!result.interrupted);
  std::size_t best = 0;
  for (std::size_t i = 1; i < result.history.size(); ++i)
    if (result.history[i].validation_loss < result.history[best].validation_loss) best = i;
  CHECK(best + 2 == result.history.size() - 1);

  // The same training, ended with that epoch, has those weights.
  TrainerOptions shorter = o;
  shorter.checkpoint_path.clear();
  shorter.patience = 0;
  shorter.epochs = static_cast<std::int64_t>(best) + 1;
  const TrainingResult expected = train(shorter);
  for (const auto& entry : expected.weights.entries())
    CHECK(same_bits(entry.value, result.weights.find(entry.name).value));
  CHECK(!same_bits(load_checkpoint(o.checkpoint_path).weights.find("conv/weight").value,
                   result.weights.find("conv/weight").value));

  // Resumed after its end it stays ended; interrupted on the way it ends alike.
  o.resume = true;
  check_same(train(o), result);
  std::filesystem::remove(o.checkpoint_path);
  train(o, until(static_cast<std::int64_t>(best) * 10 + 15));
  check_same(train(o), result);
}

TEST_CASE("early stopping may watch the AUROC", "[device]") {
  TrainerOptions o = options(6);
  o.monitor = Monitor::auroc;
  o.patience = 3;
  const TrainingResult result = train(o);
  CHECK(result.history.size() >= 4);
  TensorDataset dataset = spots();
  o.class_weights = {1, 1, 1};
  CHECK(refused(ErrorKind::usage, "2 classes", [&] {
          train_classifier(small_graph(3), dataset, kSamples.train, kSamples.validation, o);
        }) == "");
}

TEST_CASE("labels and images that do not fit the network are refused", "[device]") {
  const auto with = [](TensorDataset dataset, const Graph& graph, const Samples& samples) {
    return [dataset = std::make_shared<TensorDataset>(std::move(dataset)), graph, samples] {
      TrainerOptions o = options(1);
      o.class_weights.clear();
      train_classifier(graph, *dataset, samples.train, samples.validation, o);
    };
  };
  CHECK(refused(ErrorKind::input, "label 2", with(spots(2), small_graph(), kSamples)) == "");
  CHECK(refused(ErrorKind::input, "label", with(spots(kUnlabelled), small_graph(), kSamples)) ==
        "");
  CHECK(refused(ErrorKind::input, "gets [1], but reads logits of K >= 2",
                with(spots(), small_graph(1), kSamples)) == "");
  Samples swapped = kSamples;  // an unfit label among the validation samples
  swapped.train.erase(swapped.train.begin());
  swapped.validation.push_back(0);
  CHECK(refused(ErrorKind::input, "label 2", with(spots(2), small_graph(), swapped)) == "");
  Samples outside = kSamples;
  outside.validation.push_back(kImages);
  CHECK(refused(ErrorKind::usage, "200", with(spots(), small_graph(), outside)) == "");
  TensorDataset unlabelled(Tensor({kImages, 16, 16}, DType::u8), {});
  TrainerOptions o = options(1);
  o.loader.balance = false;
  CHECK(refused(ErrorKind::input, "no 'labels'",
                [&] { train_classifier(small_graph(), unlabelled, kSamples.train, {}, o); }) == "");
  TensorDataset narrow(Tensor({kImages, 16, 15}, DType::u8), spots().table());
  CHECK(refused(ErrorKind::input, "[16, 15, 1]", [&] {
          train_classifier(small_graph(), narrow, kSamples.train, {}, options(1));
        }) == "");
}

TEST_CASE("options of a training that make no sense are refused", "[device]") {
  std::vector<TrainerOptions> bad(12, options());
  bad[0].epochs = 0;
  bad[1].checkpoint_every = 0;
  bad[2].class_weights = {1};
  bad[3].loader.batch = 0;
  bad[4].schedule.rate = -1;
  bad[5].optimiser.beta1 = 2;
  bad[6].loader.augmentation.shift = -1;
  bad[7].loader.weights.assign(kImages, 1.0f);
  bad[8].epochs = -3;
  bad[9].accumulate = 0;
  bad[10].averaging.decay = 1;
  bad[11].optimiser.groups = {{"dense/*"}};  // there is none
  for (std::size_t i = 0; i < bad.size(); ++i) {
    INFO(i);
    CHECK(refused_training(ErrorKind::usage, "", bad[i]) == "");
  }
  TrainerOptions o = options();
  o.device = {DeviceKind::cuda, 0};
  CHECK(refused_training(ErrorKind::device, "cuda", o) == "");
  o = options();
  o.patience = 1;
  TensorDataset dataset = spots();
  CHECK(refused(ErrorKind::usage, "validation",
                [&] { train_classifier(small_graph(), dataset, kSamples.train, {}, o); }) == "");
  o.patience = 0;
  o.schedule.kind = ScheduleKind::plateau;
  CHECK(refused(ErrorKind::usage, "validation",
                [&] { train_classifier(small_graph(), dataset, kSamples.train, {}, o); }) == "");
}

TEST_CASE("a loss that is no number ends the training with its reason", "[device]") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.optimiser = {.kind = OptimiserKind::sgd};
  o.schedule = {.kind = ScheduleKind::constant, .rate = 1e30};
  o.checkpoint_path = folder / "checkpoint";
  CHECK(refused_training(ErrorKind::input, "no longer a number", o) == "");
}

TEST_CASE("a folder that is not there is told before the first step is lost", "[device]") {
  TrainerOptions o = options();
  o.log_path = "/nonexistent/folder/log";
  CHECK(refused_training(ErrorKind::file_system, "/nonexistent/folder/log", o) == "");
  o.log_path.clear();
  o.checkpoint_path = "/nonexistent/folder/checkpoint";
  std::int64_t steps = 0;
  CHECK(refused(ErrorKind::file_system, "/nonexistent/folder/checkpoint", [&] {
          train(o, [&](const TrainingProgress& progress) {
            steps = progress.step;
            return true;
          });
        }) == "");
  CHECK(steps == 0);
}
