// Who chooses among the algorithms of an operation in place of a backend's own rule.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

// Asked when a plan is made, never in a run. network/tuning.h has the one that measures.
class Tuner {
 public:
  // How candidates can be tried on the problem.
  struct Trial {
    // Before the first run. Throws Error (device) where there is no memory for it.
    std::function<void()> prepare;
    // Runs that candidate, on the same numbers each time, on the calling thread alone.
    std::function<void(std::size_t candidate)> run;
  };
  struct Choice {
    std::size_t candidate = 0;
    double gain = 1;           // how many times as fast as the first
    std::string why_not = {};  // it was not measured, which leaves the first; else empty
  };

  virtual ~Tuner() = default;
  // problem: what the algorithms are for, without the size of the batch, and the instruction set.
  // candidates: the names of two or more that take it, the one that the rule takes first. To the
  // same question there is always the same answer.
  virtual Choice choose(const std::string& problem, const std::vector<std::string>& candidates,
                        const Trial& trial) = 0;
};

}  // namespace ratnet::inline v1
