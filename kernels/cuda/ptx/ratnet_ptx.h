// What CUDA C++ has no portable words for. Included as <ratnet_ptx.h>, so that the emulated twin in
// tests/cuda_emulation/include can stand in for it; a quoted include would always find this one.
#pragma once

namespace ratnet::inline v1 {

// The block's dynamic shared memory.
template <class T>
__device__ T& dynamic_shared() {
  extern __shared__ __align__(128) unsigned char ratnet_shared[];
  return *reinterpret_cast<T*>(ratnet_shared);
}

}  // namespace ratnet::inline v1
