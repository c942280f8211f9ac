// How an operation reaches a device.
#pragma once

#include <algorithm>
#include <utility>

#include "../core/precision.h"
#include "../core/queue.h"
#include "ops.h"

namespace ratnet::inline v1 {

// Checks the operation's arguments, then hands it to the queue's backend. While queue.survey is
// set nothing runs: what the operation would need is written there instead. Throws Error: usage
// where the arguments do not fit together, else what the backend says.
template <class Op>
void submit(Queue& queue, const Op& op) {
  constexpr std::size_t index = index_of<Op>(AllOps{});
  static_assert(index < AllOps::size, "the operation is missing in kernels/ops.h");
  op.check();
  if constexpr (requires { op.precision; })
    if (op.precision != Precision::f32 && !queue.multiplies_rounded)
      fail(ErrorKind::device, to_string(queue.device), " multiplies in f32, not in ",
           name_of(op.precision), ", which is for GPUs");
  const OpEntry& entry = queue.entries[index];
  if (queue.survey) {
    OpNote note;
    checked([&](char* why, std::size_t room) { return entry.plan(queue, &op, note, why, room); });
    Survey& survey = *queue.survey;
    if (queue.prepared && note.prepared_bytes > 0)
      std::exchange(queue.prepared, nullptr)->bytes = note.prepared_bytes;
    else
      note.scratch_bytes += note.prepared_bytes;
    survey.steps.push_back({Op::kName, note.algorithm, note.scratch_bytes});
    survey.scratch_bytes = std::max(survey.scratch_bytes, note.scratch_bytes);
    return;
  }
  checked([&](char* why, std::size_t room) { return entry.run(queue, &op, why, room); });
}

}  // namespace ratnet::inline v1
