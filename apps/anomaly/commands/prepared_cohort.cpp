#include "prepared_cohort.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>
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
    progress.say("note: no slice of subject '" + subject.name +
                 "' can be judged: no brain was found in it, or one of a single brightness");
  progress.update(static_cast<std::int64_t>(subjects.size()));
}

PreparedCohort prepare_slices(const std::string& path, const PreparationOptions& options) {
  const auto kept = std::make_shared<SubjectCohort>(open_hdf5_cohort(path));
  SubjectCohort& cohort = *kept;
  for (const std::string& note : cohort.dataset().notes())
    std::fprintf(stderr, "note: %s\n", note.c_str());
  const std::size_t n = cohort.subjects().size();
  PreparedCohort prepared{.name = cohort.dataset().name(),
                          .subjects = {},
                          .splits = [kept] { return split_cohort(*kept); },
                          .states_splits = !cohort.dataset().table().splits.empty(),
                          .hash = hash_of(cohort)};
  Progress progress("preparing", "subjects", static_cast<std::int64_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    stop_if_interrupted();
    prepared.subjects.push_back(cohort.prepare(i, options));
    tell(progress, prepared.subjects);
  }
  return prepared;
}

PreparedCohort prepare_scans(const std::string& path, const PreparationOptions& options,
                             ScanMasks masks) {
  PreparedCohort prepared{.name = path};
  std::vector<ImageHash> hashes;
  const std::vector<Input> inputs = find_inputs({path});
  std::set<std::string> people;
  for (const Input& input : inputs) {
    if (is_hdf5_name(input.path))
      fail(ErrorKind::input, input.path, ": lies in a folder of scans; name it by itself");
    if (!people.insert(subject_of(input.path)).second)
      fail(ErrorKind::input, input.path, ": is a second scan of '", subject_of(input.path),
           "': keep one of each subject, or put their slices into one HDF5 file");
  }
  Progress progress("preparing", "subjects", static_cast<std::int64_t>(inputs.size()));
  for (const Input& input : inputs) {
    stop_if_interrupted();
    PreparedScan scan = prepare_scan(input.path, options, masks);
    for (const std::string& note : scan.volume.notes) progress.say("note: " + note);
    hashes.push_back(hash_image(std::as_bytes(scan.volume.data.values<float>()), sizeof(float)));
    prepared.subjects.push_back(std::move(scan.subject));
    tell(progress, prepared.subjects);
  }
  for (std::size_t i = 0; i < hashes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (hashes[i] == hashes[j])
        fail(ErrorKind::input, path, ": ", inputs[i].path, " and ", inputs[j].path,
             " are the same scan");
  prepared.splits = [n = prepared.subjects.size(), path] {
    std::vector<Split> splits = split_subjects(n, path);
    // Nothing is known of them that could be tested; every one kept apart makes the rates finer.
    std::ranges::replace(splits, Split::test, Split::validation);
    return splits;
  };
  prepared.hash = combined_hash(hashes);
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

}  // namespace

PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options,
                              ScanMasks masks) {
  return is_hdf5_name(path) ? prepare_slices(path, options) : prepare_scans(path, options, masks);
}

PreparedScan prepare_scan(const std::string& path, const PreparationOptions& options,
                          ScanMasks masks) {
  PreparedScan scan{.subject = {}, .volume = read_nifti(path), .layout = {}};
  Tensor mask;
  if (masks == ScanMasks::read) mask = read_mask(path, scan.volume.geometry);
  try {
    const AxialStack stack = axial_stack(scan.volume);
    scan.layout = stack.layout;
    scan.reversed = stack.reversed;
    scan.subject = prepare_subject({.name = base_of(path),
                                    .images = stack.images,
                                    .row_spacing = stack.layout.grid.row_spacing,
                                    .column_spacing = stack.layout.grid.column_spacing,
                                    .masks = mask ? mask.view() : View{}},
                                   options);
  } catch (const Error& error) {
    throw error.with_context(path);
  }
  return scan;
}

}  // namespace ratnet::inline v1
