#include "inputs.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "../../core/error.h"
#include "../../imaging/nifti.h"

namespace ratnet::inline v1 {

namespace fs = std::filesystem;

bool is_hdf5_name(const std::string& path) {
  return path.ends_with(".h5") || path.ends_with(".hdf5");
}

std::vector<Input> find_inputs(const std::vector<std::string>& arguments) {
  std::vector<Input> inputs;
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (!fs::is_directory(argument, error)) {
      inputs.push_back({argument, ""});
      continue;
    }
    std::vector<Input> found;
    for (auto it = fs::recursive_directory_iterator(
             argument, fs::directory_options::skip_permission_denied, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      const std::string path = it->path().string();
      const bool image_of_pair = path.ends_with(".img") || path.ends_with(".img.gz");
      // What `score` leaves in a folder is no scan.
      const bool result =
          path.ends_with("_desc-anomaly_map.nii.gz") || it->path().filename() == "scores.h5";
      if (it->is_regular_file(error) && !image_of_pair && !result &&
          (is_nifti_name(path) || is_hdf5_name(path)))
        found.push_back(
            {path, fs::relative(it->path().parent_path(), argument, error).string(), true});
    }
    if (error) fail(ErrorKind::file_system, argument, ": cannot be listed: ", error.message());
    if (found.empty()) fail(ErrorKind::input, argument, ": holds no .nii, .nii.gz or .h5 file");
    std::sort(found.begin(), found.end(),
              [](const Input& a, const Input& b) { return a.path < b.path; });
    inputs.insert(inputs.end(), found.begin(), found.end());
  }
  return inputs;
}

std::string stem_of(const std::string& path) {
  std::string stem = fs::path(path).filename().string();
  for (const char* extension : {".gz", ".nii", ".hdr", ".img", ".h5", ".hdf5"})
    if (stem.ends_with(extension)) stem.resize(stem.size() - std::string_view(extension).size());
  const std::size_t suffix = stem.rfind('_');
  if (stem.starts_with("sub-") && suffix != std::string::npos &&
      stem.find('-', suffix) == std::string::npos)
    stem.resize(suffix);
  return stem;
}

}  // namespace ratnet::inline v1
