#include "phantom.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../imaging/ramp.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kCentreX = 31, kCentreY = 34;

template <std::size_t N>
double interpolate(const std::array<double, N>& xs, const std::array<double, N>& ys, double x) {
  if (x <= xs.front()) return ys.front();
  for (std::size_t i = 1; i < N; ++i)
    if (x <= xs[i]) return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
  return ys.back();
}

// 1 inside the spot, 0 outside, with an edge of about a pixel.
double cover(double x, double y, double z, double cx, double cy, double cz, double rx, double ry,
             double rz, double angle, double pixel) {
  const double fade = 1 - ramp(std::abs(z - cz), rz - 0.7, rz + 0.7);
  if (fade <= 0) return 0;
  const double dx = x - cx, dy = y - cy;
  const double reach = std::max(rx, ry) + 1;
  if (std::abs(dx) > reach || std::abs(dy) > reach) return 0;
  const double c = std::cos(angle), s = std::sin(angle);
  const double rho = std::hypot((c * dx + s * dy) / rx, (c * dy - s * dx) / ry);
  return fade * ramp((1 - rho) * std::min(rx, ry), -0.6 * pixel, 0.6 * pixel);
}

// Gaussian of the given standard deviation in pixels: the point spread of the scan.
void blur(std::vector<float>& image, int size, double deviation) {
  const auto side = static_cast<float>(std::exp(-0.5 / (deviation * deviation)));
  const float centre = 1 / (1 + 2 * side);
  const float edge = side * centre;
  const auto pass = [&](int step, int lines_step) {
    std::vector<float> line(static_cast<std::size_t>(size) + 2);
    for (int l = 0; l < size; ++l) {
      float* start = image.data() + l * lines_step;
      for (int i = 0; i < size; ++i) line[static_cast<std::size_t>(i) + 1] = start[i * step];
      for (int i = 0; i < size; ++i) {
        const float* x = line.data() + i;
        start[i * step] = edge * (x[0] + x[2]) + centre * x[1];
      }
    }
  };
  pass(1, size);
  pass(size, 1);
}

}  // namespace

Phantom::Phantom(Random& random)
    : scale_(random.uniform(0.94, 1.08)),
      shift_x_(random.uniform(-2, 2)),
      shift_y_(random.uniform(-3.5, 2)),
      tilt_(random.uniform(-5, 5) * std::numbers::pi / 180),
      top_(random.uniform(6, 8)),
      bottom_(random.uniform(59, 62)),
      width_front_(random.uniform(0.95, 1.03)),
      width_back_(random.uniform(0.92, 1.04)),
      notch_depth_(random.uniform(0, 5)),
      notch_row_(random.uniform(34, 42)),
      brain_top_(random.uniform(9, 11)),
      brain_scale_(random.uniform(0.94, 1.06)),
      disc_radius_(random.uniform(6.5, 8.5)),
      disc_rim_(random.uniform(0.55, 0.85)),
      cortex_contrast_(random.uniform(0.02, 0.14)),
      midline_(random.uniform(0.05, 0.35)),
      muscle_(random.uniform(17, 33)),
      skull_factor_(random.uniform(0.1, 0.45)),
      skull_width_(random.uniform(0.3, 1.3)),
      rim_level_(random.uniform(25, 80)),
      rim_width_(random.uniform(1, 2.4)),
      rim_back_(random.uniform(1.0, 3.0)),
      fat_level_(random.uniform(90, 230)),
      fat_row_(random.uniform(46, 50)),
      fat_start_(random.uniform(5.5, 9)),
      fat_width_(random.uniform(1, 3.5)),
      void_factor_(random.uniform(0.15, 0.5)),
      warp_x_(random, 16, 1.5),
      warp_y_(random, 16, 1.5),
      outline_(random, 6, 2.5),
      brain_texture_(random, 4, 1.5),
      brain_fine_(random, 1.6, 1),
      muscle_texture_(random, 5, 2),
      muscle_fine_(random, 1.8, 1),
      fat_texture_(random, 2.2, 1.2) {
  add_landmarks(random);
  add_spots(random);
}

