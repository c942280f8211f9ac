// Output files, looked at before the work that fills them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ratnet::inline v1 {

// Throws Error (file_system) where a file could not be written at `path`, so that a long task does
// not learn it at its end. The file itself is left as it is.
void check_can_write(const std::string& path);

// With the folders above it. Throws Error (file_system) where it cannot be made.
void make_folder(const std::string& folder);

// Files that come to their places together, or not at all: until commit() they lie in a hidden
// folder, which goes with the object. Every member throws Error (file_system).
class StagedFiles {
 public:
  // folder: where the hidden one is made, with the first file; on one disk with all places.
  explicit StagedFiles(const std::string& folder);
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  void add(const std::string& path, std::string_view content);
  bool holds(const std::string& path) const;
  // Gives up all but the first `count`.
  void keep(std::size_t count);
  void commit();

 private:
  std::string staged(std::size_t n) const;

  std::string folder_;
  std::vector<std::string> paths_;
};

}  // namespace ratnet::inline v1
