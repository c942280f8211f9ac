#include "head_phantom.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../imaging/ramp.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kFar = 100;    // mm: further than any surface that matters
constexpr double kAir = -45;    // mm from the skull's inner surface: no scalp is as thick
constexpr double kCentreZ = 8;  // of the vault

// Quicker than std::hypot, which guards against sizes no head has.
double norm(double x, double y, double z = 0) { return std::sqrt(x * x + y * y + z * z); }

// mm from (x, y) to the line between two points.
double distance_to_line(double x, double y, double ax, double ay, double bx, double by) {
  const double dx = bx - ax, dy = by - ay;
  const double t = std::clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
  return norm(x - ax - t * dx, y - ay - t * dy);
}

// The larger of two depths, rounded where they are within `width` of each other.
double smooth_max(double a, double b, double width) {
  const double h = std::max(0.0, width - std::abs(a - b)) / width;
  return std::max(a, b) + h * h * width / 4;
}

}  // namespace

double HeadPhantom::Surfaces::brain() const { return std::max({cerebrum, cerebellum, stem}); }

// mm from the surface, to first order.
double HeadPhantom::inside(const Ball& ball, const HeadPoint& p) {
  const double dx = p.x - ball.centre.x, dy = p.y - ball.centre.y, dz = p.z - ball.centre.z;
  const auto [c, s] = ball.turn;
  const double u = (c * dx + s * dy) / ball.radii.x, v = (c * dy - s * dx) / ball.radii.y;
  const double w = dz / ball.radii.z;
  const double rho = std::sqrt(u * u + v * v + w * w);
  const double least = std::min({ball.radii.x, ball.radii.y, ball.radii.z});
  if (rho < 0.1) return least;
  const double slope = norm(u / ball.radii.x, v / ball.radii.y, w / ball.radii.z) / rho;
  return std::min((1 - rho) / slope, least);
}

double HeadPhantom::inside(const Tube& tube, const HeadPoint& p) {
  const double dx = tube.to.x - tube.from.x, dy = tube.to.y - tube.from.y,
               dz = tube.to.z - tube.from.z;
  const double px = p.x - tube.from.x, py = p.y - tube.from.y, pz = p.z - tube.from.z;
  const double t =
      std::clamp((px * dx + py * dy + pz * dz) / (dx * dx + dy * dy + dz * dz), 0.0, 1.0);
  const double ox = px - t * dx, oy = py - t * dy, oz = pz - t * dz;
  return mix(tube.from_radius, tube.to_radius, t) - std::sqrt(ox * ox + oy * oy + oz * oz);
}

HeadPoint HeadPhantom::to_anatomy(const HeadPoint& p) const {
  HeadPoint q{(p.x - shift_x_) / scale_, (p.y - shift_y_) / scale_, p.z / scale_};
  q = {q.x * turn_.cosine + q.y * turn_.sine, q.y * turn_.cosine - q.x * turn_.sine, q.z};
  q = {q.x, q.y * pitch_.cosine + q.z * pitch_.sine, q.z * pitch_.cosine - q.y * pitch_.sine};
  q = {q.x * roll_.cosine + q.z * roll_.sine, q.y, q.z * roll_.cosine - q.x * roll_.sine};
  return {q.x + 1.7 * warp_x_.at(q), q.y + 2.0 * warp_y_.at(q), q.z + 1.7 * warp_z_.at(q)};
}

// z of the floor under the cerebrum: it rises over the orbits, and to the tentorium behind.
double HeadPhantom::floor_at(const HeadPoint& p, double wobble) const {
  const double middle = std::exp(-p.x * p.x / 700), aside = std::abs(p.x) - 30;
  const double front = ramp(p.y, -5, -45) * (4 + 8 * std::exp(-aside * aside / 220));
  const double back = ramp(p.y, 8, 45) * (4 + 13 * middle);
  return floor_ + front + back + 1.5 * wobble;
}

