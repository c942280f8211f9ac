// A chain of convolutions as one convolution after the other, on any backend.
#pragma once

#include <algorithm>
#include <cstdio>

#include "conv.h"
#include "conv_chain.h"
#include "pointwise.h"

namespace ratnet::inline v1 {

// Stage i as a convolution from x to y; their memory may be missing where only shapes matter.
// Throws Error (usage) where the stage's window does not fit x.
inline Conv stage_of(const ConvChain& op, int i, const ConstView& x, void* y) {
  const ConvChain::Stage& stage = op.stages[i];
  Shape shape = stage.window.output(x.shape, stage.weight.shape.back(), Conv::kName);
  if (stage.pool.rank) shape = stage.pool.output(shape, shape.back(), Conv::kName);
  return {.x = x,
          .weight = stage.weight,
          .bias = stage.bias,
          .y = View(y, DType::f32, shape),
          .window = stage.window,
          .activation = stage.activation,
          .slope = stage.slope,
          .pool = stage.pool,
          .precision = op.precision};
}

// Whether the numbers have to be converted or multiplied before the first convolution.
inline bool scales_first(const ConvChain& op) { return op.x.dtype != DType::f32 || op.scale; }

// What lies between two stages goes to the two halves of working memory by turns; a convolution's
// own working memory follows them.
struct ChainMemory {
  std::size_t half_bytes = 0;
  std::size_t stage_bytes = 0;

  std::size_t bytes() const { return 2 * half_bytes + stage_bytes; }
};

template <class BackendQueue>
ChainMemory chain_memory(BackendQueue& queue, const ConvChain& op) {
  ChainMemory memory;
  const auto add = [&](const ConstView& between) {
    constexpr std::size_t kAlign = 256;
    const std::size_t bytes = (between.bytes() + kAlign - 1) / kAlign * kAlign;
    memory.half_bytes = std::max(memory.half_bytes, bytes);
  };
  ConstView x(nullptr, DType::f32, op.x.shape);
  if (scales_first(op)) add(x);
  for (int i = 0; i < op.count; ++i) {
    const Conv stage = stage_of(op, i, x, nullptr);
    const OpNote note = plan(queue, stage);
    memory.stage_bytes = std::max(memory.stage_bytes, note.scratch_bytes + note.prepared_bytes);
    x = stage.y;
    if (i + 1 < op.count) add(x);
  }
  return memory;
}

// why: the reason for this way, a sentence's part.
template <class BackendQueue>
OpNote plan_stages(BackendQueue& queue, const ConvChain& op, const char* why) {
  OpNote note;
  note.scratch_bytes = chain_memory(queue, op).bytes();
  note.pays = false;
  std::snprintf(note.algorithm, sizeof note.algorithm, "stage by stage; %s", why);
  return note;
}

template <class BackendQueue>
void run_stages(BackendQueue& queue, const ConvChain& op) {
  const ChainMemory memory = chain_memory(queue, op);
  auto* const halves = static_cast<std::byte*>(queue.working_memory(memory.bytes()));
  // While the stages run, what follows the halves is what there is to lend.
  struct Lend {
    Queue& queue;
    void* const scratch = queue.scratch;
    const std::size_t bytes = queue.scratch_bytes;
    ~Lend() {
      queue.scratch = scratch;
      queue.scratch_bytes = bytes;
    }
  } lend{queue};
  queue.scratch = halves + 2 * memory.half_bytes;
  queue.scratch_bytes = memory.stage_bytes;

  int turn = 0;
  const auto next_half = [&] {
    return halves + static_cast<std::size_t>(turn++ % 2) * memory.half_bytes;
  };
  ConstView x = op.x;
  if (scales_first(op)) {
    const View scaled(next_half(), DType::f32, op.x.shape);
    run(queue, Convert{.x = op.x, .y = scaled, .scales = op.scale});
    x = scaled;
  }
  for (int i = 0; i < op.count; ++i) {
    const Conv stage = stage_of(op, i, x, i + 1 < op.count ? next_half() : op.y.data);
    run(queue, stage);
    x = stage.y;
  }
}

}  // namespace ratnet::inline v1
