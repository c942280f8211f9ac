// Commands that are stopped in the middle: nothing half-written stays, nothing is lost for good.
#include <chrono>
#include <random>

#include <sys/mount.h>

#include "../../network/model.h"
#include "../../train/checkpoint.h"
#include "../program/lab.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

// A training long enough (80 steps) to be stopped in the middle.
struct Training {
  Folder folder;
  std::string cohort = folder / "cohort.h5";
  std::string model = folder / "model.safetensors";
  std::string checkpoint = folder / "model.checkpoint.safetensors";
  std::string options =
      "train dark-slices " + cohort + " --epochs 2 --batch 4 --checkpoint-every 8 --threads 1 -o ";
  std::string expected;  // the model of an undisturbed run
  double seconds = 0;    // that an undisturbed run takes

  Training() {
    well(kSimulate + "--seed 1 -o " + cohort);
    const auto start = std::chrono::steady_clock::now();
    well(options + (folder / "undisturbed.safetensors"));
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    expected = contents(folder / "undisturbed.safetensors");
  }
  // Whatever stands under its final name can be read.
  void check_readable() const {
    if (std::filesystem::exists(checkpoint)) CHECK(load_checkpoint(checkpoint).position.steps > 0);
    if (std::filesystem::exists(model)) CHECK(load_model(model).system == "dark_slices");
  }
};

bool has_temporaries(const std::string& folder) {
  const auto files = files_below(folder);
  return std::any_of(files.begin(), files.end(), [](const std::string& file) {
    return file.find(".tmp-") != std::string::npos;
  });
}

