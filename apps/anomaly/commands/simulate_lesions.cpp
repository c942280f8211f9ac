// ratnet simulate lesions
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

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

// Where the results of every input go.
struct Places {
  std::vector<std::string> scans, masks;
};

// In no folder in which an input lies: a mask that somebody drew would lie there.
void check_apart(const std::vector<Input>& inputs, const std::vector<std::string>& outputs) {
  const auto folder_of = [](const std::string& path) { return fs::absolute(path).parent_path(); };
  std::set<fs::path> from, to;
  for (const Input& input : inputs) from.insert(folder_of(input.path));
  std::error_code ignored;
  for (const std::string& output : outputs)
    if (fs::exists(folder_of(output), ignored)) to.insert(folder_of(output));
  for (const fs::path& folder : to)
    for (const fs::path& other : from)
      require(!fs::equivalent(folder, other, ignored), folder.string(),
              " holds scans that are read: they, or masks beside them, would be written over; name "
              "another folder");
}

Places places_of(const std::vector<Input>& inputs, const std::string& output) {
  Places places;
  for (const Input& input : inputs) {
    if (is_hdf5_name(input.path))
      fail(ErrorKind::input, input.path, ": is not a scan; lesions are planted in NIfTI scans");
    const fs::path folder = (fs::path(output) / input.subfolder).lexically_normal();
    places.scans.push_back((folder / (base_of(input.path) + ".nii.gz")).string());
    places.masks.push_back((folder / (stem_of(input.path) + kLesionMaskEnding)).string());
  }
  // A scan's place may be another's mask's.
  std::vector<Input> twice = inputs;
  twice.insert(twice.end(), inputs.begin(), inputs.end());
  std::vector<std::string> both = places.scans;
  both.insert(both.end(), places.masks.begin(), places.masks.end());
  check_distinct(twice, both);
  check_apart(inputs, places.scans);
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
    const PlantedLesions planted =
        plant_lesions(slices_of(stack, base_of(path)), stack.layout.slice_spacing, options);
    const SliceSteps steps = steps_of(volume.geometry, stack.layout);
    const float* change = planted.change.values<float>().data();
    const std::uint8_t* inside = planted.masks.values<std::uint8_t>().data();
    for (std::int64_t s = 0; s < stack.layout.slices; ++s)
      for (std::int64_t r = 0; r < grid.rows; ++r)
        for (std::int64_t c = 0; c < grid.columns; ++c, ++change, ++inside) {
          const auto at = static_cast<std::size_t>(
              steps.origin + place_of(stack.layout, stack.reversed, s) * steps.slice +
              r * steps.row + c * steps.column);
          if (*change != 0) volume.data.values<float>()[at] += *change;
          lesions.values<std::uint8_t>()[at] = *inside;
        }
  } catch (const Error& error) {
    throw error.with_context(path);
  }
  make_folder(fs::path(scan).parent_path().string());
  // In this order no planted scan ever stands without its own mask.
  std::error_code error;
  fs::remove(scan, error);
  if (error) fail(ErrorKind::file_system, scan, ": cannot be replaced: ", error.message());
  write_nifti(mask, lesions.view(), volume.geometry);
  write_nifti(scan, volume);
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
      ->add_option("scans", options->scans,
                   "healthy scans (.nii, .nii.gz, 3D) or folders of them; to judge a model, none "
                   "that it has learnt from")
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
                   "folder for the scans, under their own names, and the masks; not the scans' own")
      ->required();
  command->footer(
      "What a model finds is known from healthy scans that it has not learnt from. Figures on\n"
      "copies of those that it was trained on are flattered.\n\n"
      "Example:\n"
      "  ratnet simulate anomaly --subjects 4 --lesioned 0 --seed 1 -o heads.h5 --nifti heads\n"
      "  ratnet simulate lesions heads -o planted --diameter 15");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