HeadPhantom::Surfaces HeadPhantom::surfaces(const HeadPoint& p) const {
  Surfaces s{};
  const double r = norm(p.x, p.y);
  const double degrees = (std::atan2(p.y, p.x) / kDegree) + (p.y < 0 ? 360 : 0);
  const auto index = std::min<std::size_t>(static_cast<std::size_t>(degrees), 359);
  const double radius =
      mix(radius_[index], radius_[index + 1], degrees - static_cast<double>(index));
  const double dz = p.z - kCentreZ, height = dz > 0 ? height_ : base_height_;
  const double u = r / radius, w = dz / height;
  s.rho = norm(u, w);
  s.vault = s.rho < 0.1 ? kFar : (1 - s.rho) * s.rho / norm(u / radius, w / height);
  if (s.vault < kAir) return s;
  s.wobble = wobble_.at(p);
  const double gap = gap_ * (1 + 0.35 * s.wobble);
  const double floor = floor_at(p, s.wobble);
  s.cerebrum = std::min(s.vault - gap, p.z - floor);
  if (p.z < 12)
    for (const Ball& lobe : temporal_)
      s.cerebrum = smooth_max(s.cerebrum, std::min(s.vault - gap, inside(lobe, p)), 2);
  s.cerebellum = p.z < 0 ? std::min({std::max(inside(cerebellum_, p), inside(vermis_, p)),
                                     s.vault - gap, floor - 2 - p.z})
                         : -kFar;
  s.stem = p.z < 16 ? std::min(inside(stem_, p), s.vault - gap) : -kFar;
  return s;
}

double HeadPhantom::brain_depth(const HeadPoint& p) const {
  return surfaces(to_anatomy(p)).brain();
}

// mm to the nearest fold or fissure of the cerebrum.
double HeadPhantom::sulcus(const HeadPoint& p, const Surfaces& s) const {
  // Folds go in from the surface: seen from the middle they keep their place.
  const double spread = mix(1, 1 / std::max(s.rho, 0.25), 0.5);
  const HeadPoint q{p.x * spread, p.y * spread, kCentreZ + (p.z - kCentreZ) * spread};
  const double line = std::abs(folds_.at(q)) * fold_length_ / (2.0 * std::numbers::pi);
  const double depth = fold_depth_.at(p);
  const double beyond =
      std::max(s.cerebrum - sulcus_depth_ * (1 + 0.25 * depth), (0.56 + 0.06 * depth - s.rho) * 70);
  double nearest = beyond > 0 ? norm(line, beyond) : line;

  // Between the hemispheres, around the corpus callosum.
  const double u = (p.y + 1) / callosum_length_, v = (p.z - 1) / callosum_height_;
  const double callosum = (1 - norm(u, v)) * callosum_height_;
  const double across = std::abs(p.x - 0.9 * s.wobble);
  nearest = std::min(nearest, callosum > 0 ? norm(across, callosum) : across - 0.3);

  // The Sylvian fissure, and the insula under it.
  if (p.z > -26 && p.z < 34) {
    const std::size_t side = p.x > 0;
    const double z = p.z - 2, y = p.y + 2.5 * s.wobble;
    const double open = sylvian_y_[side] + 0.35 * z;
    const double x = std::abs(p.x) + 1.5 * texture_.at(p) + (y - open) * (y - open) / 90;
    const double bent = y + (x - 40) * sylvian_rise_[side];
    const double half = 17 * std::sqrt(std::max(0.05, 1 - z * z / 330));
    double fissure = std::min(distance_to_line(x, bent, 39, open, 80, open),
                              distance_to_line(x, bent, 39, open - half, 39, open + half));
    fissure = norm(fissure, std::max(0.0, std::abs(z) - 17)) - 0.6;
    nearest = std::min(nearest, fissure);
  }
  return nearest;
}

double HeadPhantom::ventricle(const HeadPoint& p) const {
  if (std::abs(p.x) > 50 || std::abs(p.y) > 70 || p.z > 36 || p.z < -50) return -kFar;
  double depth = std::max(inside(third_, p), inside(fourth_, p));
  const std::size_t half = ventricles_.size() / 2, first = p.x < 0 ? 0 : half;
  // The septum keeps them apart.
  const double septum = std::abs(p.x) - 0.6;
  for (std::size_t i = first; i < first + half; ++i)
    depth = std::max(depth, std::min(inside(ventricles_[i], p), septum));
  return depth;
}

