// An ordered list of algorithms for one operation: the first that does not decline is taken.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "cpu_queue.h"

namespace ratnet::inline v1 {

template <class Op>
struct Algorithm {
  const char* name;
  // Why it does not take this problem, in a sentence; nullptr where it does.
  const char* (*declines)(const Op&);
  std::size_t (*scratch_bytes)(const CpuQueue&, const Op&);
  void (*run)(CpuQueue&, const Op&);
};

// The last algorithm takes everything.
template <class Op>
const Algorithm<Op>& choose(std::span<const Algorithm<Op>> algorithms, const Op& op) {
  for (const Algorithm<Op>& algorithm : algorithms)
    if (!algorithm.declines(op)) return algorithm;
  return algorithms.back();
}

// What `choose` takes, with the reasons of those before it.
template <class Op>
OpNote describe(std::span<const Algorithm<Op>> algorithms, const CpuQueue& queue, const Op& op) {
  const Algorithm<Op>& chosen = choose(algorithms, op);
  std::string line = chosen.name;
  for (const Algorithm<Op>& algorithm : algorithms) {
    if (&algorithm == &chosen) break;
    line += std::string("; not ") + algorithm.name + ": " + algorithm.declines(op);
  }
  OpNote note;
  note.scratch_bytes = chosen.scratch_bytes(queue, op);
  std::snprintf(note.algorithm, sizeof note.algorithm, "%s", line.c_str());
  return note;
}

}  // namespace ratnet::inline v1
