#include "prepared_cohort.h"

#include <algorithm>
#include <cstdio>

#include "../../program/interrupt.h"
#include "../../program/progress.h"

namespace ratnet::inline v1 {

PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options) {
  PreparedCohort prepared{open_hdf5_cohort(path), {}};
  for (const std::string& note : prepared.cohort.dataset().notes())
    std::fprintf(stderr, "note: %s\n", note.c_str());
  const std::size_t n = prepared.cohort.subjects().size();
  Progress progress("preparing", "subjects", static_cast<std::int64_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    stop_if_interrupted();
    prepared.subjects.push_back(prepared.cohort.prepare(i, options));
    const PreparedSubject& subject = prepared.subjects.back();
    if (std::ranges::none_of(subject.judged, [](std::uint8_t judged) { return judged != 0; }))
      progress.say("note: no slice of subject '" + subject.name +
                   "' can be judged: no brain was found in it");
    progress.update(static_cast<std::int64_t>(i + 1));
  }
  return prepared;
}

}  // namespace ratnet::inline v1
