// An ordered list of algorithms for one call: the first that does not decline is taken.
#pragma once

#include <cstdio>
#include <string>

#include "conv_gemm.h"
#include "cuda_queue.h"

namespace ratnet::inline v1 {

// Call: ConvForward, ConvData or ConvWeights. Both questions are asked before the first run of a
// call of those sizes, so that a library may prepare there what a capture must not see.
template <class Call>
struct CudaAlgorithm {
  const char* name;
  // Why it does not take this call, in a few words, or "" to be left out of the note; nullptr where
  // it does. Valid until the queue's next question.
  const char* (*declines)(CudaQueue&, const Call&);
  // Its name with what it chose, and its working memory; only where it does not decline.
  OpNote (*plan)(CudaQueue&, const Call&);
  void (*run)(CudaQueue&, const Call&);
};

// The last algorithm takes everything.
template <class Call, std::size_t n>
const CudaAlgorithm<Call>& choose(const CudaAlgorithm<Call>* const (&algorithms)[n],
                                  CudaQueue& queue, const Call& call) {
  for (const CudaAlgorithm<Call>* algorithm : algorithms)
    if (!algorithm->declines(queue, call)) return *algorithm;
  return *algorithms[n - 1];
}

// What `choose` takes, with the reasons of those before it.
template <class Call, std::size_t n>
OpNote describe(const CudaAlgorithm<Call>* const (&algorithms)[n], CudaQueue& queue,
                const Call& call) {
  const CudaAlgorithm<Call>& chosen = choose(algorithms, queue, call);
  OpNote note = chosen.plan(queue, call);
  std::string line = note.algorithm;
  for (const CudaAlgorithm<Call>* algorithm : algorithms) {
    if (algorithm == &chosen) break;
    if (const char* why = algorithm->declines(queue, call); *why)
      line += text("; ", algorithm->name, " declined: ", why);
  }
  std::snprintf(note.algorithm, sizeof note.algorithm, "%s", line.c_str());
  return note;
}

}  // namespace ratnet::inline v1
