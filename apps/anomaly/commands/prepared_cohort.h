// The subjects of a file of slices, or of scans, prepared, with the progress on the terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../../../train/split.h"
#include "../cohort_hdf5.h"

namespace ratnet::inline v1 {

struct PreparedCohort {
  std::string name;                       // for messages
  std::vector<PreparedSubject> subjects;  // scans, of which a person may have several
  // Of every scan; of files of scans none is for testing. Throws Error as split_cohort and
  // split_people do.
  std::function<std::vector<Split>()> splits;
  bool states_splits = false;  // the splits are the file's own
  std::string hash;            // of all pixels
};

// What becomes of the lesion masks beside scans (kLesionMaskEnding; .nii as well).
enum class ScanMasks : std::uint8_t {
  ignored,
  read,  // subjects that have none stay of unknown health
};

// path: an HDF5 file of slices, a scan (.nii, .nii.gz) or a folder of scans, of whom nothing is
// known but by `masks`. Scans of one person go together: the subject that BIDS names or folders
// state. suffix: as of find_inputs(). Says on stderr what was assumed, and of whom nothing can be
// judged. Throws Error as open_hdf5_cohort, SubjectCohort::prepare, find_inputs, read_nifti,
// axial_stack and prepare_subject do; input where names do not tell whose a scan is, where one
// subject's scans are of several kinds (T1w and FLAIR), for the same scan twice, and for a mask
// that does not lie as its scan does or holds other values than 0 and 1.
PreparedCohort prepare_cohort(const std::string& path, const PreparationOptions& options,
                              ScanMasks masks = ScanMasks::ignored, const std::string& suffix = "");

}  // namespace ratnet::inline v1
