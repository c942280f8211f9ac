#include "acquisition.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "../../core/error.h"
#include "fft.h"
#include "noise_field.h"

namespace ratnet::inline v1 {
namespace {

using Complex = std::complex<float>;

// Standard deviation 1 in both parts (Box and Muller, 1958).
Complex complex_normal(Random& random) {
  const float radius = std::sqrt(-2 * std::log(1 - unit_float(random.bits())));
  const float angle = 2 * std::numbers::pi_v<float> * unit_float(random.bits());
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// Without the checks for infinities that operator* makes.
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// The factors on the lines of k-space, apart from the readout-dependent ones: [lines].
std::vector<Complex> line_factors(const ShotErrors& errors, int lines) {
  const auto shots = static_cast<int>(errors.shots.size());
  std::vector<Complex> factors(static_cast<std::size_t>(lines));
  for (int k = 0; k < lines; ++k) {
    const int frequency = k < (lines + 1) / 2 ? k : k - lines;
    const auto& shot = errors.shots[static_cast<std::size_t>(k % shots)];
    const double distance = frequency / static_cast<double>(errors.centre_width);
    const double kept =
        1 - static_cast<double>(errors.centre_loss) * std::exp(-0.5 * distance * distance);
    const double turn =
        -2 * std::numbers::pi * frequency * static_cast<double>(shot.phase_shift) / lines;
    factors[static_cast<std::size_t>(k)] = {static_cast<float>(kept * std::cos(turn)),
                                            static_cast<float>(kept * std::sin(turn))};
  }
  return factors;
}

}  // namespace

ShotErrors undisturbed(int shots, int readout) {
  ShotErrors errors;
  const auto n = static_cast<std::size_t>(readout);
  errors.shots.assign(static_cast<std::size_t>(shots),
                      {std::vector<float>(n, 1.0f), std::vector<float>(n, 0.0f), 0, 0});
  return errors;
}

ShotErrors shot_instability(Random& random, int shots, int readout, double size) {
  ShotErrors errors = undisturbed(shots, readout);
  for (auto& shot : errors.shots) {
    const auto gain = static_cast<float>(std::max(0.0, 1 + random.normal(0, size)));
    const auto phase = static_cast<float>(random.normal(0, 1.5 * size));
    std::fill(shot.gain.begin(), shot.gain.end(), gain);
    std::fill(shot.phase.begin(), shot.phase.end(), phase);
  }
  return errors;
}

void add_dropout(Random& random, ShotErrors& errors, double severity) {
  constexpr double hit_chances[] = {0.3, 0.6, 1.0};
  const double chance = hit_chances[random.integer(3)];
  std::vector<std::uint8_t> hit(errors.shots.size());
  for (auto& h : hit) h = random.chance(chance);
  hit[static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(hit.size())))] = 1;
  const bool displaced = random.chance(0.35);
  for (std::size_t s = 0; s < hit.size(); ++s) {
    if (!hit[s]) continue;
    auto& shot = errors.shots[s];
    const auto readout = static_cast<int>(shot.gain.size());
    const double gain = random.uniform();
    const double phase = (random.chance(0.5) ? 2 : -2) * random.uniform(0.3, 1);
    // Motion during a shot is a rotation as much as a shift: its phase and loss vary over the head.
    const auto gain_noise = smooth_noise(random, readout, readout * 0.3);
    const auto phase_noise = smooth_noise(random, readout, readout * 0.3);
    for (std::size_t i = 0; i < shot.gain.size(); ++i) {
      const double g = std::max(0.0, gain * (1 + 0.35 * static_cast<double>(gain_noise[i])));
      shot.gain[i] *= static_cast<float>(1 + severity * (g - 1));
      shot.phase[i] +=
          static_cast<float>(severity * (phase + 0.6 * static_cast<double>(phase_noise[i])));
    }
    if (displaced) {
      const double pixel = readout / 64.0;
      shot.phase_shift += static_cast<float>(random.normal(0, 1.2) * pixel);
      shot.readout_shift += static_cast<float>(random.normal(0, 1.2) * pixel);
    }
  }
  if (random.chance(0.3)) {
    errors.centre_loss = static_cast<float>(severity * random.uniform(0.3, 0.95));
    errors.centre_width = static_cast<float>(random.uniform(1.5, 7));
  }
}

void add_dimming(ShotErrors& errors, double gain) {
  for (auto& shot : errors.shots)
    for (float& g : shot.gain) g *= static_cast<float>(gain);
}

std::vector<float> acquire(std::span<const float> object, int size, PhaseEncodeAxis axis,
                           const ShotErrors& errors, double noise, Random& random) {
  const auto n = static_cast<std::size_t>(size);
  require(object.size() == n * n, "a slice of ", object.size(), " pixels is not ", size, " x ",
          size);
  const auto shots = errors.shots.size();
  require(shots >= 1 && n % shots == 0, size, " lines cannot be shared among ", shots, " shots");
  // Lines of k-space run along the phase-encode axis, one for each readout point.
  const bool along_rows = axis == PhaseEncodeAxis::left_right;
  const std::size_t line_step = along_rows ? n : 1, point_step = along_rows ? 1 : n;
  std::vector<Complex> kspace(n * n);
  Fft fft(size);
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = 0; i < n; ++i) kspace[r * n + i] = object[r * line_step + i * point_step];
    fft.forward({kspace.data() + r * n, n});
  }
  const auto factors = line_factors(errors, size);
  std::vector<float> result(n * n);
  std::vector<Complex> line(n);
  std::vector<Complex> shot_factor(shots);
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t s = 0; s < shots; ++s)
      shot_factor[s] = std::polar(errors.shots[s].gain[r], errors.shots[s].phase[r]);
    for (std::size_t k = 0; k < n; ++k) {
      // A displacement along readout: the same line, read from between two rows.
      const float from = std::clamp(static_cast<float>(r) - errors.shots[k % shots].readout_shift,
                                    0.0f, static_cast<float>(size - 1));
      const auto r0 = static_cast<std::size_t>(from);
      const std::size_t r1 = std::min(r0 + 1, n - 1);
      const float share = from - static_cast<float>(r0);
      const Complex value = kspace[r0 * n + k] * (1 - share) + kspace[r1 * n + k] * share;
      line[k] = times(times(value, factors[k]), shot_factor[k % shots]);
    }
    fft.inverse(line);
    for (std::size_t i = 0; i < n; ++i) {
      const Complex v = line[i] + static_cast<float>(noise) * complex_normal(random);
      result[r * line_step + i * point_step] = std::sqrt(v.real() * v.real() + v.imag() * v.imag());
    }
  }
  return result;
}

}  // namespace ratnet::inline v1
