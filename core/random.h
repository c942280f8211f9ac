// Counter-based random numbers (Philox4x32-10; Salmon, Moraes, Dror, Shaw, SC 2011): the same
// seed and counter give the same number on any device, in any order, on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace ratnet::inline v1 {

// One block of four 32-bit numbers for a counter and a key. No state.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                              std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ull * counter[0];
    const std::uint64_t b = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ k1,
               static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

// Uniform in [0, 1) from 32 bits: the top 24 of them, so that every value is exact in float.
constexpr float unit_float(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// Uniform in (0, 1) from 32 bits: never an end, so that its logarithm is a number.
constexpr double open_unit(std::uint32_t bits) { return (bits + 0.5) * 0x1p-32; }

// A stream of numbers. Streams with different (seed, stream) are independent: give each animal,
// layer or (epoch, sample) a stream of its own rather than sharing one.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  std::uint32_t bits();
  double uniform();  // [0, 1), 53 bits
  double uniform(double low, double high);
  std::int64_t integer(std::int64_t n);  // 0..n-1, n >= 1, unbiased
  bool chance(double probability);
  double normal();  // mean 0, standard deviation 1
  double normal(double mean, double deviation) { return mean + deviation * normal(); }
  double gamma(double shape);  // scale 1, shape > 0

  // Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(integer(static_cast<std::int64_t>(i)));
      std::swap(items[i - 1], items[j]);
    }
  }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;  // in units of 32-bit numbers
  std::array<std::uint32_t, 4> block_{};
};

// The stream of one use of sample `index` in one epoch, whatever thread, batch or order it comes
// in. `use` tells apart what needs independent numbers for one sample: its place, its changes.
Random random_for(std::uint64_t seed, std::int64_t epoch, std::int64_t index,
                  std::uint32_t use = 0);

}  // namespace ratnet::inline v1
