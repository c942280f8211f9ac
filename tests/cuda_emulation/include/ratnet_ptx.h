// The emulated twin of kernels/cuda/ptx/ratnet_ptx.h.
#pragma once

#include <bit>

#include "cuda_runtime.h"

namespace ratnet::inline v1 {

// Where a call stands; Clang 14 has no std::source_location.
struct Place {
  const char* file;
  int line;
  static constexpr Place current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// The block's dynamic shared memory.
template <class T>
T& dynamic_shared() {
  return *static_cast<T*>(::ratnet_emulation::shared_memory());
}

// --- cp.async ---

namespace emulated {

inline void land(const ::ratnet_emulation::Copy& copy) {
  constexpr std::size_t kBytes = 16;
  if (copy.from)
    std::memcpy(copy.to, copy.from, kBytes);
  else
    std::memset(copy.to, 0, kBytes);
}

}  // namespace emulated

inline void copy_async(void* shared, const void* from, bool inside = true) {
  const ::ratnet_emulation::Copy copy{shared, inside ? from : nullptr};
  ::ratnet_emulation::copies_land_at_once() ? emulated::land(copy)
                                            : ::ratnet_emulation::add_copy(copy);
}
inline void commit_copies() { ::ratnet_emulation::close_copies(); }
template <int kPending>
void wait_copies() {
  ::ratnet_emulation::Copy copy;
  while (::ratnet_emulation::take_copy(kPending, copy)) emulated::land(copy);
}

// --- ldmatrix ---

namespace emulated {

using Words = const std::uint64_t (*)[::ratnet_emulation::kWords];

inline Words gather(const std::uint64_t* words, int count, const Place& place) {
  return ::ratnet_emulation::warp_gather(words, count, place.file, place.line);
}

inline const std::uint16_t* row_of(Words rows, unsigned matrix, unsigned row) {
  return reinterpret_cast<const std::uint16_t*>(rows[8 * matrix + row][0]);
}

inline std::uint32_t pair(std::uint32_t low, std::uint32_t high) { return low | high << 16; }
inline float low_bf16(std::uint32_t packed) { return std::bit_cast<float>(packed << 16); }
inline float high_bf16(std::uint32_t packed) { return std::bit_cast<float>(packed & 0xFFFF0000u); }

}  // namespace emulated

inline void load_matrices(std::uint32_t (&r)[4], const void* row, Place place = Place::current()) {
  const auto mine = reinterpret_cast<std::uint64_t>(row);
  const auto rows = emulated::gather(&mine, 1, place);
  const unsigned g = ::ratnet_emulation::lane() / 4, t = ::ratnet_emulation::lane() % 4;
  for (unsigned matrix = 0; matrix < 4; ++matrix) {
    const std::uint16_t* from = emulated::row_of(rows, matrix, g);
    r[matrix] = emulated::pair(from[2 * t], from[2 * t + 1]);
  }
}

inline void load_matrices_transposed(std::uint32_t (&r)[4], const void* row,
                                     Place place = Place::current()) {
  const auto mine = reinterpret_cast<std::uint64_t>(row);
  const auto rows = emulated::gather(&mine, 1, place);
  const unsigned g = ::ratnet_emulation::lane() / 4, t = ::ratnet_emulation::lane() % 4;
  for (unsigned matrix = 0; matrix < 4; ++matrix)
    r[matrix] = emulated::pair(emulated::row_of(rows, matrix, 2 * t)[g],
                               emulated::row_of(rows, matrix, 2 * t + 1)[g]);
}

// --- mma ---

namespace emulated {

// Gathers the fragments, then lets term(a words of a row's lane, b words of a column's lane) add
// that lane's share of one element.
template <class Term>
void multiply(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
              const Place& place, Term&& term) {
  const std::uint64_t mine[] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const Words all = gather(mine, 6, place);
  const unsigned g = ::ratnet_emulation::lane() / 4, t = ::ratnet_emulation::lane() % 4;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned lower = i / 2, column = 2 * t + i % 2;
    for (unsigned half = 0; half < 2; ++half)
      for (unsigned k = 0; k < 4; ++k)
        d[i] = term(d[i], static_cast<std::uint32_t>(all[4 * g + k][lower + 2 * half]),
                    static_cast<std::uint32_t>(all[4 * column + k][4 + half]));
  }
}

}  // namespace emulated

inline void multiply_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                          Place place = Place::current()) {
  emulated::multiply(d, a, b, place, [](float sum, std::uint32_t x, std::uint32_t y) {
    sum += emulated::low_bf16(x) * emulated::low_bf16(y);
    return sum + emulated::high_bf16(x) * emulated::high_bf16(y);
  });
}

// A device does not look at the lower 13 bits.
inline void multiply_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                          Place place = Place::current()) {
  emulated::multiply(d, a, b, place, [](float sum, std::uint32_t x, std::uint32_t y) {
    return sum + std::bit_cast<float>(x & 0xFFFFE000u) * std::bit_cast<float>(y & 0xFFFFE000u);
  });
}

// NaN stays NaN: rounding its bits could make an infinity of it.
inline std::uint32_t packed_bf16(float low, float high) {
  const auto rounded = [](float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (value != value) return std::uint32_t{0x7FFF};
    return (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16;
  };
  return emulated::pair(rounded(low), rounded(high));
}

inline std::uint32_t rounded_to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7F800000u) == 0x7F800000u) return bits;
  return (bits + 0x1000u) & 0xFFFFE000u;
}

inline float larger(float a, float b) { return a > b || a != a ? a : b; }

}  // namespace ratnet::inline v1
