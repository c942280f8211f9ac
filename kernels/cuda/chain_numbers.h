// The two ways in which tensor cores multiply inside a chain of convolutions: numbers rounded to
// bf16, or f32 numbers whose products are made of three tf32 products. Fragment layouts are those
// of <ratnet_ptx.h>: lane = 4 g + t.
#pragma once

#include <ratnet_ptx.h>

#include <bit>
#include <cstdint>

namespace ratnet::inline v1 {
namespace {

// Both have:
//   kBytes        of a number in shared memory; a 16-byte chunk has 16 / kBytes channels
//   kTapWords     words that hold three taps of a kernel's line, padded with zeros
//   kAddsParts    whether a long sum is added up from short ones outside the tensor cores
//   Factor        a word of a fragment, ready to be multiplied; factor(word) makes it
//   negated(f)    the factor of the numbers with the other sign
//   words_of_taps(a, b, c, words)
//   weight(w, step, t, i): word i of a B fragment; w(k) is the weight of channel k
//   packed(a, b)  two neighbouring channels as Pair, which is how they lie in shared memory

struct Bf16Numbers {
  static constexpr int kBytes = 2, kTapWords = 2;
  static constexpr bool kAddsParts = false;
  using Factor = std::uint32_t;
  using Pair = std::uint32_t;

  __device__ static Factor factor(std::uint32_t word) { return word; }
  __device__ static Factor negated(Factor f) { return f ^ 0x80008000u; }
  __device__ static void words_of_taps(float a, float b, float c, std::uint32_t (&words)[2]) {
    words[0] = packed_bf16(a, b);
    words[1] = packed_bf16(c, 0);
  }
  template <class Weight>
  __device__ static std::uint32_t weight(const Weight& w, int step, int t, int i) {
    const int k = 16 * step + 8 * i + 2 * t;
    return packed_bf16(w(k), w(k + 1));
  }
  __device__ static Pair packed(float a, float b) { return packed_bf16(a, b); }
  __device__ static void multiply(float (&sum)[4], const Factor (&a)[4], const Factor (&b)[2]) {
    multiply_bf16(sum, a, b);
  }
};

// a b = big(a) big(b) + big(a) small(b) + small(a) big(b), where big + small is a number to 22 bits
// or more: what is missing is 2^-22 of the product. A number that is not finite (2^128 - 2^116 and
// more round to infinity) is all in `small`, so that no infinity is subtracted from another or
// multiplied by a zero that the number itself does not stand for; infinity times infinity is NaN.
struct F32Numbers {
  static constexpr int kBytes = 4, kTapWords = 4;
  static constexpr bool kAddsParts = true;
  struct Factor {
    std::uint32_t big, small;
  };
  struct alignas(8) Pair {
    float first, second;
  };
  static constexpr std::uint32_t kSign = 0x80000000u, kNotFinite = 0x7F800000u;

  __device__ static Factor factor(std::uint32_t word) {
    const float value = std::bit_cast<float>(word);
    std::uint32_t big = rounded_to_tf32(value);
    if ((big & kNotFinite) == kNotFinite) big = 0;
    return {big, rounded_to_tf32(value - std::bit_cast<float>(big))};
  }
  __device__ static Factor negated(Factor f) { return {f.big ^ kSign, f.small ^ kSign}; }
  __device__ static void words_of_taps(float a, float b, float c, std::uint32_t (&words)[4]) {
    words[0] = std::bit_cast<std::uint32_t>(a);
    words[1] = std::bit_cast<std::uint32_t>(b);
    words[2] = std::bit_cast<std::uint32_t>(c);
    words[3] = 0;
  }
  template <class Weight>
  __device__ static std::uint32_t weight(const Weight& w, int step, int t, int i) {
    return std::bit_cast<std::uint32_t>(w(8 * step + 4 * i + t));
  }
  __device__ static Pair packed(float a, float b) { return {a, b}; }
  __device__ static void multiply(float (&sum)[4], const Factor (&a)[4], const Factor (&b)[2]) {
    const std::uint32_t a_big[4] = {a[0].big, a[1].big, a[2].big, a[3].big};
    const std::uint32_t a_small[4] = {a[0].small, a[1].small, a[2].small, a[3].small};
    const std::uint32_t b_big[2] = {b[0].big, b[1].big}, b_small[2] = {b[0].small, b[1].small};
    multiply_tf32(sum, a_small, b_big);
    multiply_tf32(sum, a_big, b_small);
    multiply_tf32(sum, a_big, b_big);
  }
};

}  // namespace
}  // namespace ratnet::inline v1
