// What a plan takes, and its refusal where there is not so much.
#include <cstdio>

#include "plan_state.h"

namespace ratnet::inline v1 {
namespace {

std::string mebibytes(std::size_t bytes) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return buffer;
}

}  // namespace

Plan::Memory Plan::State::memory() const {
  const std::size_t of_gradients = training() ? slot(gradients).view.bytes() : 0;
  return {.activations = arena_bytes - of_gradients,
          .scratch = working_bytes,
          .parameters = parameters->bytes(),
          .gradients = of_gradients,
          .prepared = prepared_bytes};
}

// The largest batch, up to the plan's own, that takes no more than `room` bytes with these options
// but for their batch; 0 where none does.
std::int64_t Plan::State::largest_batch(const Graph& original, PlanOptions trial_options,
                                        std::size_t room) const {
  const auto fits = [&](std::int64_t batch) {
    State trial;
    trial.parameters = parameters;
    trial.options = trial_options;
    trial.options.batch = batch;
    trial.lay_out(original);
    return trial.bytes() + options.memory_beside <= room;
  };
  if (fits(options.batch)) return options.batch;
  std::int64_t fitting = 0, too_large = options.batch;
  while (too_large - fitting > 1) {
    const std::int64_t middle = fitting + (too_large - fitting) / 2;
    (fits(middle) ? fitting : too_large) = middle;
  }
  return fitting;
}

void Plan::State::check_memory(const Graph& original) {
  const std::size_t needed = bytes() + options.memory_beside;
  std::size_t room = options.memory_limit;
  if (room == 0) {
    if (!queue().free_memory || needed <= queue().free_memory(queue())) return;
    wait(queue());  // what others have released may be in use until then
    room = queue().free_memory(queue());
  }
  if (needed <= room) return;
  const Memory parts = memory();
  const std::int64_t plain = largest_batch(original, options, room);
  std::string way_out = plain > 0 ? text("a batch of up to ", plain, " fits") : "no batch fits";
  PlanOptions leaner = options;
  if (training() && !options.recompute) {
    leaner.recompute = true;
    const std::int64_t most = largest_batch(original, leaner, room);
    if (most > plain) way_out += text(", with recompute one of up to ", most);
  } else if (prepared_bytes > 0) {
    leaner.keep_prepared = false;
    leaner.samples_at_once = 0;
    const std::int64_t most = largest_batch(original, leaner, room);
    if (most > plain) way_out += text(", without keep_prepared one of up to ", most);
  }
  fail(ErrorKind::device, "a plan for ", options.batch,
       training() ? " samples to train on: " : " samples: ", mebibytes(needed),
       " are needed (activations ", mebibytes(parts.activations), ", working memory ",
       mebibytes(parts.scratch), training() ? ", gradients " + mebibytes(parts.gradients) : "",
       prepared_bytes > 0 ? ", prepared weights " + mebibytes(prepared_bytes) : "",
       options.memory_beside > 0 ? ", what works with it " + mebibytes(options.memory_beside) : "",
       ") beside the parameters' ", mebibytes(parts.parameters), ", ", mebibytes(room),
       options.memory_limit ? " is the limit: " : " are free: ", way_out);
}

}  // namespace ratnet::inline v1