Phantom::Point Phantom::to_anatomy(double x, double y, double z) const {
  const double wx = x - 0.9 * warp_x_.at(x, y, z) - kCentreX - shift_x_;
  const double wy = y - 0.9 * warp_y_.at(x, y, z) - kCentreY - shift_y_;
  const double c = std::cos(tilt_) / scale_, s = std::sin(tilt_) / scale_;
  return {kCentreX + c * wx + s * wy, kCentreY + c * wy - s * wx};
}

double Phantom::half_width(double t, double z) const {
  constexpr std::array<double, 9> at = {0, 0.03, 0.08, 0.20, 0.45, 0.65, 0.85, 0.95, 1};
  constexpr std::array<double, 9> front = {10, 16, 22, 29, 31, 31, 27, 19, 8};
  constexpr std::array<double, 9> back = {10, 16, 21, 27, 27, 28, 26, 19, 9};
  const double share = ramp(z, 1, 13);
  double sum = 0;  // rounds the corners of the two lists
  for (const double dt : {-0.04, 0.0, 0.04})
    sum += mix(width_front_ * interpolate(at, front, t + dt),
               width_back_ * interpolate(at, back, t + dt), share);
  return sum / 3;
}

// The spots that reach slice z, their levels or factors unchanged.
std::vector<Phantom::Spot> Phantom::near(const std::vector<Spot>& spots, double z) {
  std::vector<Spot> found;
  for (const Spot& s : spots)
    if (std::abs(z - s.z) < s.rz + 0.7) found.push_back(s);
  return found;
}

// Distance to the outline of the head in pixels, positive inside.
double Phantom::head_depth(Point p, double z) const {
  const double t = std::clamp((p.y - top_) / (bottom_ - top_), 0.0, 1.0);
  const double side = p.x < kCentreX ? 0 : 48;  // each side has an outline of its own
  double width = half_width(t, z) + 0.9 * outline_.at(side, p.y, z);
  const double notch =
      std::exp(-0.5 * std::pow((p.y - notch_row_) / 2.2, 2)) * ramp(z, 0, 2) * (1 - ramp(z, 8, 12));
  width -= notch_depth_ * notch * std::clamp(1 + outline_.at(side, 60, z), 0.0, 1.8);
  // The field of view cuts nothing off in a well placed scan.
  width = std::min(width, (31 - std::abs(shift_x_)) / scale_);
  const double slope =
      (half_width(std::min(1.0, t + 0.03), z) - half_width(std::max(0.0, t - 0.03), z)) /
      (0.06 * (bottom_ - top_));
  const double sideways = (width - std::abs(p.x - kCentreX)) / std::hypot(1.0, slope);
  return std::min({sideways, p.y - top_, bottom_ - p.y});
}

Phantom::Brain Phantom::brain_at(double z) const {
  constexpr std::array<double, 5> rows_z = {0, 3, 8, 12, 14};
  constexpr std::array<double, 5> rows = {21, 25, 31, 33, 33};
  constexpr std::array<double, 5> width_z = {0, 2, 5, 8, 14};
  constexpr std::array<double, 5> width = {6, 8, 13, 15, 15};
  Brain brain{};
  brain.top = brain_top_;
  brain.bottom = brain_top_ + (interpolate(rows_z, rows, z) - 10) * brain_scale_;
  brain.half_width = interpolate(width_z, width, z) * brain_scale_;
  brain.middle_x = kCentreX;
  return brain;
}

double Phantom::brain_value(Point p, double z, const Brain& brain, double rho) const {
  double level =
      64 * (1 + 0.05 * brain_texture_.at(p.x, p.y, z) + 0.05 * brain_fine_.at(p.x, p.y, z));
  // Cortex a little brighter than what lies under it; the cleft between the hemispheres.
  level *= 1 + cortex_contrast_ * (ramp(rho, 0.55, 0.75) - 0.6) * ramp(z, 1, 4);
  const double dx = std::abs(p.x - brain.middle_x);
  const double cleft = 1 - ramp(z, 2, 5) * ramp(p.y, brain.top + 3, brain.top + 7);
  level *= 1 - midline_ * cleft * std::exp(-0.5 * dx * dx / 0.5);
  // Behind slice 10 the brain stem shows as a disc with a dark rim.
  const double disc = ramp(z, 9.5, 11.5);
  if (disc > 0) {
    const double r = std::hypot(dx, p.y - (brain.bottom - disc_radius_));
    level *= 1 - disc * (1 - disc_rim_) * std::exp(-0.5 * std::pow((r - disc_radius_) / 0.9, 2));
    // Beside the disc the hemispheres end higher than it does.
    const double gone = disc * ramp(p.y, brain.bottom - 8, brain.bottom - 5) *
                        ramp(r, disc_radius_, disc_radius_ + 1.2);
    level = mix(level, muscle_ * void_factor_, gone);
  }
  return level;
}

