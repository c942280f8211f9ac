#include "inputs.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>

#include "../../imaging/nifti.h"

namespace ratnet::inline v1 {

namespace fs = std::filesystem;

namespace {

bool is_scan_or_slices(const fs::path& file) {
  const std::string path = file.string();
  if (path.ends_with(kAnomalyMapEnding) || path.ends_with(kPredictedEnding) ||
      file.filename() == kAnomalyScoresFile)
    return false;
  if (is_hdf5_name(path)) return true;
  const bool image_of_pair = path.ends_with(".img") || path.ends_with(".img.gz");
  return is_nifti_name(path) && !image_of_pair && !base_of(path).ends_with("_mask");
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Whether the ending is that of a file of the kind that was asked for.
bool ends_as(const std::string& path, const std::string& suffix) {
  const std::string base = base_of(path);
  return suffix.empty() || base == suffix || base.ends_with("_" + suffix);
}

// Where the suffix of a BIDS name begins, with its "_"; npos where there is none.
std::size_t suffix_place(const std::string& base) {
  const std::size_t suffix = base.rfind('_');
  if (!base.starts_with("sub-") || suffix == std::string::npos ||
      base.find('-', suffix) != std::string::npos)
    return std::string::npos;
  return suffix;
}

}  // namespace

bool is_hdf5_name(const std::string& path) {
  return path.ends_with(".h5") || path.ends_with(".hdf5");
}

std::vector<Input> find_inputs(const std::vector<std::string>& arguments,
                               const std::string& suffix) {
  std::vector<Input> inputs;
  for (const std::string& argument : arguments) {
    if (!is_folder(argument)) {
      inputs.push_back({argument, ""});
      continue;
    }
    std::vector<Input> found;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(
             argument, fs::directory_options::skip_permission_denied, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error))
      if (it->is_regular_file(error) && is_scan_or_slices(it->path()) &&
          ends_as(it->path().string(), suffix))
        found.push_back({it->path().string(),
                         fs::relative(it->path().parent_path(), argument, error).string(), true});
    if (error) fail(ErrorKind::file_system, argument, ": cannot be listed: ", error.message());
    if (found.empty())
      fail(ErrorKind::input, argument, ": holds no .nii, .nii.gz or .h5 file",
           suffix.empty() ? "" : text(" named ", suffix, " or ..._", suffix),
           " but masks and results");
    std::sort(found.begin(), found.end(),
              [](const Input& a, const Input& b) { return a.path < b.path; });
    inputs.insert(inputs.end(), found.begin(), found.end());
  }
  return inputs;
}

void check_suffix(const std::string& suffix, const std::vector<std::string>& arguments) {
  require(suffix.empty() || std::ranges::any_of(arguments, is_folder),
          "--suffix chooses among the files of a folder, and none is named");
}

void check_distinct(std::span<const Input> inputs, std::span<const std::string> outputs) {
  std::map<std::string, std::string> taken;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto [other, fresh] = taken.emplace(outputs[i], inputs[i].path);
    require(fresh, other->second, " and ", inputs[i].path, " would both write ", outputs[i],
            "; name them in two runs with an output folder each");
  }
}

void UnusableInputs::try_one(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    if (inputs_ == 1 || error.kind() != ErrorKind::input) throw;
    std::fprintf(stderr, "ratnet: %s\n", error.what());
    if (!first_) first_ = error;
    ++unusable_;
  }
}

void UnusableInputs::throw_if_any() const {
  if (first_)
    fail(ErrorKind::input, unusable_, " of ", inputs_,
         " files could not be used; the first: ", first_->what());
}

std::string base_of(const std::string& path) {
  std::string base = fs::path(path).filename().string();
  for (const char* extension : {".gz", ".nii", ".hdr", ".img", ".h5", ".hdf5"})
    if (base.ends_with(extension)) base.resize(base.size() - std::string_view(extension).size());
  return base;
}

std::string stem_of(const std::string& path) {
  const std::string base = base_of(path);
  return base.substr(0, suffix_place(base));
}

std::string suffix_of(const std::string& path) {
  const std::string base = base_of(path);
  const std::size_t suffix = suffix_place(base);
  return suffix == std::string::npos ? base : base.substr(suffix + 1);
}

std::string stated_subject(const Input& input) {
  const std::string base = base_of(input.path);
  if (base.starts_with("sub-")) return base.substr(0, base.find('_'));
  for (const fs::path& folder : fs::path(input.subfolder))
    if (folder.string().starts_with("sub-")) return folder.string();
  return "";
}

std::string subject_of(const Input& input) {
  const std::string stated = stated_subject(input);
  return stated.empty() ? base_of(input.path) : stated;
}

}  // namespace ratnet::inline v1
