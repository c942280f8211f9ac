#include "prepared_cohort.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>

#include "../../../imaging/nifti.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/progress.h"
#include "../axial_stack.h"
#include "../cohort_split.h"

namespace ratnet::inline v1 {
namespace {

// Counts on, and says where nothing can be judged.
void tell(Progress& progress, const std::vector<PreparedSubject>& subjects) {
  const PreparedSubject& subject = subjects.back();
  if (std::ranges::none_of(subject.judged, [](std::uint8_t judged) { return judged != 0; }))
    progress.say("note: no slice of '" + subject.name +
                 "' can be judged: no brain was found in it, or one of a single brightness");
  progress.update(static_cast<std::int64_t>(subjects.size()));
}

PreparedCohort prepare_slices(const std::string& path, const PreparationOptions& options) {
  const auto kept = std::make_shared<SubjectCohort>(open_hdf5_cohort(path));
  SubjectCohort& cohort = *kept;
  for (const std::string& note : cohort.dataset().notes())
    std::fprintf(stderr, "note: %s\n", note.c_str());
  const std::size_t n = cohort.scans().size();
  PreparedCohort prepared{.name = cohort.dataset().name(),
                          .subjects = {},
                          .splits = [kept] { return split_cohort(*kept); },
                          .states_splits = !cohort.dataset().table().splits.empty(),
                          .hash = hash_of(cohort)};
  Progress progress("preparing", "scans", static_cast<std::int64_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    stop_if_interrupted();
    prepared.subjects.push_back(cohort.prepare(i, options));
    tell(progress, prepared.subjects);
  }
  return prepared;
}

// Whether two files' voxels lie in the same places, but for less than half a voxel.
bool lie_alike(const ScanGeometry& a, const ScanGeometry& b) {
  if (a.sizes != b.sizes || a.times != b.times || a.orientation != b.orientation) return false;
  const double half = *std::ranges::min_element(a.spacing) / 2;
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t axis = 0; axis < 4; ++axis) {
      const double steps = axis < 3 ? static_cast<double>(a.sizes[axis]) : 1;
      // Not a number is not alike.
      if (!(std::abs(a.affine[row][axis] - b.affine[row][axis]) * steps < half)) return false;
    }
  return true;
}

// u8 [S, rows, columns] of the mask beside a scan; empty where there is none.
Tensor read_mask(const std::string& scan, const ScanGeometry& geometry) {
  namespace fs = std::filesystem;
  std::string path = (fs::path(scan).parent_path() / stem_of(scan)).string() + kLesionMaskEnding;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) path.resize(path.size() - std::string_view(".gz").size());
  if (!fs::exists(path, ignored)) return {};
  if (!lie_alike(read_nifti_info(path).geometry, geometry))
    fail(ErrorKind::input, path, ": does not lie as its scan does, ", scan,
         ": sizes, orientation and place must be the same");
  const Volume volume = read_nifti(path);
  // Before what is no number counts as 0.
  for (const float value : volume.data.values<float>())
    if (value != 0 && value != 1)
      fail(ErrorKind::input, path, ": holds ", value, "; lesions are 1 and all else is 0");
  const AxialStack stack = axial_stack(volume);
  Tensor mask(stack.images.shape(), DType::u8);
  std::ranges::transform(stack.images.values<float>(), mask.values<std::uint8_t>().begin(),
                         [](float value) { return static_cast<std::uint8_t>(value); });
  return mask;
}

PreparedSubject prepare_scan(const Input& input, const Volume& volume,
                             const PreparationOptions& options, ScanMasks masks) {
  Tensor mask;
  if (masks == ScanMasks::read) mask = read_mask(input.path, volume.geometry);
  try {
    const AxialStack stack = axial_stack(volume);
    SubjectSlices slices = slices_of(stack, base_of(input.path));
    slices.subject = subject_of(input);
    if (mask) slices.masks = mask;
    return prepare_subject(slices, options);
  } catch (const Error& error) {
    throw error.with_context(input.path);
  }
}

