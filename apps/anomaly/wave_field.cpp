#include "wave_field.h"

#include <cmath>

namespace ratnet::inline v1 {
namespace {

// Added and taken away, it rounds to the nearest whole number without a call.
constexpr double kRounder = 0x1.8p52;

// From 1 at 0 turns to -1 at a half, with even slopes: its mean square is 17/35.
double wave(double turns) {
  const double u = 2 * std::abs(turns - ((turns + kRounder) - kRounder));
  return 1 - u * u * (6 - 4 * u);
}

}  // namespace

WaveField::WaveField(Random& random, int waves, double length, double spread)
    : gain_(1 / std::sqrt(waves * 17.0 / 35)) {
  for (int i = 0; i < waves; ++i) {
    const double x = random.normal(), y = random.normal(), z = random.normal();
    const double frequency = 1 / (length * (1 + spread * random.uniform(-1, 1)));
    const double scale = frequency / std::sqrt(x * x + y * y + z * z + 1e-12);
    waves_.push_back({x * scale, y * scale, z * scale, random.uniform()});
  }
}

double WaveField::at(const HeadPoint& p) const {
  double sum = 0;
  for (const Wave& w : waves_) sum += wave(w.x * p.x + w.y * p.y + w.z * p.z + w.phase);
  return gain_ * sum;
}

}  // namespace ratnet::inline v1
