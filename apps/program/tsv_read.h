// Reads tables of tab-separated values, such as a lab's list of slices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

class TsvTable {
 public:
  // A first line of column names, then rows of as many cells. Line ends may be LF or CR LF. Throws
  // Error: file_system (absent, unreadable), input (above 16 MiB or 256 columns, no such table).
  explicit TsvTable(std::string path);

  std::size_t rows() const { return cells_.size(); }
  bool has(const std::string& column) const;
  // Throws Error (input) where there is no such column.
  const std::string& text(std::size_t row, const std::string& column) const;
  // A whole number from 0 to 2^31 - 1. Throws Error (input) where it is not.
  std::int64_t index(std::size_t row, const std::string& column) const;

 private:
  std::size_t find(const std::string& column) const;

  std::string path_;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> cells_;
};

}  // namespace ratnet::inline v1