double Phantom::value(Point p, const Layer& slice, double depth, double pixel,
                      double& brain_share) const {
  const double z = slice.z;
  const Brain& brain = slice.brain;
  const double edge = 0.6 * pixel;
  // Muscle, its rim and the fat of the jaw.
  double level = muscle_ * std::max(0.15, 1 + 0.17 * muscle_texture_.at(p.x, p.y, z) +
                                              0.13 * muscle_fine_.at(p.x, p.y, z));
  const double fat = ramp(z, fat_start_, fat_start_ + 5) * ramp(p.y, fat_row_ - 1, fat_row_ + 5);
  if (fat > 0) {
    const double texture = fat_texture_.at(p.x, p.y, z);
    const double inside = std::clamp(0.5 + 0.5 * texture, 0.0, 1.5);
    level = mix(level, 0.4 * fat_level_ * inside + 0.5 * muscle_, fat);
    const double shell = 1 - ramp(depth, fat_width_ * fat, fat_width_ * fat + 2);
    level = mix(level, fat_level_ * std::clamp(0.85 + 0.3 * texture, 0.2, 1.4), fat * shell);
  }
  for (const Spot& s : slice.dark) {
    const double c = cover(p.x, p.y, z, s.x, s.y, s.z, s.rx, s.ry, s.rz, s.angle, pixel);
    if (c > 0) level *= mix(1, s.level, c);
  }
  const double rim = 1 - ramp(depth, rim_width_ - 0.6, rim_width_ + 0.6);
  const double rim_texture = std::clamp(0.8 + 0.35 * outline_.at(p.x, p.y, z), 0.2, 1.6);
  level = std::max(level, rim * rim_level_ * mix(1, rim_back_, ramp(z, 8, 13)) * rim_texture);
  // Brain and skull.
  const double hh = 0.5 * (brain.bottom - brain.top);
  const double u = std::abs(p.x - brain.middle_x) / brain.half_width;
  const double v = std::abs(p.y - brain.top - hh) / hh;
  if (u < 1.6 && v < 1.6) {
    const double rho = std::pow(std::pow(u, 2.6) + std::pow(v, 2.6), 1 / 2.6);
    const double inside = (1 - rho) * std::min(brain.half_width, hh);
    const double share = ramp(inside, -edge, edge);
    const double skull = ramp(inside, -skull_width_ - 1, -skull_width_);
    level *= mix(1, skull_factor_, skull * (1 - share));
    if (share > 0) level = mix(level, brain_value(p, z, brain, rho), share);
    brain_share = inside > 0.8 ? 1 : 0;
  }
  for (const Spot& s : slice.bright) {
    const double c = cover(p.x, p.y, z, s.x, s.y, s.z, s.rx, s.ry, s.rz, s.angle, pixel);
    if (c > 0) level = mix(level, std::max(level, s.level), c);
  }
  return level * ramp(depth, -edge, edge);
}

PhantomSlice Phantom::render(double z, int size) const {
  PhantomSlice slice;
  slice.size = size;
  const auto count = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  slice.image.assign(count, 0);
  slice.brain.assign(count, 0);
  slice.head.assign(count, 0);
  const double pixel = 64.0 / size;
  const Layer layer{z, brain_at(z), near(dark_, z), near(bright_, z)};
  std::size_t i = 0;
  for (int row = 0; row < size; ++row)
    for (int column = 0; column < size; ++column, ++i) {
      const double x = (column + 0.5) * pixel - 0.5, y = (row + 0.5) * pixel - 0.5;
      const Point p = to_anatomy(x, y, z);
      const double depth = head_depth(p, z);
      slice.head[i] = depth > -1.5;
      if (depth < -1) continue;
      double brain_share = 0;
      slice.image[i] = static_cast<float>(value(p, layer, depth, pixel, brain_share));
      slice.brain[i] = brain_share > 0 && slice.image[i] > 35;
    }
  blur(slice.image, size, 0.55);
  return slice;
}

}  // namespace ratnet::inline v1
