// What `evaluate` says of models that `train --graph` made, and figures to hold it against.
#pragma once

#include <nlohmann/json.hpp>

#include "graph_files.h"

namespace ratnet::test {

constexpr std::size_t kPixels = GraphFiles::pixels, kSide = GraphFiles::side;

inline nlohmann::json evaluated(const GraphFiles& files, const std::string& line) {
  const std::string figures = files.path("figures.json");
  well("evaluate " + line + " --json " + figures);
  return nlohmann::json::parse(contents(figures));
}

inline double number(const TsvTable& table, std::size_t row, const std::string& column) {
  return std::stod(table.text(row, column));
}

// Every figure that `train --json` wrote stands the same at the top.
inline void check_same_figures(const nlohmann::json& evaluation, const std::string& trained) {
  const nlohmann::json figures = nlohmann::json::parse(contents(trained + ".json"));
  CHECK(figures.size() >= 2);
  for (const auto& [name, value] : figures.items()) {
    INFO(name);
    CHECK(evaluation.at(name) == value);
  }
}

// The share of pairs of one of the class and one of another in which the first has more, ties half.
inline double auroc(const std::vector<double>& p, const std::vector<bool>& is) {
  double above = 0, pairs = 0;
  for (std::size_t a = 0; a < p.size(); ++a)
    for (std::size_t b = 0; b < p.size(); ++b) {
      if (!is[a] || is[b]) continue;
      ++pairs;
      above += p[a] > p[b] ? 1 : p[a] == p[b] ? 0.5 : 0;
    }
  return above / pairs;
}

inline bool says(const nlohmann::json& sentences, const std::string& part) {
  for (const nlohmann::json& sentence : sentences)
    if (sentence.get<std::string>().find(part) != std::string::npos) return true;
  return false;
}

}  // namespace ratnet::test
