// The scans and slice files that a command was given, by name or in folders.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../../core/error.h"

namespace ratnet::inline v1 {

bool is_hdf5_name(const std::string& path);

// A file to look at, and the folder below the output in which its results go.
struct Input {
  std::string path;
  std::string subfolder;
  bool from_folder = false;  // found in a folder, not named itself
};

// How the names of what `score` writes end.
constexpr const char* kAnomalyMapEnding = "_desc-anomaly_map.nii.gz";
constexpr const char* kAnomalyScoresFile = "scores.h5";
// How the names of what `predict` writes of the images of a graph end.
constexpr const char* kPredictedEnding = "_desc-predicted_outputs.h5";
// How the name of a scan's lesion mask ends, behind stem_of(): sub-01_label-lesion_mask.nii.gz.
constexpr const char* kLesionMaskEnding = "_label-lesion_mask.nii.gz";

// What --suffix says it does.
constexpr const char* kSuffixHelp =
    "of folders, only files named so or ending so: FLAIR takes sub-01_ses-1_FLAIR.nii.gz";

// The files themselves, and those in folders: the scans and slice files below them, in order. What
// lies in a folder under the names that `score` and `predict` give, and scans whose names end in
// _mask, are passed over: they have to be named to be read. suffix: where it is not empty, so are
// all files in folders but those named SUFFIX or ..._SUFFIX. Throws Error: input (a folder holds
// none), file_system.
std::vector<Input> find_inputs(const std::vector<std::string>& arguments,
                               const std::string& suffix = "");

// Throws Error (usage) for a suffix where none of the arguments is a folder.
void check_suffix(const std::string& suffix, const std::vector<std::string>& arguments);

// outputs: the file that each input's results go to. Throws Error (usage) where two go to one.
void check_distinct(std::span<const Input> inputs, std::span<const std::string> outputs);

// In a folder one file that cannot be used must not keep the others from being looked at.
class UnusableInputs {
 public:
  explicit UnusableInputs(std::size_t inputs) : inputs_(inputs) {}
  // An Error (input) of one among several is said on stderr and remembered; others go on.
  void try_one(const std::function<void()>& work);
  // Throws Error (input), with how many they were and the first, where there was one.
  void throw_if_any() const;

 private:
  std::size_t inputs_, unusable_ = 0;
  std::optional<Error> first_;
};

// A file's name without folder and ending.
std::string base_of(const std::string& path);

// The same and, where it is a BIDS name, without its suffix: a/sub-01_task-rest_bold.nii.gz gives
// sub-01_task-rest, a/run_3.nii gives run_3.
std::string stem_of(const std::string& path);

// What kind of scan a BIDS name states: FLAIR of sub-01_ses-2_FLAIR; of other names base_of().
std::string suffix_of(const std::string& path);

// The subject that the file's BIDS name states, sub-01 of sub-01_ses-2_FLAIR, or a folder of that
// name below the one that was given; "" where neither does.
std::string stated_subject(const Input& input);

// The same, or base_of().
std::string subject_of(const Input& input);

}  // namespace ratnet::inline v1
