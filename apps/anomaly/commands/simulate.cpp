// ratnet simulate anomaly
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include <CLI/CLI.hpp>

#include "../../../imaging/nifti.h"
#include "../../../train/hdf5_write.h"
#include "../../program/commands.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/options.h"
#include "../../program/output.h"
#include "../../program/progress.h"
#include "../anomaly_simulator.h"
#include "../cohort.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  HeadCohortOptions cohort;
  std::string contrast = "mixed";
  std::string output;
  std::string nifti;
  int threads = 0;
};

std::optional<HeadContrast> contrast_of(const std::string& name) {
  const std::map<std::string, std::optional<HeadContrast>> contrasts = {
      {"mixed", std::nullopt},
      {"t1", HeadContrast::t1},
      {"t2", HeadContrast::t2},
      {"flair", HeadContrast::flair}};
  const auto found = contrasts.find(name);
  require(found != contrasts.end(), "--contrast ", name, ": use mixed, t1, t2 or flair");
  return found->second;
}

// Every subject as a scan, with the lesions' mask beside those that have some, in BIDS names.
void write_scans(const Options& options, const HeadCohort& cohort) {
  namespace fs = std::filesystem;
  const std::int64_t slices = options.cohort.slices, size = options.cohort.size;
  const auto voxels = static_cast<std::size_t>(slices * size * size);
  const double pixel = kHeadFieldOfView / static_cast<double>(size);
  const double half = pixel * static_cast<double>(size - 1) / 2;
  for (std::size_t subject = 0; subject < cohort.slice_spacing.size(); ++subject) {
    stop_if_interrupted();
    const std::size_t row = subject * static_cast<std::size_t>(slices);
    const std::string name = "sub-" + cohort.table.subjects[row];
    const fs::path folder = fs::path(options.nifti) / name / "anat";
    make_folder(folder.string());

    // Columns run to the right, rows to posterior, slices to superior.
    const double spacing = cohort.slice_spacing[subject];
    ScanGeometry scan;
    scan.sizes = {size, size, slices};
    scan.times = 1;
    scan.spacing = {pixel, pixel, spacing};
    scan.affine = {{{pixel, 0, 0, -half},
                    {0, -pixel, 0, half},
                    {0, 0, spacing, -spacing * static_cast<double>(slices - 1) / 2},
                    {0, 0, 0, 1}}};
    scan.orientation = "RPS";
    scan.orientation_known = true;
    scan.slice_axis = 2;
    const Shape shape{1, slices, size, size};
    const auto contrast = static_cast<HeadContrast>(cohort.table.columns.at("contrast")[row]);
    const std::string stem = (folder / name).string();
    const std::uint8_t* mask = cohort.masks.data() + subject * voxels;
    const std::string image = stem + "_" + bids_name_of(contrast) + ".nii.gz";
    write_nifti(image, ConstView(cohort.images.data() + subject * voxels, DType::u8, shape), scan);
    if (std::any_of(mask, mask + voxels, [](std::uint8_t value) { return value != 0; }))
      write_nifti(stem + kLesionMaskEnding, ConstView(mask, DType::u8, shape), scan);
  }
}

void run(Options options) {
  options.cohort.contrast = contrast_of(options.contrast);
  options.cohort.check();
  check_can_write(options.output);
  catch_interrupts();
  ThreadPool pool(options.threads);
  Progress progress("simulating", "subjects", options.cohort.subjects);
  progress.update(0);
  const HeadCohort cohort = simulate_head_cohort(options.cohort, pool, [&](int done) {
    stop_if_interrupted();
    progress.update(done);
  });
  progress.finish();
  const Shape shape{cohort.count(), options.cohort.size, options.cohort.size};
  write_hdf5_slices(
      options.output, ConstView(cohort.images.data(), DType::u8, shape), cohort.table,
      {.class_names = {"healthy", "lesion"},
       .scale = {},
       .value_names = {{"contrast", {"T1", "T2", "FLAIR"}},
                       {kLesionKindColumn, {kLesionKindNames.begin(), kLesionKindNames.end()}}}},
      ConstView(cohort.masks.data(), DType::u8, shape));
  const auto& labels = cohort.table.labels;
  const auto lesioned = lesioned_subjects(options.cohort);
  std::printf(
      "%s: %lld slices of %d simulated subjects; %lld slices of %lld subjects show a lesion\n",
      options.output.c_str(), static_cast<long long>(cohort.count()), options.cohort.subjects,
      static_cast<long long>(std::count(labels.begin(), labels.end(), std::uint8_t{1})),
      static_cast<long long>(std::count(lesioned.begin(), lesioned.end(), std::uint8_t{1})));
  if (options.nifti.empty()) return;
  write_scans(options, cohort);
  std::printf("%s: %d scans, with a mask beside those with lesions\n", options.nifti.c_str(),
              options.cohort.subjects);
}

}  // namespace

void add_simulate_anomaly(CLI::App& simulate) {
  auto options = std::make_shared<Options>();
  CLI::App* command = simulate.add_subcommand(
      "anomaly", "Heads in MRI: healthy subjects, and lesioned ones with exact masks");
  command->add_option("--subjects", options->cohort.subjects, "how many subjects")
      ->capture_default_str();
  command->add_option("--lesioned", options->cohort.lesioned, "share of them that have lesions")
      ->capture_default_str();
  command
      ->add_option("--contrast", options->contrast,
                   "t1, t2 or flair; mixed: each subject has one of its own")
      ->capture_default_str();
  command->add_option("--slices", options->cohort.slices, "axial slices of each subject")
      ->capture_default_str();
  command->add_option("--size", options->cohort.size, "pixels a side")->capture_default_str();
  command->add_option("--seed", options->cohort.seed, "the same seed gives the same bytes")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "HDF5 file of slices to write")->required();
  command->add_option("--nifti", options->nifti,
                      "folder for one scan of each subject (NIfTI, BIDS names) with its mask");
  add_threads_option(*command, options->threads);
  command->footer(
      "Example:\n  ratnet simulate anomaly --subjects 4 --slices 12 --size 64 --seed 1 -o heads.h5 "
      "--nifti heads");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
