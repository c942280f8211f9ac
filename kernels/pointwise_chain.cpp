#include "pointwise_chain.h"

#include "../core/text.h"
#include "activation.h"
#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_step(const PointwiseChain& op, int index) {
  const auto& [what, with] = op.steps[index];
  check_activation("activation", what.activation, what.slope);
  require(what.combine <= Combine::multiply, "unknown combination ",
          static_cast<int>(what.combine));
  if (what.combine == Combine::none) return;
  check_shape("combine", "with", with, op.x.shape);
  check_floats("combine", {op.x, with});
  require(index == 0 || with.data != op.y.data, "reads y, which earlier steps overwrite");
}

}  // namespace

void PointwiseChain::check() const {
  require(count >= 1 && count <= kMostSteps, kName, ": has 1 to ", kMostSteps, " steps, not ",
          count);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
  for (int i = 0; i < count; ++i) {
    try {
      check_step(*this, i);
    } catch (const Error& error) {
      throw error.with_context(text(kName, ": step ", i + 1));
    }
  }
}

}  // namespace ratnet::inline v1
