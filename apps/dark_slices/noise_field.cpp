#include "noise_field.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {
namespace {

constexpr double kMargin = 8;  // the head may be moved and scaled beyond the picture

struct Place {
  int index;
  double weight;  // of the next point
};

Place place(double position, int n) {
  const double p = std::clamp(position, 0.0, n - 1.001);
  const int index = static_cast<int>(p);
  const double f = p - index;
  return {index, f * f * (3 - 2 * f)};
}

// Interpolation averages the lattice; these factors bring the standard deviation back to about 1.
constexpr double kGain1 = 1.16;
constexpr double kGain3 = 1.55;

}  // namespace

NoiseField::NoiseField(Random& random, double cell_xy, double cell_z)
    : cell_xy_(cell_xy),
      cell_z_(cell_z),
      nx_(static_cast<int>(std::ceil((64 + 2 * kMargin) / cell_xy)) + 2),
      nz_(static_cast<int>(std::ceil(15 / cell_z)) + 2),
      lattice_(static_cast<std::size_t>(nx_) * static_cast<std::size_t>(nx_) *
               static_cast<std::size_t>(nz_)) {
  for (float& value : lattice_) value = static_cast<float>(random.normal());
}

double NoiseField::at(double x, double y, double z) const {
  const Place px = place((x + kMargin) / cell_xy_, nx_);
  const Place py = place((y + kMargin) / cell_xy_, nx_);
  const Place pz = place(z / cell_z_, nz_);
  const auto value = [&](int dx, int dy, int dz) {
    return static_cast<double>(lattice_[static_cast<std::size_t>(
        ((pz.index + dz) * nx_ + py.index + dy) * nx_ + px.index + dx)]);
  };
  const auto plane = [&](int dz) {
    const double top = value(0, 0, dz) + px.weight * (value(1, 0, dz) - value(0, 0, dz));
    const double bottom = value(0, 1, dz) + px.weight * (value(1, 1, dz) - value(0, 1, dz));
    return top + py.weight * (bottom - top);
  };
  const double front = plane(0);
  return kGain3 * (front + pz.weight * (plane(1) - front));
}

std::vector<float> smooth_noise(Random& random, int n, double cell) {
  const int points = static_cast<int>(std::ceil(n / cell)) + 2;
  std::vector<double> lattice(static_cast<std::size_t>(points));
  for (double& value : lattice) value = random.normal();
  const double start = random.uniform();
  std::vector<float> noise(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    const Place p = place(start + i / cell, points);
    const double a = lattice[static_cast<std::size_t>(p.index)];
    const double b = lattice[static_cast<std::size_t>(p.index) + 1];
    noise[static_cast<std::size_t>(i)] = static_cast<float>(kGain1 * (a + p.weight * (b - a)));
  }
  return noise;
}

}  // namespace ratnet::inline v1