// Cerebral tissue from its depth under the pia. tissue: share that is not fluid.
double HeadPhantom::cerebrum_level(const HeadPoint& p, double pial, double& tissue) const {
  const double grey = 1 - ramp(pial, thickness_ - blur_, thickness_ + blur_);
  const double patches = patches_.at(p);
  double level = mix(levels_.white, levels_.grey, grey * (1 + 0.06 * texture_.at(p)));
  const double chamber = ventricle(p);
  if (std::abs(p.x) < 36 && std::abs(p.y) < 32 && p.z > -12 && p.z < 20) {
    double nuclei = -kFar, pallidum = -kFar;
    for (const Ball& ball : grey_nuclei_) nuclei = std::max(nuclei, inside(ball, p));
    for (const Ball& ball : pallida_) pallidum = std::max(pallidum, inside(ball, p));
    level = mix(level, levels_.deep, ramp(nuclei, -1, 1));
    level = mix(level, levels_.pallidum, ramp(pallidum, -1, 1));
  }
  // The septum and the rim of the horns.
  if (chamber > -8) {
    const double cap = std::exp(std::min(0.0, chamber) / 1.6) * ramp(std::abs(p.y + 4), 14, 26);
    level = mix(level, levels_.cap, std::clamp(cap * (0.75 + 0.35 * patches), 0.0, 1.0));
  }
  level *= 1 + 0.022 * patches + 0.018 * texture_.at(p) + 0.018 * fine_.at(p);
  const double fluid = ramp(chamber, -0.7, 0.7);
  level = mix(level, levels_.fluid, fluid);
  if (fluid > 0)
    for (const Ball& ball : plexus_)
      level = mix(level, levels_.plexus, fluid * ramp(inside(ball, p), -1, 1));
  tissue = 1 - fluid;
  return level;
}

HeadSample HeadPhantom::brain_sample(const HeadPoint& p, const Surfaces& s, double depth) const {
  // Wider where it opens.
  const double width = sulcus_width_ * (0.8 + 0.8 * std::exp(-std::max(0.0, depth) / 4));
  double level = 0, tissue = 1, pial = depth;
  if (s.cerebrum >= s.cerebellum && s.cerebrum >= s.stem) {
    pial = std::min(depth, sulcus(p, s)) - width;
    level = cerebrum_level(p, pial, tissue);
  } else if (s.cerebellum >= s.stem) {
    // Folia: thin leaves around a white core that branches.
    const HeadPoint bent{p.x + 2 * s.wobble, p.y + 1.5 * texture_.at(p), p.z};
    const double r = norm(0.75 * bent.x, bent.y - 30, bent.z + 36);
    const double leaf = std::cos(2 * std::numbers::pi * r / 5.2);
    const double core =
        ramp(s.cerebellum + 2.5 * texture_.at(p), 9, 13) * ramp(std::abs(p.x), 5, 11);
    const double grey = std::clamp(0.68 + 0.3 * leaf, 0.0, 1.0) * (1 - core);
    level = mix(levels_.white, levels_.grey, grey) * (1 + 0.02 * fine_.at(p));
    const double gap = 0.5 * std::max(0.0, -leaf) * (1 - ramp(depth, 2, 9)) * width;
    pial = depth - width;
    const double fluid = std::max(ramp(inside(fourth_, p), -0.7, 0.7), 0.35 * gap);
    level = mix(level, levels_.fluid, fluid);
    tissue = 1 - fluid;
  } else {
    level = mix(levels_.white, levels_.grey, 0.3 + 0.1 * texture_.at(p));
    const double fluid = ramp(std::max(inside(fourth_, p), inside(third_, p)), -0.7, 0.7);
    level = mix(level, levels_.fluid, fluid);
    tissue = 1 - fluid;
  }
  const double in = ramp(pial, -0.7, 0.7);
  return {mix(levels_.fluid, level, in), tissue * in, 1};
}

// Under the brain and before it: bone with air and marrow in it, muscle, fat, the orbits.
double HeadPhantom::base_level(const HeadPoint& p, double depth) const {
  const double pattern = bone_.at(p) + 0.4 * texture_.at(p);
  double level = mix(levels_.muscle, levels_.marrow, ramp(pattern, 0.2, 1.0) * 0.8);
  level = mix(level, levels_.bone, ramp(pattern, 0.1, -0.6));
  level = mix(level, levels_.fat, 0.8 * ramp(pattern, 1.2, 1.7) * ramp(depth, 12, 4));
  level = mix(level, levels_.bone, ramp(inside(sinus_, p), -2, 1));
  for (std::size_t side = 0; side < 2; ++side) {
    const double orbit = inside(orbits_[side], p), eye = inside(eyes_[side], p);
    level = mix(level, levels_.bone, ramp(orbit, -3.5, -1.5));
    level = mix(level, levels_.fat * 0.8, ramp(orbit, -1, 1));
    const double nerve = std::abs(std::abs(p.x) - 27 + 0.18 * (p.y + 60)) - 2.2;
    if (p.y > -72) level = mix(level, levels_.muscle, ramp(orbit, -1, 1) * ramp(nerve, 1, -0.5));
    level = mix(level, levels_.muscle, ramp(eye, -2.2, -0.8));
    level = mix(level, levels_.fluid, ramp(eye, -0.8, 0.8));
    const Ball lens{{eyes_[side].centre.x, eyes_[side].centre.y - 9, eyes_[side].centre.z},
                    {4.5, 2.2, 4.5},
                    {}};
    level = mix(level, levels_.lens, ramp(inside(lens, p), -0.8, 0.8));
  }
  return level;
}

