#include "cohort_hdf5.h"

#include "../../train/hdf5_dataset.h"

namespace ratnet::inline v1 {

SubjectCohort open_hdf5_cohort(const std::string& path) {
  return SubjectCohort(open_hdf5_slices(path, {.labels_required = false}), open_hdf5_masks(path));
}

}  // namespace ratnet::inline v1
