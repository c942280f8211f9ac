// The values of a network: named tensors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../core/tensor.h"
#include "graph.h"

namespace ratnet::inline v1 {

// Whether a weight's name fits a pattern, in which `*` stands for any characters, also none.
bool matches(std::string_view name, std::string_view pattern);

// Tensors by name ("conv1/weight"), in the order of the graph. All of one type, f32 or f64.
class Weights {
 public:
  struct Entry {
    std::string name;
    Tensor value;
    bool frozen = false;     // training leaves it as it is
    bool statistic = false;  // forward in training brings it up to date, no optimiser does
  };

  Weights() = default;
  // Values drawn as the layers' specifications say; the same seed gives the same values.
  static Weights initialised(const Graph& graph, std::uint64_t seed, DType dtype = DType::f32);

  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }
  // Throws Error (usage) where there is none of that name.
  Entry& find(std::string_view name);
  const Entry& find(std::string_view name) const;
  // Adds an entry; names are unique.
  void add(std::string name, Tensor value);

  // Freezes (or thaws) all whose name matches; `*` stands for any characters. Returns how many.
  int freeze(std::string_view pattern, bool frozen = true);

  std::int64_t count() const;  // of all numbers
  Weights clone() const;
  // Throws Error (input) unless names and shapes are those the graph asks for.
  void check_against(const Graph& graph) const;
  // Does so and marks the statistics, which files do not.
  void match(const Graph& graph);

 private:
  std::vector<Entry> entries_;
};

}  // namespace ratnet::inline v1
