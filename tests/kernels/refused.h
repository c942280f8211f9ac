// Whether an operation is turned away for its arguments.
#pragma once

#include "run_on.h"

namespace ratnet::testing {

// True where run_on() throws an Error of kind usage; other errors pass on.
template <class Op>
bool refused(const QueueHandle& queue, const Op& op) {
  try {
    run_on(queue, op);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::usage) return true;
    throw;
  }
  return false;
}

}  // namespace ratnet::testing
