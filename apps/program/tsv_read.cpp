#include "tsv_read.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "../../core/atomic_file.h"
#include "../../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kLargest = std::size_t{16} << 20;
constexpr std::size_t kMostColumns = 256;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t first = 0;
  for (;;) {
    const std::size_t tab = line.find('\t', first);
    cells.push_back(line.substr(first, tab - first));
    if (tab == std::string::npos) return cells;
    first = tab + 1;
  }
}

}  // namespace

TsvTable::TsvTable(std::string path) : path_(std::move(path)) {
  const std::string content = read_file(path_, kLargest);
  for (std::size_t first = 0, number = 1; first < content.size(); ++number) {
    const std::size_t end = std::min(content.find('\n', first), content.size());
    std::string line = content.substr(first, end - first);
    if (line.ends_with('\r')) line.pop_back();
    first = end + 1;
    if (line.empty()) continue;
    std::vector<std::string> cells = split(line);
    if (columns_.empty()) {
      if (cells.size() > kMostColumns)
        fail(ErrorKind::input, path_, ": has ", cells.size(), " columns, at most ", kMostColumns,
             " are read");
      columns_ = std::move(cells);
      continue;
    }
    if (cells.size() != columns_.size())
      fail(ErrorKind::input, path_, ": line ", number, " has ", cells.size(), " cells, expected ",
           columns_.size(), " separated by tabs");
    cells_.push_back(std::move(cells));
  }
  if (cells_.empty())
    fail(ErrorKind::input, path_, ": has no rows; expected a line of column names and rows below");
}

bool TsvTable::has(const std::string& column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

std::size_t TsvTable::find(const std::string& column) const {
  if (!has(column)) fail(ErrorKind::input, path_, ": has no column '", column, "'");
  return static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), column) -
                                  columns_.begin());
}

const std::string& TsvTable::text(std::size_t row, const std::string& column) const {
  return cells_.at(row)[find(column)];
}

std::int64_t TsvTable::index(std::size_t row, const std::string& column) const {
  const std::string& cell = text(row, column);
  std::int32_t value = -1;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || value < 0)
    fail(ErrorKind::input, path_, ": row ", row + 1, ": '", column, "' is '", cell.substr(0, 32),
         "', expected a whole number from 0");
  return value;
}

}  // namespace ratnet::inline v1
