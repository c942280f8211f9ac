#include "output.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "../../core/atomic_file.h"
#include "../../core/error.h"

namespace ratnet::inline v1 {

namespace fs = std::filesystem;

void check_can_write(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    fail(ErrorKind::file_system, path, ": is a folder; name a file to write");
  const AtomicFile probe(path);
}

void make_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::file_system, folder, ": cannot make it: ", error.message());
}

StagedFiles::StagedFiles(const std::string& folder)
    : folder_((fs::path(folder) / (".staged-" + std::to_string(getpid()))).string()) {}

StagedFiles::~StagedFiles() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string StagedFiles::staged(std::size_t n) const {
  return (fs::path(folder_) / std::to_string(n)).string();
}

void StagedFiles::add(const std::string& path, std::string_view content) {
  make_folder(folder_);
  write_file(staged(paths_.size()), content);
  paths_.push_back(path);
}

bool StagedFiles::holds(const std::string& path) const {
  return std::ranges::find(paths_, path) != paths_.end();
}

void StagedFiles::keep(std::size_t count) { paths_.resize(std::min(count, paths_.size())); }

void StagedFiles::commit() {
  for (std::size_t n = 0; n < paths_.size(); ++n) {
    make_folder(fs::path(paths_[n]).parent_path().string());
    std::error_code error;
    fs::rename(staged(n), paths_[n], error);
    if (error) fail(ErrorKind::file_system, paths_[n], ": cannot be written: ", error.message());
  }
  paths_.clear();
}

}  // namespace ratnet::inline v1
