// The CPU as a device: work runs at once, on the threads of an Executor.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "../../core/queue.h"
#include "../../core/tensor.h"
#include "../../core/thread_pool.h"
#include "../../core/tuner.h"

namespace ratnet::inline v1 {

// What a tuner chose for a problem.
struct TunedChoice {
  const void* algorithm = nullptr;  // an Algorithm of the problem's operation
  double gain = 1;
  std::string why_not = {};
};

struct CpuQueue : Queue {
  std::shared_ptr<Executor> executor;
  // Where it is there, plans ask it for algorithms, and runs take what it said (tuned.h).
  std::shared_ptr<Tuner> tuner;
  std::map<std::string, TunedChoice, std::less<>> tuned;  // by ProblemKey

  // Working memory of at least that size: the submitter's where it is large enough, else our own.
  // Valid until the operation ends.
  void* working_memory(std::size_t bytes);

 private:
  AlignedMemory own_scratch_;
  std::size_t own_scratch_bytes_ = 0;
};

// A queue on the CPU. executor: who runs the loops; none makes a ThreadPool of `threads`
// (0: every processor this process may use).
QueueHandle open_cpu(int threads = 0);
QueueHandle open_cpu(std::shared_ptr<Executor> executor, std::shared_ptr<Tuner> tuner = nullptr);

// How many elements one piece of a pointwise loop has. Fixed, so that results do not depend on the
// number of threads.
constexpr std::int64_t kPiece = 1 << 15;

// function(first, last) over pieces of 0..n-1 things (rows, say) of so many elements each.
template <class Function>
void for_pieces_of(CpuQueue& queue, std::int64_t n, std::int64_t elements, Function&& function) {
  if (n == 0 || elements == 0) return;
  const std::int64_t piece = std::max<std::int64_t>(1, kPiece / elements);
  parallel_for(*queue.executor, (n + piece - 1) / piece,
               [&](std::int64_t p, int) { function(p * piece, std::min(n, (p + 1) * piece)); });
}
// The same over elements 0..n-1.
template <class Function>
void for_pieces(CpuQueue& queue, std::int64_t n, Function&& function) {
  for_pieces_of(queue, n, 1, function);
}

// function(T{}) with T the type, float or double.
template <class Function>
void for_type(DType dtype, Function&& function) {
  dtype == DType::f64 ? function(double{}) : function(float{});
}

}  // namespace ratnet::inline v1
