// Tables as BIDS wants them: tab-separated values with a JSON sidecar that explains the columns
// (Brain Imaging Data Structure 1.8, "Tabular files").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../../core/atomic_file.h"

namespace ratnet::inline v1 {

// One cell, or one fact in a sidecar. Numbers are written with the fewest digits that read back as
// the same value; a missing value (monostate), NaN and empty text are "n/a"; infinities "inf" and
// "-inf"; truth is "true" or "false". Tabs, line ends and other control characters in text become
// spaces.
using TsvValue = std::variant<std::monostate, bool, std::int64_t, float, double, std::string>;
std::string tsv_text(const TsvValue& value);

struct TsvColumn {
  std::string name;
  std::string description;
  std::string units{};                                        // "s", ...; may be empty
  std::vector<std::pair<std::string, std::string>> levels{};  // value, what it means
};

// A table written row by row, whole or absent.
class TsvFile {
 public:
  // Writes the line of column names. Throws Error: usage (no columns), file_system.
  TsvFile(const std::string& path, std::span<const TsvColumn> columns);

  // Throws Error: usage when there are not as many values as columns, file_system.
  void row(std::span<const TsvValue> values);
  void commit();

 private:
  void add(const std::string& line);

  AtomicFile file_;
  std::size_t columns_;
  std::string buffer_;
};

// {"<fact>": value, ..., "<column>": {"Description": ..., "Units": ..., "Levels": {...}}, ...}
// Numbers stay numbers; what JSON has no number for becomes "n/a". Text that is no UTF-8 is
// repaired with U+FFFD.
std::string tsv_sidecar(std::span<const TsvColumn> columns,
                        std::span<const std::pair<std::string, TsvValue>> facts = {});

}  // namespace ratnet::inline v1
