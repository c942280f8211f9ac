// The scans and slice files that a command was given, by name or in folders.
#pragma once

#include <string>
#include <vector>

namespace ratnet::inline v1 {

bool is_hdf5_name(const std::string& path);

// A file to look at, and the folder below the output in which its results go.
struct Input {
  std::string path;
  std::string subfolder;
  bool from_folder = false;  // found in a folder, not named itself
};

// The files themselves, and those in folders: all scans and slice files below them, in order.
// Throws Error: input (a folder holds none), file_system.
std::vector<Input> find_inputs(const std::vector<std::string>& arguments);

// A file's name without folder and ending and, where it is a BIDS name, without its suffix:
// a/sub-01_task-rest_bold.nii.gz gives sub-01_task-rest, a/run_3.nii gives run_3.
std::string stem_of(const std::string& path);

}  // namespace ratnet::inline v1
