// A cohort in an HDF5 file (train/hdf5_dataset.h says which layouts).
#pragma once

#include <string>

#include "cohort.h"

namespace ratnet::inline v1 {

// Needs `images`, `subject` and `slice`, takes `masks` and `labels` where there are any. Throws
// Error as open_hdf5_slices and SubjectCohort do.
SubjectCohort open_hdf5_cohort(const std::string& path);

}  // namespace ratnet::inline v1
