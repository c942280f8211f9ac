#include "../pointwise_chain.h"

#include <algorithm>

#include "../activation.h"
#include "../pointwise.h"
#include "../pointwise_chain_note.h"
#include "cpu_queue.h"
#include "pointwise_pieces.h"

namespace ratnet::inline v1 {
namespace {

// So many elements go through all steps before the next: what lies between stays in the first-level
// cache.
constexpr std::int64_t kBlock = 1024;

void run_step(const PointwiseChain::Step& step, const ConstView& x, const View& y,
              std::int64_t first, std::int64_t last) {
  const PointwiseStep& what = step.what;
  if (what.combine == Combine::add) run_piece(Add{.a = x, .b = step.with, .y = y}, first, last);
  if (what.combine == Combine::multiply) run_piece(Multiply{x, step.with, y}, first, last);
  const bool combined = what.combine != Combine::none;
  if (combined && what.activation == Activation::none) return;
  run_piece(Activate{combined ? ConstView(y) : x, y, what.activation, what.slope}, first, last);
}

}  // namespace

void run(CpuQueue& queue, const PointwiseChain& op) {
  for_pieces(queue, op.y.count(), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t start = first; start < last; start += kBlock) {
      const std::int64_t end = std::min(start + kBlock, last);
      run_step(op.steps[0], op.x, op.y, start, end);
      for (int i = 1; i < op.count; ++i) run_step(op.steps[i], op.y, op.y, start, end);
    }
  });
}

OpNote plan(CpuQueue&, const PointwiseChain& op) { return note_of(op); }

}  // namespace ratnet::inline v1
