#include "cohort_hdf5.h"

#include "../../train/hdf5_dataset.h"

namespace ratnet::inline v1 {

SubjectCohort open_hdf5_cohort(const std::string& path, Masks masks) {
  return SubjectCohort(open_hdf5_slices(path, {.labels_required = false}),
                       masks == Masks::taken ? open_hdf5_masks(path) : nullptr);
}

}  // namespace ratnet::inline v1
