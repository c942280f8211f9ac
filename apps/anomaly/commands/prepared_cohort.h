// A cohort from a file, prepared, with its progress on the terminal.
#pragma once

#include <string>
#include <vector>

#include "../cohort_hdf5.h"

namespace ratnet::inline v1 {

struct PreparedCohort {
  Cohort cohort;
  std::vector<PreparedSubject> subjects;
};

// Says on stderr what was assumed, and of whom nothing can be judged. Throws Error as
// open_hdf5_cohort and Cohort::prepare do.
PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options);

}  // namespace ratnet::inline v1
