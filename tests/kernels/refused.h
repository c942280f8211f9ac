// Whether an operation is turned away for its arguments.
#pragma once

#include "../../kernels/submit.h"

namespace ratnet::testing {

// True where submit() throws an Error of kind usage; other errors pass on.
template <class Op>
bool refused(Queue& queue, const Op& op) {
  try {
    submit(queue, op);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::usage) return true;
    throw;
  }
  return false;
}

}  // namespace ratnet::testing
