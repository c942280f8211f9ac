// The emulated twin of kernels/cuda/ptx/ratnet_ptx.h.
#pragma once

#include "cuda_runtime.h"

namespace ratnet::inline v1 {

// The block's dynamic shared memory.
template <class T>
T& dynamic_shared() {
  return *static_cast<T*>(::ratnet_emulation::shared_memory());
}

}  // namespace ratnet::inline v1
