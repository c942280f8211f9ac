#include "../../train/trainer.h"

#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/atomic_file.h"
#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "../network/refused.h"
#include "../network/temporary_folder.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kImages = 200;

// Class 1 has a bright spot somewhere; both have noise.
TensorDataset spots(int label_of_first = 0) {
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
Graph small_graph(std::int64_t classes = 2) {
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
const Samples kSamples;

// 150 training images in batches of 16 make 10 steps an epoch, the last batch smaller.
TrainerOptions options(std::int64_t epochs = 3) {
  TrainerOptions o;
  o.epochs = epochs;
  o.schedule.rate = 0.01;
  o.loader = {.batch = 16,
              .seed = 5,
              .balance = true,
              .augmentation = {.shift = 1, .flip_left_right = true, .noise = 0.01},
              .scales = {1 / 255.0f}};
  o.class_weights = {1, 2};
  o.device = {DeviceKind::cpu, 0};
  o.threads = 2;
  return o;
}

TrainingResult train(const TrainerOptions& o, const TrainingCallback& callback = {}) {
  TensorDataset dataset = spots();
  return train_classifier(small_graph(), dataset, kSamples.train, kSamples.validation, o, callback);
}

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void check_same(const TrainingResult& a, const TrainingResult& b) {
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

TrainingCallback until(std::int64_t step) {
  return [step](const TrainingProgress& progress) { return progress.step < step; };
}

const TrainingResult& undisturbed() {
  static const TrainingResult result = train(options());
  return result;
}

std::string refused_training(ErrorKind kind, const std::string& part, const TrainerOptions& o) {
  return refused(kind, part, [&] { train(o); });
}

}  // namespace

TEST_CASE("training an easy problem lowers the loss and finds the classes") {
  std::vector<double> finished;
  std::int64_t calls = 0;
  const TrainingResult result = train(options(12), [&](const TrainingProgress& progress) {
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

TEST_CASE("without validation samples the figures of validation are no numbers") {
  TensorDataset dataset = spots();
  const TrainingResult result =
      train_classifier(small_graph(), dataset, kSamples.train, {}, options(1));
  CHECK(std::isnan(result.history[0].validation_loss));
  CHECK(std::isnan(result.history[0].validation_auroc));
  CHECK(std::isnan(result.history[0].validation_accuracy));
}

TEST_CASE("a training gives the same bits on any number of threads, and others from other seeds") {
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

TEST_CASE("a training that was interrupted and resumed ends with the same bits") {
  for (const std::int64_t step : {1, 9, 10, 11, 25, 29}) {
    INFO("interrupted after step " << step);
    const TemporaryFolder folder;
    TrainerOptions o = options();
    o.checkpoint_path = folder / "checkpoint";
    o.resume = true;  // nothing there at first
    const TrainingResult first = train(o, until(step));
    CHECK(first.interrupted);
    CHECK(first.steps == step);
    const TrainingResult second = train(o, until(step + 3));  // and once more
    CHECK(second.steps == std::min<std::int64_t>(step + 3, 30));
    check_same(train(o), undisturbed());
    CHECK(folder.files() == 1);
    check_same(train(o), undisturbed());  // nothing left to do
  }
}

TEST_CASE("a training that was killed goes on from its last checkpoint to the same bits") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.checkpoint_path = folder / "checkpoint";
  o.checkpoint_every = 4;
  o.log_path = folder / "log";
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      train(o, [](const TrainingProgress& progress) {
        if (progress.step == 19) raise(SIGKILL);
        return true;
      });
    } catch (...) {
    }
    _exit(1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  CHECK(load_checkpoint(o.checkpoint_path).steps == 16);
  o.resume = true;
  check_same(train(o), undisturbed());
  // The log has each epoch once.
  std::ifstream log(o.log_path);
  int epochs = 0;
  for (std::string line; std::getline(log, line);)
    epochs += line.find("\"event\":\"epoch\"") != std::string::npos;
  CHECK(epochs == 3);
}

TEST_CASE("every checkpoint of a run leads to the same end") {
  const TemporaryFolder folder;
  TrainerOptions o = options(2);
  o.checkpoint_path = folder / "checkpoint";
  o.checkpoint_every = 3;
  const TrainingResult whole = train(o, [&](const TrainingProgress& progress) {
    // What lies there now was written after an earlier step.
    if (std::filesystem::exists(o.checkpoint_path))
      std::filesystem::copy_file(o.checkpoint_path, folder / std::to_string(progress.step));
    return true;
  });
  o.resume = true;
  for (const int step : {4, 8, 11, 12, 14, 20}) {
    INFO("the checkpoint that lay there at step " << step);
    std::filesystem::copy_file(folder / std::to_string(step), o.checkpoint_path,
                               std::filesystem::copy_options::overwrite_existing);
    check_same(train(o), whole);
  }
}

TEST_CASE("without resuming a checkpoint is begun anew") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.checkpoint_path = folder / "checkpoint";
  train(o, until(13));
  check_same(train(o), undisturbed());
}

TEST_CASE("a checkpoint of another training is refused") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.checkpoint_path = folder / "checkpoint";
  o.resume = true;
  train(o, until(12));
  const std::string kept = read_file(o.checkpoint_path, 1 << 24);
  std::vector<TrainerOptions> others(14, o);
  others[0].epochs = 4;
  others[1].schedule.rate = std::nextafter(0.01, 1.0);
  others[2].loader.batch = 15;
  others[3].loader.seed = 6;
  others[4].loader.augmentation.noise = 0.0100001;
  others[5].class_weights = {1, std::nextafter(2.0f, 3.0f)};
  others[6].loader.scales = {std::nextafter(1 / 255.0f, 1.0f)};
  others[7].optimiser.kind = OptimiserKind::adamw;
  others[8].data_hash = "another";
  others[9].loader.balance = false;
  others[10].patience = 2;
  others[11].loader.shuffle = false;
  others[12].schedule.kind = ScheduleKind::cosine;
  others[13].loader.memory_budget = 1;
  for (std::size_t i = 0; i < others.size(); ++i) {
    INFO(i);
    CHECK(refused_training(ErrorKind::input, "other data or options", others[i]) == "");
  }
  TensorDataset dataset = spots();
  const auto with = [&](const Graph& graph, const std::vector<std::int64_t>& samples) {
    return refused(ErrorKind::input, "other data or options",
                   [&] { train_classifier(graph, dataset, samples, kSamples.validation, o); });
  };
  auto moved = kSamples.train;
  std::swap(moved[0], moved[1]);
  CHECK(with(small_graph(), moved) == "");
  CHECK(with(small_graph().with_layer("dropout", layers::Dropout{.probability = 0.25}),
             kSamples.train) == "");
  CHECK(read_file(o.checkpoint_path, 1 << 24) == kept);

  // Other threads are the same training.
  o.threads = 1;
  o.checkpoint_every = 7;
  check_same(train(o), undisturbed());
}

TEST_CASE("a damaged checkpoint is refused by name") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.checkpoint_path = folder / "checkpoint";
  o.resume = true;
  train(o, until(12));
  Checkpoint checkpoint = load_checkpoint(o.checkpoint_path);
  const auto refused_as = [&](const std::string& part, Checkpoint c) {
    save_checkpoint(c, o.checkpoint_path);
    return refused_training(ErrorKind::input, part, o);
  };
  const auto copy = [&] {
    save_checkpoint(checkpoint, folder / "copy");
    return load_checkpoint(folder / "copy");
  };
  Checkpoint c = copy();
  c.batch = 10;
  CHECK(refused_as("position", std::move(c)) == "");
  c = copy();
  c.steps = 13;
  CHECK(refused_as("position", std::move(c)) == "");
  c = copy();
  c.optimiser.pop_back();
  CHECK(refused_as("optimiser", std::move(c)) == "");
  c = copy();
  c.weights = Weights::initialised(small_graph(3), 1);
  CHECK(refused_as("logits", std::move(c)) == "");
  write_file(o.checkpoint_path, "something else");
  CHECK(refused_training(ErrorKind::input, o.checkpoint_path, o) == "");
}

TEST_CASE("early stopping ends the training and gives the best epoch's weights") {
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

TEST_CASE("early stopping may watch the AUROC") {
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

TEST_CASE("labels and images that do not fit the network are refused") {
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
  CHECK(refused(ErrorKind::input, "label 1", with(spots(), small_graph(1), kSamples)) == "");
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
  CHECK(refused(ErrorKind::input, "no labels",
                [&] { train_classifier(small_graph(), unlabelled, kSamples.train, {}, o); }) == "");
  TensorDataset narrow(Tensor({kImages, 16, 15}, DType::u8), spots().table());
  CHECK(refused(ErrorKind::input, "[16, 15, 1]", [&] {
          train_classifier(small_graph(), narrow, kSamples.train, {}, options(1));
        }) == "");
}

TEST_CASE("options of a training that make no sense are refused") {
  std::vector<TrainerOptions> bad(9, options());
  bad[0].epochs = 0;
  bad[1].checkpoint_every = 0;
  bad[2].class_weights = {1};
  bad[3].loader.batch = 0;
  bad[4].schedule.rate = -1;
  bad[5].optimiser.beta1 = 2;
  bad[6].loader.augmentation.shift = -1;
  bad[7].loader.weights.assign(kImages, 1.0f);
  bad[8].epochs = -3;
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
}

TEST_CASE("a loss that is no number ends the training with its reason") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.optimiser = {.kind = OptimiserKind::sgd};
  o.schedule = {.kind = ScheduleKind::constant, .rate = 1e30};
  o.checkpoint_path = folder / "checkpoint";
  CHECK(refused_training(ErrorKind::input, "no longer a number", o) == "");
}

TEST_CASE("a full disk ends the training and leaves the old checkpoint") {
  const TemporaryFolder folder;
  TrainerOptions o = options();
  o.checkpoint_path = folder / "checkpoint";
  o.checkpoint_every = 5;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // From step 8 on no file may grow past 1000 bytes, as if the disk were full.
    int outcome = 100;
    try {
      std::signal(SIGXFSZ, SIG_IGN);
      train(o, [](const TrainingProgress& progress) {
        const rlimit limit{1000, 1000};
        if (progress.step == 8) setrlimit(RLIMIT_FSIZE, &limit);
        return true;
      });
    } catch (const Error& error) {
      outcome = static_cast<int>(error.kind());
    } catch (...) {
    }
    _exit(outcome);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == static_cast<int>(ErrorKind::file_system));
  CHECK(load_checkpoint(o.checkpoint_path).steps == 5);
  CHECK(folder.files() == 1);  // nothing half-written is left
  o.resume = true;
  check_same(train(o), undisturbed());
}

TEST_CASE("a folder that is not there is told before the first step is lost") {
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
