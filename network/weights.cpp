#include "weights.h"

#include <cmath>

#include "../core/random.h"

namespace ratnet::inline v1 {
namespace {

double draw(Random& random, const WeightSpec& spec) {
  const auto in = static_cast<double>(spec.fan_in);
  const double both = in + static_cast<double>(spec.fan_out);
  switch (spec.init) {
    case Init::zeros: return 0;
    case Init::ones: return 1;
    case Init::he_normal: return random.normal(0, std::sqrt(2 / in));
    case Init::he_uniform: {
      const double limit = std::sqrt(6 / in);
      return random.uniform(-limit, limit);
    }
    case Init::glorot_normal: return random.normal(0, std::sqrt(2 / both));
    case Init::glorot_uniform: {
      const double limit = std::sqrt(6 / both);
      return random.uniform(-limit, limit);
    }
    case Init::truncated_normal: {
      double z = random.normal();
      while (std::abs(z) > 2) z = random.normal();
      return z * std::sqrt(2 / both);
    }
  }
  return 0;
}

template <class T>
void fill(Tensor& tensor, Random& random, const WeightSpec& spec) {
  for (T& value : tensor.values<T>()) value = static_cast<T>(draw(random, spec));
}

}  // namespace

bool matches(std::string_view name, std::string_view pattern) {
  std::size_t n = 0, p = 0, star = std::string_view::npos, mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Weights Weights::initialised(const Graph& graph, std::uint64_t seed, DType dtype) {
  require(dtype == DType::f32 || dtype == DType::f64, "weights are f32 or f64, not ",
          name_of(dtype));
  Weights weights;
  std::uint64_t stream = 0;
  for (const auto& [name, spec] : graph.weights()) {
    Random random(seed, stream++);
    Tensor value(spec.shape, dtype);
    if (dtype == DType::f32)
      fill<float>(value, random, spec);
    else
      fill<double>(value, random, spec);
    weights.add(name, std::move(value));
    weights.entries().back().statistic = spec.statistic;
  }
  return weights;
}

Weights::Entry& Weights::find(std::string_view name) {
  for (Entry& entry : entries_)
    if (entry.name == name) return entry;
  fail(ErrorKind::usage, "there is no weight '", std::string(name), "'");
}

const Weights::Entry& Weights::find(std::string_view name) const {
  return const_cast<Weights*>(this)->find(name);
}

void Weights::add(std::string name, Tensor value) {
  for (const Entry& entry : entries_)
    require(entry.name != name, "two weights are called '", name, "'");
  entries_.push_back({std::move(name), std::move(value)});
}

int Weights::freeze(std::string_view pattern, bool frozen) {
  int count = 0;
  for (Entry& entry : entries_)
    if (matches(entry.name, pattern)) {
      entry.frozen = frozen;
      ++count;
    }
  return count;
}

std::int64_t Weights::count() const {
  std::int64_t total = 0;
  for (const Entry& entry : entries_) total += entry.value.count();
  return total;
}

Weights Weights::clone() const {
  Weights copy;
  for (const Entry& entry : entries_)
    copy.entries_.push_back({entry.name, entry.value.clone(), entry.frozen, entry.statistic});
  return copy;
}

void Weights::check_against(const Graph& graph) const {
  const auto wanted = graph.weights();
  for (const auto& [name, spec] : wanted) {
    const Entry* found = nullptr;
    for (const Entry& entry : entries_)
      if (entry.name == name) found = &entry;
    if (!found) fail(ErrorKind::input, "weight '", name, "' is missing");
    if (found->value.shape() != spec.shape)
      fail(ErrorKind::input, "weight '", name, "' has shape ", to_string(found->value.shape()),
           ", the graph asks for ", to_string(spec.shape));
  }
  if (wanted.size() != entries_.size())
    fail(ErrorKind::input, "there are ", entries_.size(), " weights, the graph has ",
         wanted.size());
}

void Weights::match(const Graph& graph) {
  check_against(graph);
  for (const auto& [name, spec] : graph.weights()) find(name).statistic = spec.statistic;
}

}  // namespace ratnet::inline v1