// Throws Error (input) for scans that cannot be put together by the people whose they are.
void check_people(const std::vector<Input>& inputs) {
  std::map<std::string, const Input*> first;
  for (const Input& input : inputs) {
    if (is_hdf5_name(input.path))
      fail(ErrorKind::input, input.path, ": lies in a folder of scans; name it by itself");
    const std::string subject = subject_of(input);
    const auto [at, added] = first.emplace(subject, &input);
    if (added) continue;
    const std::string& other = at->second->path;
    if (stated_subject(input).empty())
      fail(
          ErrorKind::input, other, " and ", input.path,
          ": their names do not tell whose they are; begin them, or a folder of each subject, with "
          "sub- and his name (sub-01_ses-1_FLAIR.nii.gz)");
    if (suffix_of(other) != suffix_of(input.path))
      fail(ErrorKind::input, other, " and ", input.path, ": are two kinds of scans of '", subject,
           "', and a model is of one; --suffix ", suffix_of(input.path), " takes the one alone");
  }
}

// That a folder's scans are of different kinds, as far as BIDS names tell; "" where they are not.
std::string mixed_kinds(const std::string& folder, const std::vector<Input>& inputs) {
  std::map<std::string, int> scans;
  for (const Input& input : inputs) {
    const std::string name = base_of(input.path), kind = suffix_of(input.path);
    if (name.starts_with("sub-") && kind != name) ++scans[kind];
  }
  if (scans.size() < 2) return "";
  std::string kinds;
  for (const auto& [kind, count] : scans)
    kinds += text(kinds.empty() ? "" : ", ", kind, " (", count, ")");
  const auto most =
      std::ranges::max_element(scans, {}, [](const auto& kind) { return kind.second; });
  return text("warning: ", folder, ": scans of several kinds, and a model is of one: ", kinds,
              "; --suffix ", most->first, " takes the one alone");
}

// Throws Error (input) where two scans are the same.
void check_distinct_scans(const std::vector<Input>& inputs, const std::vector<ImageHash>& hashes) {
  for (std::size_t i = 0; i < hashes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (hashes[i] == hashes[j])
        fail(ErrorKind::input, inputs[i].path, " and ", inputs[j].path, " are the same scan");
}

PreparedCohort prepare_scans(const std::string& path, const PreparationOptions& options,
                             ScanMasks masks, const std::string& suffix) {
  PreparedCohort prepared{.name = path};
  std::vector<ImageHash> hashes;
  const std::vector<Input> inputs = find_inputs({path}, suffix);
  check_people(inputs);
  std::vector<std::string> persons;
  Progress progress("preparing", "scans", static_cast<std::int64_t>(inputs.size()));
  if (const std::string warning = mixed_kinds(path, inputs); !warning.empty())
    progress.say(warning);
  for (const Input& input : inputs) {
    stop_if_interrupted();
    const Volume volume = read_nifti(input.path);
    for (const std::string& note : volume.notes) progress.say("note: " + note);
    hashes.push_back(hash_image(std::as_bytes(volume.data.values<float>()), sizeof(float)));
    prepared.subjects.push_back(prepare_scan(input, volume, options, masks));
    persons.push_back(prepared.subjects.back().person());
    tell(progress, prepared.subjects);
  }
  check_distinct_scans(inputs, hashes);
  prepared.splits = [persons, path] {
    std::vector<Split> splits = split_people(persons, path);
    // Nothing is known of them that could be tested; every one kept apart makes the rates finer.
    std::ranges::replace(splits, Split::test, Split::validation);
    return splits;
  };
  prepared.hash = combined_hash(hashes);
  return prepared;
}

}  // namespace

PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options,
                              ScanMasks masks, const std::string& suffix) {
  return is_hdf5_name(path) ? prepare_slices(path, options)
                            : prepare_scans(path, options, masks, suffix);
}

}  // namespace ratnet::inline v1
