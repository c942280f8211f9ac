// The subjects of a file of slices, or of scans, prepared, with the progress on the terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../../../imaging/orientation.h"
#include "../../../train/split.h"
#include "../cohort_hdf5.h"

namespace ratnet::inline v1 {

struct PreparedCohort {
  std::string name;  // for messages
  std::vector<PreparedSubject> subjects;
  // Of every subject; of scans none is for testing. Throws Error as split_cohort and split_subjects
  // do.
  std::function<std::vector<Split>()> splits;
  bool states_splits = false;  // the splits are the file's own
  std::string hash;            // of all pixels
};

// What becomes of the lesion masks beside scans (kLesionMaskEnding; .nii as well).
enum class ScanMasks : std::uint8_t {
  ignored,
  read,  // subjects that have none stay of unknown health
};

// path: an HDF5 file of slices, a scan (.nii, .nii.gz) or a folder of scans, each a subject of whom
// nothing is known but by `masks`. Says on stderr what was assumed, and of whom nothing can be
// judged. Throws Error as open_hdf5_cohort, SubjectCohort::prepare and prepare_scan do.
PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options,
                              ScanMasks masks = ScanMasks::ignored);

// One scan, named as its file is. Throws Error as read_nifti, axial_stack and prepare_subject do,
// and input for a mask that does not lie as the scan does or holds other values than 0 and 1.
struct PreparedScan {
  PreparedSubject subject;
  Volume volume;
  SliceLayout layout;
  bool reversed = false;  // slice 0 is the last along layout.axis
};
PreparedScan prepare_scan(const std::string& path, const PreparationOptions& options,
                          ScanMasks masks = ScanMasks::ignored);

}  // namespace ratnet::inline v1
