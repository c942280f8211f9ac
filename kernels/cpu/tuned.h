// What a queue's tuner has chosen, and how it tries algorithms.
#pragma once

#include <algorithm>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../../core/free_memory.h"
#include "../../core/tensor.h"
#include "../../core/tuner.h"
#include "cpu_queue.h"
#include "instruction_set.h"
#include "problem_key.h"

namespace ratnet::inline v1 {

template <class Op>
struct Algorithm;

// An operation of the same problem on memory of its own: the candidates run on it on one thread, on
// so many samples that a batch's gain shows, with weights prepared beforehand, as inference has
// them. None of that depends on the batch or the threads of whoever asks.
template <class Op>
class TrialOp {
 public:
  TrialOp(const Op& op, const std::vector<const Algorithm<Op>*>& candidates)
      : op_(op), candidates_(candidates), queue_(open_cpu(1)) {}

  // Throws Error (device) where there is not enough memory.
  void prepare() {
    CpuQueue& queue = static_cast<CpuQueue&>(*queue_);
    std::int64_t elements = 0;  // of one sample
    for_tensors(op_, [&](const char*, auto& view, bool has_batch) {
      if (!view || !has_batch) return;
      view.shape = view.shape.with_first(1);
      elements += view.count();
    });
    const std::int64_t samples =
        std::clamp<std::int64_t>(kElements / std::max<std::int64_t>(elements, 1), 1, kMostSamples);
    std::size_t bytes = 0, scratch = 0;
    for_tensors(op_, [&](const char*, auto& view, bool has_batch) {
      if (!view) return;
      if (has_batch) view.shape = view.shape.with_first(samples);
      bytes += view.bytes();
    });
    for (const Algorithm<Op>* candidate : candidates_) {
      scratch = std::max(scratch, candidate->scratch_bytes(queue, op_));
      bytes += candidate->weight_bytes(op_);
    }
    const std::size_t room = free_memory();
    if (bytes + scratch > room)
      fail(ErrorKind::device, "measuring needs ", bytes + scratch, " bytes, ", room, " are free");
    for_tensors(op_, [&](const char*, auto& view, bool) {
      if (!view) return;
      Tensor& tensor = tensors_.emplace_back(view.shape, view.dtype);
      if (view.dtype != DType::u8) fill(tensor);
      view.data = tensor.data();
    });
    scratch_ = Tensor({static_cast<std::int64_t>(scratch)}, DType::u8);
    for (const Algorithm<Op>* candidate : candidates_) {
      const std::size_t weights = candidate->weight_bytes(op_);
      weights_.push_back(weights ? allocate_aligned(weights) : AlignedMemory());
      if (weights) candidate->prepare(queue, op_, static_cast<float*>(weights_.back().get()));
    }
  }

  void run(std::size_t candidate) {
    candidates_[candidate]->run(
        static_cast<CpuQueue&>(*queue_), op_,
        {static_cast<const float*>(weights_[candidate].get()), scratch_.data()});
  }

 private:
  // What the gradient of weights costs once, at its end, counts less the more samples it sums over;
  // and only training computes it, on many.
  static constexpr bool kSumsOverBatch = requires(Op op) { op.dweight; };
  static constexpr std::int64_t kElements = kSumsOverBatch ? 1 << 21 : 1 << 18;
  static constexpr std::int64_t kMostSamples = kSumsOverBatch ? 16 : 8;

  // Numbers of all signs between -1 and 1.
  static void fill(Tensor& tensor) {
    for_type(tensor.dtype(), [&](auto type) {
      using T = decltype(type);
      std::uint32_t i = 0;
      for (T& value : tensor.values<T>())
        value = static_cast<T>(static_cast<double>(i++ * 2654435761u >> 8) * 0x1p-23 - 1);
    });
  }

  Op op_;
  std::vector<const Algorithm<Op>*> candidates_;
  QueueHandle queue_;
  std::vector<Tensor> tensors_;
  Tensor scratch_;
  std::vector<AlignedMemory> weights_;
};

// Asks the queue's tuner, once and only while plans are made, about a problem that several
// algorithms take.
template <class Op>
void tune(CpuQueue& queue, std::span<const Algorithm<Op>> algorithms, const Op& op) {
  if (!queue.tuner || !queue.survey) return;
  const ProblemKey key(op);
  if (key.words().empty() || queue.tuned.contains(key.words())) return;
  std::vector<const Algorithm<Op>*> candidates;
  std::vector<std::string> names;
  for (const Algorithm<Op>& algorithm : algorithms) {
    if (algorithm.declines(op)) continue;
    candidates.push_back(&algorithm);
    names.emplace_back(algorithm.name);
  }
  if (candidates.size() < 2) return;
  const std::string problem(key.words());
  TrialOp<Op> trial(op, candidates);
  const Tuner::Choice choice =
      queue.tuner->choose(instruction_set() + " " + problem, names,
                          {.prepare = [&] { trial.prepare(); },
                           .run = [&](std::size_t candidate) { trial.run(candidate); }});
  queue.tuned[problem] = {candidates.at(choice.candidate), choice.gain, choice.why_not};
}

// What the tuner said about the problem, to go on with after the algorithm's name; "" where it was
// not asked.
template <class Op>
std::string tuner_words(const CpuQueue& queue, const Algorithm<Op>& by_rule, const Op& op) {
  const auto found = queue.tuned.find(ProblemKey(op).words());
  if (found == queue.tuned.end()) return "";
  const TunedChoice& choice = found->second;
  if (!choice.why_not.empty()) return "; by rule, not measured: " + choice.why_not;
  if (choice.algorithm == &by_rule) return "; measured, as the rule has it";
  char words[96];
  std::snprintf(words, sizeof words, "; measured, %.2f times as fast as the rule's %s", choice.gain,
                by_rule.name);
  return words;
}

}  // namespace ratnet::inline v1
