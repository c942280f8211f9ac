#include "prepared_cohort.h"

#include <algorithm>
#include <cstdio>
#include <set>

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

PreparedCohort prepare_scans(const std::string& path, const PreparationOptions& options) {
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
    PreparedScan scan = prepare_scan(input.path, options);
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
  prepared.splits = [n = prepared.subjects.size(), path] { return split_subjects(n, path); };
  prepared.hash = combined_hash(hashes);
  return prepared;
}

}  // namespace

PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options) {
  return is_hdf5_name(path) ? prepare_slices(path, options) : prepare_scans(path, options);
}

PreparedScan prepare_scan(const std::string& path, const PreparationOptions& options) {
  PreparedScan scan{.subject = {}, .volume = read_nifti(path), .layout = {}};
  try {
    const AxialStack stack = axial_stack(scan.volume);
    scan.layout = stack.layout;
    scan.reversed = stack.reversed;
    scan.subject = prepare_subject({.name = base_of(path),
                                    .images = stack.images,
                                    .row_spacing = stack.layout.grid.row_spacing,
                                    .column_spacing = stack.layout.grid.column_spacing},
                                   options);
  } catch (const Error& error) {
    throw error.with_context(path);
  }
  return scan;
}

}  // namespace ratnet::inline v1
