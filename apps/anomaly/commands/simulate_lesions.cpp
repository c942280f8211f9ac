// ratnet simulate lesions
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "../../../imaging/nifti.h"
#include "../../program/commands.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/output.h"
#include "../../program/progress.h"
#include "../axial_stack.h"
#include "../planted_lesions.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> scans;
  std::string kind = kLesionKindNames[static_cast<std::size_t>(LesionKind::hyperintense)];
  PlantingOptions planting;
  std::string output;
};

LesionKind kind_of(const std::string& name) {
  for (const LesionKind kind : {LesionKind::hyperintense, LesionKind::hypointense})
    if (name == kLesionKindNames[static_cast<std::size_t>(kind)]) return kind;
  fail(ErrorKind::usage, "--kind ", name, ": use hyperintense or hypointense");
}

// Where the results of every input go, which are not where any input lies.
struct Places {
  std::vector<std::string> scans, masks;
};

Places places_of(const std::vector<Input>& inputs, const std::string& output) {
  Places places;
  for (const Input& input : inputs) {
    if (is_hdf5_name(input.path))
      fail(ErrorKind::input, input.path, ": is not a scan; lesions are planted in NIfTI scans");
    const fs::path folder = (fs::path(output) / input.subfolder).lexically_normal();
    places.scans.push_back((folder / (base_of(input.path) + ".nii.gz")).string());
    places.masks.push_back((folder / (stem_of(input.path) + kLesionMaskEnding)).string());
  }
  check_distinct(inputs, places.scans);
  check_distinct(inputs, places.masks);
  std::error_code ignored;
  for (const Input& input : inputs)
    for (const std::string& place : places.scans)
      require(!fs::equivalent(input.path, place, ignored), input.path,
              " would be written over: name another folder than the scans'");
  return places;
}

void plant(const std::string& path, const PlantingOptions& options, const std::string& scan,
           const std::string& mask) {
  Volume volume = read_nifti(path);
  for (const std::string& note : volume.notes)
    std::fprintf(stderr, "note: %s: %s\n", path.c_str(), note.c_str());
  Tensor lesions({volume.data.shape()[1], volume.data.shape()[2], volume.data.shape()[3]},
                 DType::u8);
  try {
    const AxialStack stack = axial_stack(volume);
    const SliceGrid& grid = stack.layout.grid;
    const PlantedLesions planted = plant_lesions({.name = base_of(path),
                                                  .images = stack.images,
                                                  .row_spacing = grid.row_spacing,
                                                  .column_spacing = grid.column_spacing},
                                                 stack.layout.slice_spacing, options);
    const SliceSteps steps = steps_of(volume.geometry, stack.layout);
    const float* change = planted.change.values<float>().data();
    const std::uint8_t* inside = planted.masks.values<std::uint8_t>().data();
    for (std::int64_t s = 0; s < stack.layout.slices; ++s)
      for (std::int64_t r = 0; r < grid.rows; ++r)
        for (std::int64_t c = 0; c < grid.columns; ++c, ++change, ++inside) {
          const std::int64_t slice = stack.reversed ? stack.layout.slices - 1 - s : s;
          const auto at = static_cast<std::size_t>(steps.origin + slice * steps.slice +
                                                   r * steps.row + c * steps.column);
          if (*change != 0) volume.data.values<float>()[at] += *change;
          lesions.values<std::uint8_t>()[at] = *inside;
        }
  } catch (const Error& error) {
    throw error.with_context(path);
  }
  make_folder(fs::path(scan).parent_path().string());
  write_nifti(scan, volume);
  write_nifti(mask, lesions.view(), volume.geometry);
}

void run(Options options) {
  options.planting.kind = kind_of(options.kind);
  options.planting.check();
  const std::vector<Input> inputs = find_inputs(options.scans);
  const Places places = places_of(inputs, options.output);
  catch_interrupts();
  UnusableInputs unusable(inputs.size());
  Progress progress("planting", "scans", static_cast<std::int64_t>(inputs.size()));
  progress.update(0);
  std::int64_t planted = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    stop_if_interrupted();
    unusable.try_one([&] {
      plant(inputs[i].path, options.planting, places.scans[i], places.masks[i]);
      ++planted;
    });
    progress.update(static_cast<std::int64_t>(i + 1));
  }
  progress.finish();
  if (planted > 0)
    std::printf("%s: %lld scan%s with %d %s lesion%s of %g mm, the mask beside each\n",
                options.output.c_str(), static_cast<long long>(planted), planted == 1 ? "" : "s",
                options.planting.lesions, options.kind.c_str(),
                options.planting.lesions == 1 ? "" : "s", options.planting.diameter);
  unusable.throw_if_any();
}

}  // namespace

void add_simulate_lesions(CLI::App& simulate) {
  auto options = std::make_shared<Options>();
  CLI::App* command = simulate.add_subcommand(
      "lesions", "Lesions of known size in real scans of heads, with exact masks beside them");
  command
      ->add_option("scans", options->scans, "healthy scans (.nii, .nii.gz, 3D) or folders of them")
      ->required();
  command->add_option("--kind", options->kind, "hyperintense (brighter) or hypointense (darker)")
      ->capture_default_str();
  command
      ->add_option("--diameter", options->planting.diameter,
                   "mm, of a disc of the lesion's area in its middle slice")
      ->capture_default_str();
  command
      ->add_option("--contrast", options->planting.contrast,
                   "to the tissue a lesion lies in, in interquartile ranges of the brain")
      ->capture_default_str();
  command->add_option("--lesions", options->planting.lesions, "how many in each scan")
      ->capture_default_str();
  command
      ->add_option("--seed", options->planting.seed,
                   "the same seed gives the same lesions in the same scan")
      ->capture_default_str();
  command
      ->add_option("-o,--output", options->output,
                   "folder for the scans, under their own names, and the masks")
      ->required();
  command->footer(
      "Example:\n"
      "  ratnet simulate anomaly --subjects 4 --lesioned 0 --seed 1 -o heads.h5 --nifti heads\n"
      "  ratnet simulate lesions heads -o planted --diameter 15");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
