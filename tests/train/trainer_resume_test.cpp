// A training that is interrupted, killed or out of disk goes on as if nothing had happened.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/atomic_file.h"
#include "../../network/tuning.h"
#include "../network/temporary_folder.h"
#include "small_training.h"
#include "written_checkpoint.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

int epochs_in(const std::string& log_path) {
  std::ifstream log(log_path);
  int epochs = 0;
  for (std::string line; std::getline(log, line);)
    epochs += line.find("\"event\":\"epoch\"") != std::string::npos;
  return epochs;
}

}  // namespace

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

TEST_CASE("a training that was interrupted while it judged judges anew, to the same bits") {
  for (const std::int64_t accumulate : {1, 3}) {  // of an epoch's 10 batches
    TrainerOptions o = options();
    o.accumulate = accumulate;
    o.averaging = {.decay = 0.9};
    o.patience = 3;
    const TrainingResult whole = train(o);
    for (const int epoch : {1, 3}) {
      INFO("interrupted in epoch " << epoch << ", " << accumulate << " batches a step");
      const TemporaryFolder folder;
      o.checkpoint_path = folder / "checkpoint";
      o.log_path = folder / "log";
      o.resume = true;
      std::vector<std::int64_t> told;
      int begun = 0;
      o.judging = [&](std::int64_t done, std::int64_t of) {
        CHECK(of == 50);
        begun += done == 0;
        told.push_back(done);
        return begun < epoch || done < 30;
      };
      const TrainingResult first = train(o);
      CHECK(first.interrupted);
      CHECK(std::ssize(first.history) == epoch - 1);
      CHECK(told.back() == 32);
      const Checkpoint kept = load_checkpoint(o.checkpoint_path);
      CHECK(kept.position.epoch == epoch - 1);
      CHECK(kept.position.batch == 10);
      // A process that told the epoch's figures and died before the next checkpoint.
      std::ofstream(o.log_path, std::ios::app)
          << R"({"event":"epoch","step":)" << first.steps << R"(,"epoch":)" << epoch - 1 << "}\n";
      std::int64_t steps = 0;
      o.judging = [](std::int64_t, std::int64_t) { return true; };
      check_same(train(o,
                       [&](const TrainingProgress& progress) {
                         if (steps++ == 0) {
                           CHECK(progress.step == first.steps);
                           CHECK(progress.finished != nullptr);
                         }
                         return true;
                       }),
                 whole);
      CHECK(steps == whole.steps - first.steps + 1);
      CHECK(epochs_in(o.log_path) == 3);
    }
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
  CHECK(load_checkpoint(o.checkpoint_path).position.steps == 16);
  o.resume = true;
  check_same(train(o), undisturbed());
  CHECK(epochs_in(o.log_path) == 3);  // each once
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
  std::vector<TrainerOptions> others(22, o);
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
  others[14].accumulate = 2;
  others[15].averaging.decay = 0.9;
  others[16].optimiser.groups = {{"*/bias"}};
  others[17].schedule.plateau.patience = 3;
  others[18].schedule.plateau.cooldown = 1;
  others[19].schedule.plateau.threshold = 1e-3;
  others[20].schedule.plateau.least_rate = 1e-6;
  others[21].tuner = std::make_shared<Tuning>(TuningOptions{.cache = ""});
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
    write_checkpoint(c, o.checkpoint_path);
    return refused_training(ErrorKind::input, part, o);
  };
  const auto copy = [&] {
    write_checkpoint(checkpoint, folder / "copy");
    return load_checkpoint(folder / "copy");
  };
  Checkpoint c = copy();
  c.position.batch = 10;
  CHECK(refused_as("position", std::move(c)) == "");
  c = copy();
  c.position.steps = 13;
  CHECK(refused_as("position", std::move(c)) == "");
  c = copy();
  c.position.plateau.rate = 0.02;
  CHECK(refused_as("learning rate", std::move(c)) == "");
  c = copy();
  c.average = Tensor({16}, DType::f32);
  CHECK(refused_as("average", std::move(c)) == "");
  c = copy();
  c.optimiser.pop_back();
  CHECK(refused_as("optimiser", std::move(c)) == "");
  c = copy();
  c.weights = Weights::initialised(small_graph(3), 1);
  CHECK(refused_as("logits", std::move(c)) == "");
  write_file(o.checkpoint_path, "something else");
  CHECK(refused_training(ErrorKind::input, o.checkpoint_path, o) == "");
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
  CHECK(load_checkpoint(o.checkpoint_path).position.steps == 5);
  CHECK(folder.files() == 1);  // nothing half-written is left
  o.resume = true;
  check_same(train(o), undisturbed());
}
