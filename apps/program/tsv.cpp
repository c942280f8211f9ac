#include "tsv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "../../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kBufferSize = 1 << 16;

template <class Number>
std::string shortest(Number value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

nlohmann::ordered_json json_value(const TsvValue& value) {
  return std::visit(
      [&](const auto& held) -> nlohmann::ordered_json {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_floating_point_v<Held>) {
          // Through text, so that 0.1f is written 0.1.
          if (std::isfinite(held)) return nlohmann::ordered_json::parse(shortest(held));
        } else if constexpr (!std::is_same_v<Held, std::monostate>) {
          return held;
        }
        return tsv_text(value);
      },
      value);
}

}  // namespace

std::string tsv_text(const TsvValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) {
          return "n/a";
        } else if constexpr (std::is_same_v<Held, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, std::string>) {
          std::string clean = held.empty() ? "n/a" : held;
          std::replace_if(
              clean.begin(), clean.end(),
              [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }, ' ');
          return clean;
        } else if constexpr (std::is_floating_point_v<Held>) {
          return std::isnan(held) ? "n/a" : shortest(held);
        } else {
          return shortest(held);
        }
      },
      value);
}

TsvFile::TsvFile(const std::string& path, std::span<const TsvColumn> columns)
    : file_(path), columns_(columns.size()) {
  require(!columns.empty(), path, ": a table without columns");
  std::string line;
  for (const TsvColumn& column : columns)
    line += (line.empty() ? "" : "\t") + tsv_text(column.name);
  add(line);
}

void TsvFile::row(std::span<const TsvValue> values) {
  require(values.size() == columns_, "a row of ", values.size(), " values in a table of ", columns_,
          " columns");
  std::string line;
  for (std::size_t i = 0; i < values.size(); ++i) line += (i > 0 ? "\t" : "") + tsv_text(values[i]);
  add(line);
}

void TsvFile::add(const std::string& line) {
  buffer_ += line;
  buffer_ += '\n';
  if (buffer_.size() < kBufferSize) return;
  file_.write(buffer_);
  buffer_.clear();
}

void TsvFile::commit() {
  file_.write(buffer_);
  buffer_.clear();
  file_.commit();
}

std::string tsv_sidecar(std::span<const TsvColumn> columns,
                        std::span<const std::pair<std::string, TsvValue>> facts) {
  nlohmann::ordered_json sidecar = nlohmann::ordered_json::object();
  for (const auto& [name, value] : facts) sidecar[name] = json_value(value);
  for (const TsvColumn& column : columns) {
    auto& entry = sidecar[column.name] = nlohmann::ordered_json::object();
    entry["Description"] = column.description;
    if (!column.units.empty()) entry["Units"] = column.units;
    for (const auto& [level, meaning] : column.levels) entry["Levels"][level] = meaning;
  }
  return sidecar.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ratnet::inline v1
