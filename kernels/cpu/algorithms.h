// An ordered list of algorithms for one operation: the first that does not decline is taken, unless
// a tuner chose another.
#pragma once

#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include "cpu_queue.h"
#include "tuned.h"

namespace ratnet::inline v1 {

// What an algorithm has while it runs.
struct Lent {
  const float* weights;  // as `prepare` wrote them; nullptr where it is absent
  void* scratch;         // scratch_bytes of it
};

template <class Op>
struct Algorithm {
  const char* name;
  // Why it does not take this problem, in a sentence; nullptr where it does.
  const char* (*declines)(const Op&);
  std::size_t (*scratch_bytes)(const CpuQueue&, const Op&);
  void (*run)(CpuQueue&, const Op&, const Lent&);
  // Absent where the weights are read in place. Neither depends on the batch. prepared_bytes is 0
  // for problems whose weights are; else `prepare` writes the form that `run` computes with.
  std::size_t (*prepared_bytes)(const Op&) = nullptr;
  void (*prepare)(CpuQueue&, const Op&, float* to) = nullptr;

  std::size_t weight_bytes(const Op& op) const {
    constexpr std::size_t kAlign = 64;
    return prepared_bytes ? (prepared_bytes(op) + kAlign - 1) / kAlign * kAlign : 0;
  }
};

// The rule. The last algorithm takes everything.
template <class Op>
const Algorithm<Op>& choose(std::span<const Algorithm<Op>> algorithms, const Op& op) {
  for (const Algorithm<Op>& algorithm : algorithms)
    if (!algorithm.declines(op)) return algorithm;
  return algorithms.back();
}

// What the queue's tuner has chosen, where it was asked; else the rule.
template <class Op>
const Algorithm<Op>& choose(const CpuQueue& queue, std::span<const Algorithm<Op>> algorithms,
                            const Op& op) {
  if (!queue.tuned.empty())
    if (const auto found = queue.tuned.find(ProblemKey(op).words()); found != queue.tuned.end())
      return *static_cast<const Algorithm<Op>*>(found->second.algorithm);
  return choose(algorithms, op);
}

// Runs what `choose` takes. Weights are prepared in the memory lent for it, if they are not there
// from an earlier run, else in working memory, at every call.
template <class Op>
void run_chosen(CpuQueue& queue, const Op& op, std::span<const Algorithm<Op>> algorithms) {
  const Algorithm<Op>& chosen = choose(queue, algorithms, op);
  const std::size_t weights = chosen.weight_bytes(op);
  const std::size_t scratch = chosen.scratch_bytes(queue, op);
  if (weights == 0) return chosen.run(queue, op, {nullptr, queue.working_memory(scratch)});
  PreparedWeights* const prepared = std::exchange(queue.prepared, nullptr);
  if (!prepared || prepared->bytes != weights) {
    auto* const memory = static_cast<char*>(queue.working_memory(weights + scratch));
    auto* const to = reinterpret_cast<float*>(memory);
    chosen.prepare(queue, op, to);
    return chosen.run(queue, op, {to, memory + weights});
  }
  auto* const to = static_cast<float*>(prepared->memory);
  if (prepared->form != &chosen) {
    prepared->form = nullptr;
    chosen.prepare(queue, op, to);
    prepared->form = &chosen;
  }
  chosen.run(queue, op, {to, queue.working_memory(scratch)});
}

// What `choose` takes, with the reasons of those before it. Asks the queue's tuner, if it has one.
template <class Op>
OpNote describe(std::span<const Algorithm<Op>> algorithms, CpuQueue& queue, const Op& op) {
  tune(queue, algorithms, op);
  const Algorithm<Op>& chosen = choose(queue, algorithms, op);
  std::string line = chosen.name + tuner_words(queue, choose(algorithms, op), op);
  for (const Algorithm<Op>& algorithm : algorithms) {
    if (&algorithm == &chosen) break;
    if (const char* const reason = algorithm.declines(op))
      line += std::string("; not ") + algorithm.name + ": " + reason;
  }
  OpNote note;
  note.scratch_bytes = chosen.scratch_bytes(queue, op);
  note.prepared_bytes = chosen.weight_bytes(op);
  std::snprintf(note.algorithm, sizeof note.algorithm, "%s", line.c_str());
  return note;
}

}  // namespace ratnet::inline v1