// `out` mm outside of the skull's inner surface: bone around its marrow, muscle at the temples,
// fat, skin, air. face: 1 where no vault covers it.
double HeadPhantom::shell_level(const HeadPoint& p, double out, double face, double uneven) const {
  const double bone = skull_ * (1 + 0.04 * uneven) * (1 - face), half = bone * diploe_ / 2;
  const double temple = ramp(std::abs(p.x), 42, 58) * ramp(p.z, 30, 2) * ramp(p.y, 35, 10);
  const double muscle = muscle_ * temple * 1.5;
  const double fat =
      fat_ * (1 + 0.5 * ramp(p.y, 20, 70) - 0.25 * temple + 0.04 * uneven) * (1 - 0.4 * face);
  double level = levels_.bone;
  const double marrow = 1 - ramp(std::abs(out - bone / 2), half - 0.5, half + 0.5);
  level = mix(level, levels_.marrow,
              (1 - face) * marrow * std::clamp(0.75 + 0.3 * bone_.at(p), 0.0, 1.2));
  level = mix(level, levels_.muscle * (1 + 0.12 * fine_.at(p)),
              ramp(out, bone - 0.5, bone + 0.5) * (muscle > 0.3 ? 1 : 0));
  const double to_fat = bone + muscle;
  level =
      mix(level, levels_.fat * (1 + 0.08 * texture_.at(p)), ramp(out, to_fat - 0.6, to_fat + 0.6));
  const double to_skin = to_fat + std::max(0.8, fat);
  level = mix(level, levels_.skin, ramp(out, to_skin - 0.6, to_skin + 0.6));
  const double to_air = to_skin + skin_;
  return level * ramp(out, to_air + 0.6, to_air - 0.6);
}

HeadSample HeadPhantom::at(const HeadPoint& scanner, const HeadPoint& moved) const {
  const HeadPoint p = to_anatomy(scanner);
  const Surfaces s = surfaces(p);
  if (s.vault < kAir) return {};
  const double depth = s.brain();
  HeadSample sample;
  if (depth > -1.5) {
    const bool still = moved.x == scanner.x && moved.y == scanner.y && moved.z == scanner.z;
    const HeadPoint q = still ? p : to_anatomy(moved);
    sample = brain_sample(q, still ? s : surfaces(q), depth);
  }
  // Around the brain fluid, then a membrane; the great vein runs along the top and the back.
  const double under = 1.2 + 3.5 * ramp(p.y, 5, 20) + 5 * std::exp(-(p.x * p.x + p.y * p.y) / 350);
  const double space = std::min(s.vault, p.z < floor_ + 24 ? depth + under + 0.5 * s.wobble : kFar);
  if (depth < 0.8) {
    double fluid = mix(levels_.fluid, levels_.dura, ramp(space, 1.3, 0.2));
    const double vein = norm(p.x - 0.5 * s.wobble, s.vault - 2.5) - 3.2;
    if (p.y > -20 && p.z > -5) fluid = mix(fluid, levels_.vein, ramp(vein, 0.8, -0.8));
    sample.level = mix(fluid, sample.level, ramp(depth, -0.7, 0.7));
    sample.parenchyma *= ramp(depth, -0.7, 0.7);
    sample.brain = ramp(space, -0.5, 0.5);
  }
  // The face lies before the vault.
  const double face = ramp(p.z, floor_ + 10, floor_ - 4) * ramp(p.y, -35, -58);
  const double shell = s.vault + 13 * face;
  if (shell > -0.8 && space < 0.8)
    sample.level = mix(base_level(p, s.vault), sample.level, ramp(space, -0.6, 0.6));
  if (shell < 0.8)
    sample.level =
        mix(shell_level(p, -shell, face, s.wobble), sample.level, ramp(shell, -0.6, 0.6));
  return sample;
}

}  // namespace ratnet::inline v1
