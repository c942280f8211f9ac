#include "random.h"

#include <cmath>
#include <numbers>

#include "error.h"

namespace ratnet::inline v1 {

std::uint32_t Random::bits() {
  const auto lane = static_cast<std::size_t>(position_ & 3);
  if (lane == 0) {
    const std::uint64_t counter = position_ >> 2;
    block_ =
        philox({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
               seed_);
  }
  ++position_;
  return block_[lane];
}

double Random::uniform() {
  const std::uint64_t high = bits();
  const std::uint64_t low = bits();
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1p-53;
}

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

std::int64_t Random::integer(std::int64_t n) {
  require(n >= 1, "a random integer needs a range of at least 1, got ", n);
  const auto range = static_cast<std::uint64_t>(n);
  // Numbers below `reject` would favour the small results.
  const std::uint64_t reject = (0 - range) % range;
  for (;;) {
    const std::uint64_t high = bits();
    const std::uint64_t value = (high << 32) | bits();
    if (value >= reject) return static_cast<std::int64_t>(value % range);
  }
}

bool Random::chance(double probability) { return uniform() < probability; }

double Random::normal() {
  // Box-Muller; the second number is dropped so that the stream holds no hidden state.
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::gamma(double shape) {
  require(shape > 0, "a gamma distribution needs a shape above 0, got ", shape);
  if (shape < 1) return gamma(shape + 1) * std::pow(1.0 - uniform(), 1.0 / shape);
  // Marsaglia and Tsang, 2000.
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3);
    if (v > 0 && std::log1p(-uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

Random random_for(std::uint64_t seed, std::int64_t epoch, std::int64_t index, std::uint32_t use) {
  const auto low = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  const auto mixed = philox({low(epoch), low(index), low(index >> 32), use}, seed);
  return Random(seed, (std::uint64_t{mixed[0]} << 32) | mixed[1]);
}

}  // namespace ratnet::inline v1
