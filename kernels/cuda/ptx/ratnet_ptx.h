// What CUDA C++ has no portable words for. Included as <ratnet_ptx.h>, so that the emulated twin in
// tests/cuda_emulation/include can stand in for it; a quoted include would always find this one.
//
// Names and fragment layouts are those of NVIDIA's PTX ISA: cp.async, ldmatrix, mma. All 32 lanes
// of a warp call load_matrices and multiply together.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

// The block's dynamic shared memory.
template <class T>
__device__ T& dynamic_shared() {
  extern __shared__ __align__(128) unsigned char ratnet_shared[];
  return *reinterpret_cast<T*>(ratnet_shared);
}

__device__ inline std::uint32_t shared_address(const void* shared) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
}

// Copies 16 bytes from device to shared memory, or writes 16 zeros where not `inside`, some time
// before wait_copies. Both addresses are multiples of 16.
__device__ inline void copy_async(void* shared, const void* from, bool inside = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(from), "r"(inside ? 16 : 0)
               : "memory");
}
// Closes a group of this thread's copies.
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits for this thread's groups but the last kPending; other threads see them after a barrier.
template <int kPending>
__device__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// Four 8 x 8 matrices of 16-bit numbers from shared memory: lane i names the address (a multiple of
// 16) of row i % 8 of matrix i / 8. Lane 4 g + t gets elements (g, 2 t) and (g, 2 t + 1) of each.
__device__ inline void load_matrices(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
// The same transposed: elements (2 t, g) and (2 t + 1, g).
__device__ inline void load_matrices_transposed(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// d [16 x 8] += a [16 x 16] b [16 x 8], bf16 factors, f32 sums. Lane 4 g + t holds
//   a[0..3]: (g, 2 t), (g + 8, 2 t), (g, 2 t + 8), (g + 8, 2 t + 8), each with its right neighbour
//   b[0..1]: (2 t, g), (2 t + 8, g), each with the one below it
//   d[0..3]: (g, 2 t), (g, 2 t + 1), (g + 8, 2 t), (g + 8, 2 t + 1)
__device__ inline void multiply_bf16(float (&d)[4], const std::uint32_t (&a)[4],
                                     const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// d [16 x 8] += a [16 x 8] b [8 x 8], tf32 factors (rounded_to_tf32), f32 sums. Lane 4 g + t holds
//   a[0..3]: (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4);  b[0..1]: (t, g), (t + 4, g)
__device__ inline void multiply_tf32(float (&d)[4], const std::uint32_t (&a)[4],
                                     const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Two numbers as bf16, the first in the lower half; to nearest, ties to even.
__device__ inline std::uint32_t packed_bf16(float low, float high) {
  std::uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

// To the nearest number with 11 significant bits, ties away from zero, as the bits of a float.
__device__ inline std::uint32_t rounded_to_tf32(float value) {
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
}

// The larger of two numbers; NaN where one of them is.
__device__ inline float larger(float a, float b) {
  float most;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(most) : "f"(a), "f"(b));
  return most;
}

}  // namespace ratnet::inline v1