// A file system of a few MiB, where the tests may mount one.
class SmallDisk {
 public:
  SmallDisk(const std::string& path, int megabytes) : path_(path) {
    std::filesystem::create_directory(path);
    mounted_ = set(0, megabytes);
  }
  ~SmallDisk() {
    if (mounted_) umount(path_.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void resize(int megabytes) { REQUIRE(set(MS_REMOUNT, megabytes)); }

 private:
  bool set(unsigned long flags, int megabytes) const {
    const std::string size = "size=" + std::to_string(megabytes) + "m";
    return mount("tmpfs", path_.c_str(), "tmpfs", flags, size.c_str()) == 0;
  }

  std::string path_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("a training that is interrupted goes on from its checkpoint to the same bytes") {
  const Training training;
  for (const int signal : {SIGINT, SIGTERM}) {
    const Finished stopped =
        run_line(training.options + training.model,
                 {.kill_signal = signal, .kill_when_exists = training.checkpoint});
    INFO(stopped.err);
    REQUIRE(stopped.code == 130);
    CHECK(stopped.err.find("ratnet: interrupted; the same command with --resume goes on from " +
                           training.checkpoint) != std::string::npos);
    CHECK(std::filesystem::exists(training.checkpoint));
    CHECK_FALSE(std::filesystem::exists(training.model));
    CHECK_FALSE(has_temporaries(training.folder.path()));

    well(training.options + training.model + " --resume");
    CHECK(contents(training.model) == training.expected);
    CHECK_FALSE(std::filesystem::exists(training.checkpoint));
    std::filesystem::remove(training.model);
  }
  // Of another training, the checkpoint is refused.
  REQUIRE(run_line(training.options + training.model,
                   {.kill_signal = SIGINT, .kill_when_exists = training.checkpoint})
              .code == 130);
  const Finished other = run_line(training.options + training.model + " --resume --seed 9");
  CHECK(other.code == 3);
  CHECK(other.err.find("other data or options") != std::string::npos);
  std::filesystem::resize_file(training.checkpoint, 1000);
  CHECK(run_line(training.options + training.model + " --resume").code == 3);
  // Without --resume it starts afresh, and says so.
  const Finished afresh = well(training.options + training.model);
  CHECK(afresh.err.find("training starts afresh") != std::string::npos);
  CHECK(contents(training.model) == training.expected);
}

TEST_CASE("a training that is killed again and again ends with the same bytes") {
  const Training training;
  std::mt19937 random(std::random_device{}());
  int kills = 0, runs = 0;
  for (; !std::filesystem::exists(training.model); ++runs) {
    REQUIRE(runs < 60);
    // Early kills test the start, late ones let it come to an end on a slow machine too.
    const double latest = training.seconds * (0.3 + 0.1 * runs);
    const double after = std::uniform_real_distribution<double>(0.02, latest)(random);
    INFO("kill after " << after << " s");
    const Finished killed =
        run_line(training.options + training.model + " --resume", {.kill_after = after});
    INFO(killed.err);
    REQUIRE((killed.code == 0 || killed.signal == SIGKILL));
    kills += killed.signal == SIGKILL;
    training.check_readable();
  }
  INFO(kills << " kills");
  CHECK(kills >= 1);
  CHECK(contents(training.model) == training.expected);
  // A kill between the model and the end of the program leaves the checkpoint of the last step.
  well(training.options + training.model + " --resume");
  CHECK(contents(training.model) == training.expected);
}

TEST_CASE("a full disk is told in a line, and the old checkpoint stays") {
  const Training training;
  const RunOptions small{.largest_file = 1 << 20};  // less than a checkpoint or a model
  const auto one_line = [&](const Finished& result, const std::string& file) {
    INFO(result.err);
    CHECK(result.signal == 0);
    CHECK(result.code == 5);
    const std::size_t last = result.err.rfind("ratnet: ");
    REQUIRE(last != std::string::npos);
    CHECK(result.err.find("ratnet: ") == last);
    CHECK(count_lines(result.err.substr(last)) == 1);
    CHECK(result.err.find(file + ": cannot write: ", last) != std::string::npos);
    CHECK_FALSE(has_temporaries(training.folder.path()));
  };

  REQUIRE(run_line(training.options + training.model,
                   {.kill_signal = SIGINT, .kill_when_exists = training.checkpoint})
              .code == 130);
  const std::string before = contents(training.checkpoint);
  one_line(run_line(training.options + training.model + " --resume", small), training.checkpoint);
  CHECK(contents(training.checkpoint) == before);
  CHECK_FALSE(std::filesystem::exists(training.model));
  well(training.options + training.model + " --resume");
  CHECK(contents(training.model) == training.expected);

  // The other commands: what was there stays as it was.
  const RunOptions tiny{.largest_file = 2000};
  const std::string old = contents(training.cohort);
  one_line(run_line(kSimulate + "--seed 2 -o " + training.cohort, tiny), training.cohort);
  CHECK(contents(training.cohort) == old);

  const std::string results = training.folder / "results";
  one_line(run_line("predict " + training.model + " " + training.cohort + " -o " + results, tiny),
           results + "/cohort_desc-darkslices_slices.tsv");
  CHECK(files_below(results).empty());
  const Finished figures = run_line("evaluate " + training.model + " " + training.cohort +
                                        " --json " + (training.folder / "figures.json"),
                                    {.largest_file = 500});
  CHECK(figures.code == 5);
  CHECK_FALSE(std::filesystem::exists(training.folder / "figures.json"));
  // Standard output is a file too.
  CHECK(run_line("inspect --json " + training.model, {.largest_file = 100}).code == 5);
}

TEST_CASE("a disk that fills up in the middle of a training costs nothing but time") {
  const Training training;
  SmallDisk disk(training.folder / "disk", 5);  // MiB: room for one checkpoint, not for two
  if (!disk.mounted()) {
    WARN("skipped: no small file system can be mounted here");
    return;
  }
  const std::string model = training.folder / "disk/model.safetensors";
  const std::string checkpoint = training.folder / "disk/model.checkpoint.safetensors";
  const Finished full = run_line(training.options + model);
  INFO(full.err);
  CHECK(full.code == 5);
  CHECK(full.err.find("ratnet: " + checkpoint + ": cannot write: No space left") !=
        std::string::npos);
  CHECK_FALSE(has_temporaries(training.folder.path()));
  CHECK(load_checkpoint(checkpoint).position.steps == 8);

  disk.resize(20);
  well(training.options + model + " --resume");
  CHECK(contents(model) == training.expected);
}

TEST_CASE("simulate and predict that are stopped leave only whole files") {
  const Lab lab;
  const std::string folder = lab.folder / "runs";
  const std::string simulate =
      "simulate dark-slices --animals 8 --slices-per-animal 8 --volumes 10 ";
  const std::string last = folder + "/sub-rat002/func/sub-rat002_task-rest_bold.nii.gz";
  const Finished stopped =
      run_line(simulate + "--threads 1 -o " + (lab.folder / "a.h5") + " --nifti " + folder,
               {.kill_signal = SIGINT, .kill_when_exists = last});
  INFO(stopped.err);
  CHECK(stopped.code == 130);
  CHECK(stopped.err.find("ratnet: interrupted") != std::string::npos);
  CHECK_FALSE(has_temporaries(lab.folder.path()));
  for (const std::string& file : files_below(folder))
    if (file.ends_with(".nii.gz")) well("inspect " + folder + "/" + file);

  well(simulate + "-o " + (lab.folder / "a.h5") + " --nifti " + folder);
  const std::string results = lab.folder / "results";
  const Finished predicted =
      run_line("predict " + lab.model + " " + folder + " -o " + results,
               {.kill_signal = SIGINT,
                .kill_when_exists =
                    results + "/sub-rat001/func/sub-rat001_task-rest_desc-darkslices_map.png"});
  CHECK(predicted.code == 130);
  CHECK_FALSE(has_temporaries(results));
  CHECK(files_below(results).size() < 24);
}
