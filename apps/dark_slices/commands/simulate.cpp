// ratnet simulate dark-slices
#include <cstdio>
#include <filesystem>
#include <mutex>

#include <CLI/CLI.hpp>

#include "../../../imaging/nifti.h"
#include "../../../train/hdf5_write.h"
#include "../../program/commands.h"
#include "../../program/interrupt.h"
#include "../../program/options.h"
#include "../../program/output.h"
#include "../../program/progress.h"
#include "../../program/tsv.h"
#include "../cohort.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  CohortOptions cohort;
  std::string output;
  std::string nifti;
  int volumes = 70;
  int threads = 0;
};

const char* state_name(SliceState state) {
  switch (state) {
    case SliceState::good: return "good";
    case SliceState::dark: return "dark";
    case SliceState::ambiguous: return "ambiguous";
    case SliceState::empty: return "empty";
  }
  return "?";
}

// One whole run as a scan with the truth about each slice beside it, in BIDS names.
void write_run(const Options& options, int animal) {
  namespace fs = std::filesystem;
  const SimulatedRun run = simulate_run(options.cohort.run, options.cohort.seed, animal);
  const RunGeometry& g = run.geometry;
  char subject[32];
  std::snprintf(subject, sizeof subject, "sub-rat%03d", animal + 1);
  const fs::path folder = fs::path(options.nifti) / subject / "func";
  make_folder(folder.string());
  const std::string stem = (folder / (std::string(subject) + "_task-rest")).string();

  // Columns run to the right, rows to inferior, slices to anterior: what the scanner would write.
  ScanGeometry scan;
  scan.sizes = {g.matrix, g.matrix, g.slices};
  scan.times = g.volumes;
  scan.spacing = {g.pixel(), g.pixel(), g.slice_spacing};
  const double half = g.pixel() * (g.matrix - 1) / 2;
  scan.affine = {{{g.pixel(), 0, 0, -half},
                  {0, 0, g.slice_spacing, -g.slice_spacing * (g.slices - 1) / 2},
                  {0, -g.pixel(), 0, half},
                  {0, 0, 0, 1}}};
  scan.orientation = "RIA";
  scan.orientation_known = true;
  scan.slice_axis = 2;
  scan.repetition_time = g.repetition_time;
  write_nifti(stem + "_bold.nii.gz",
              ConstView(run.images.data(), DType::u8, {g.volumes, g.slices, g.matrix, g.matrix}),
              scan);

  const std::vector<TsvColumn> columns = {
      {"volume", "volume of the run, from 0"},
      {"slice", "slice of the volume, from 0"},
      {"state", "what the simulator made of the slice"},
      {"level", "mean in the brain over that of the clean slice"},
      {"ghost", "signal beside the head over mean in the brain"},
      {"clear", "dark as anybody would say: ghost above 0.25 or level below 0.6"}};
  TsvFile table(stem + "_desc-truth_slices.tsv", columns);
  for (std::int64_t v = 0; v < g.volumes; ++v)
    for (std::int64_t s = 0; s < g.slices; ++s) {
      const SliceTruth& truth = run.truth[static_cast<std::size_t>(v * g.slices + s)];
      table.row(std::vector<TsvValue>{v, s, std::string(state_name(truth.state)), truth.level,
                                      truth.ghost, truth.clear()});
    }
  table.commit();
}

void run(Options options) {
  options.cohort.run.volumes = options.volumes;
  options.cohort.check();
  check_can_write(options.output);
  catch_interrupts();
  ThreadPool pool(options.threads);
  Progress progress("simulating", "animals", options.cohort.animals);
  progress.update(0);
  Cohort cohort = simulate_cohort(options.cohort, pool, [&](int done, int) {
    stop_if_interrupted();
    progress.update(done);
  });
  progress.finish();
  const std::int64_t n = cohort.count();
  SampleTable table = std::move(cohort.table);
  table.columns["clear"] = cohort.clear;
  table.columns["ambiguous"] = cohort.ambiguous;
  write_hdf5_slices(options.output,
                    ConstView(cohort.images.data(), DType::u8, {n, cohort.size, cohort.size}),
                    table, {.class_names = {"good", "dark"}, .scale = cohort.brain_level});
  const auto dark = std::count(table.labels.begin(), table.labels.end(), std::uint8_t{1});
  std::printf("%s: %lld slices of %d simulated animals, %lld of them dark\n",
              options.output.c_str(), static_cast<long long>(n), options.cohort.animals,
              static_cast<long long>(dark));
  if (options.nifti.empty()) return;
  Progress runs("writing runs", "runs", options.cohort.animals);
  runs.update(0);
  std::mutex lock;
  int written = 0;
  parallel_for(pool, options.cohort.animals, [&](std::int64_t animal, int) {
    stop_if_interrupted();
    write_run(options, static_cast<int>(animal));
    const std::lock_guard held(lock);
    runs.update(++written);
  });
  runs.finish();
  std::printf("%s: %d runs of %d volumes, with the truth about each slice beside them\n",
              options.nifti.c_str(), options.cohort.animals, options.volumes);
}

}  // namespace

void add_simulate_dark_slices(CLI::App& simulate) {
  auto options = std::make_shared<Options>();
  CLI::App* command = simulate.add_subcommand(
      "dark-slices", "Awake-rat fMRI with signal dropouts: labelled slices, and whole 4D runs");
  command->add_option("--animals", options->cohort.animals, "how many animals")
      ->capture_default_str();
  command
      ->add_option("--slices-per-animal", options->cohort.slices_per_animal,
                   "labelled slices of each, half of them dark")
      ->capture_default_str();
  command->add_option("--seed", options->cohort.seed, "the same seed gives the same bytes")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "HDF5 file of slices to write")->required();
  command->add_option("--nifti", options->nifti,
                      "folder for one 4D run of each animal (NIfTI, BIDS names) with its truth");
  command->add_option("--volumes", options->volumes, "volumes of a run")->capture_default_str();
  command
      ->add_option("--varied", options->cohort.run.varied,
                   "share of animals with a matrix, slice count and phase-encode axis of their own")
      ->capture_default_str();
  add_threads_option(*command, options->threads);
  command->footer(
      "Example:\n  ratnet simulate dark-slices --animals 4 --volumes 20 --seed 1 -o cohort.h5 "
      "--nifti runs");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
