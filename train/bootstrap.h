// Confidence intervals by resampling whole subjects.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace ratnet::inline v1 {

struct BootstrapOptions {
  int resamples = 1000;
  double confidence = 0.95;
  std::uint64_t seed = 0;  // resample r draws from stream r of this seed
};

struct Interval {
  double low = 0;
  double high = 0;
  bool by_subject = false;   // false: samples were drawn one by one, as if independent
  std::int64_t units = 0;    // how many subjects (or samples) there are
  std::int64_t defined = 0;  // in how many resamples the statistic was not NaN
};

// A statistic of the data in which sample i is taken counts[i] times. NaN where it is not defined.
using Statistic = std::function<double(std::span<const std::uint32_t> counts)>;

// Percentile interval (Efron 1979): each resample draws as many subjects as there are, with
// replacement, each with all its samples, since samples of one subject resemble each other and
// drawing them one by one would give an interval that is too narrow. `subjects` [n] names each
// sample's subject; empty where none are known: samples are then drawn, and by_subject is false.
// Resamples in which the statistic is NaN (a class is absent) are left out and counted; when they
// are more than half, or n is 0, low and high are NaN. Throws Error (usage) for bad options or when
// the number of subjects is neither 0 nor n.
Interval bootstrap_interval(std::int64_t n, std::span<const std::string> subjects,
                            const Statistic& statistic, const BootstrapOptions& options = {});

}  // namespace ratnet::inline v1
