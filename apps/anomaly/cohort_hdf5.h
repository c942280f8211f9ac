// A cohort in an HDF5 file (train/hdf5_dataset.h says which layouts).
#pragma once

#include <string>

#include "cohort.h"

namespace ratnet::inline v1 {

enum class Masks { taken, ignored };

// Needs `images`, `subject` and `slice`, takes `labels` where there are any, and `masks` unless
// they are ignored, which may then be of any form. Throws Error as open_hdf5_slices and
// SubjectCohort do.
SubjectCohort open_hdf5_cohort(const std::string& path, Masks masks = Masks::taken);

}  // namespace ratnet::inline v1
