// Tiles of matrix factors in shared memory, rounded to what tensor cores multiply, and how a warp
// takes fragments of them.
#pragma once

#include <ratnet_ptx.h>

namespace ratnet::inline v1 {

constexpr int kMmaTerms = 32;  // of a sum, in a tile

__device__ inline int lane_of_warp() { return static_cast<int>(threadIdx.x % 32); }

// kLines rows of the left factor or columns of the right one, kMmaTerms terms of each. What lies
// side by side in device memory does so here. Rows are padded so that the eight rows of 16 bytes
// that ldmatrix reads at once, or the 32 words of a fragment, lie in different banks.
template <class Number, int kLines, bool kTermsAreNeighbours, int kTermPad, int kLinePad>
struct MmaTile {
  static constexpr int kRows = kTermsAreNeighbours ? kLines : kMmaTerms;
  static constexpr int kWidth = kTermsAreNeighbours ? kMmaTerms + kTermPad : kLines + kLinePad;
  alignas(16) Number of[kRows][kWidth];

  __device__ Number* at(int line, int term) {
    return kTermsAreNeighbours ? &of[line][term] : &of[term][line];
  }
};

struct alignas(16) FourWords {
  std::uint32_t of[4];
};

// Factors as bf16: 16 terms to a multiplication. A row of 32 + 8 or kLines + 8 numbers is an odd
// number of 16 bytes.
struct Bf16Factors {
  static constexpr int kTerms = 16;
  template <int kLines, bool kTermsAreNeighbours>
  struct Tile : MmaTile<std::uint16_t, kLines, kTermsAreNeighbours, 8, 8> {
    __device__ void store8(int line, int term, const float (&v)[8]) {
      *reinterpret_cast<FourWords*>(this->at(line, term)) = {
          {packed_bf16(v[0], v[1]), packed_bf16(v[2], v[3]), packed_bf16(v[4], v[5]),
           packed_bf16(v[6], v[7])}};
    }
    // 16 rows of the left factor.
    __device__ void left(std::uint32_t (&a)[4], int line, int term) {
      const int lane = lane_of_warp();
      if constexpr (kTermsAreNeighbours)
        load_matrices(a, this->at(line + lane % 16, term + lane / 16 * 8));
      else
        load_matrices_transposed(
            a, this->at(line + lane / 8 % 2 * 8, term + lane / 16 * 8 + lane % 8));
    }
    // 16 columns of the right factor, as two times 8.
    __device__ void right(std::uint32_t (&b)[2][2], int line, int term) {
      const int lane = lane_of_warp();
      std::uint32_t r[4];
      if constexpr (kTermsAreNeighbours)
        load_matrices(r, this->at(line + lane / 16 * 8 + lane % 8, term + lane / 8 % 2 * 8));
      else
        load_matrices_transposed(
            r, this->at(line + lane / 16 * 8, term + lane / 8 % 2 * 8 + lane % 8));
      for (int i = 0; i < 4; ++i) b[i / 2][i % 2] = r[i];
    }
  };
  __device__ static void multiply(float (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
    multiply_bf16(sum, a, b);
  }
};

// Factors as tf32: 8 terms to a multiplication. Lane 4 g + t reads (g, t): rows of 32 + 4 words lie
// 4 banks further each, rows of kLines + 8 words 8 banks.
struct Tf32Factors {
  static constexpr int kTerms = 8;
  template <int kLines, bool kTermsAreNeighbours>
  struct Tile : MmaTile<std::uint32_t, kLines, kTermsAreNeighbours, 4, 8> {
    __device__ void store8(int line, int term, const float (&v)[8]) {
      auto* to = reinterpret_cast<FourWords*>(this->at(line, term));
      for (int half = 0; half < 2; ++half)
        to[half] = {{rounded_to_tf32(v[4 * half]), rounded_to_tf32(v[4 * half + 1]),
                     rounded_to_tf32(v[4 * half + 2]), rounded_to_tf32(v[4 * half + 3])}};
    }
    __device__ void left(std::uint32_t (&a)[4], int line, int term) {
      const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
      for (int i = 0; i < 4; ++i) a[i] = *this->at(line + g + i % 2 * 8, term + t + i / 2 * 4);
    }
    __device__ void right(std::uint32_t (&b)[2][2], int line, int term) {
      const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
      for (int i = 0; i < 4; ++i)
        b[i / 2][i % 2] = *this->at(line + g + i / 2 * 8, term + t + i % 2 * 4);
    }
  };
  __device__ static void multiply(float (&sum)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2]) {
    multiply_tf32(sum, a, b);
  }
};

}  // namespace ratnet::inline v1
