#include "lesion.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../core/error.h"
#include "../../imaging/ramp.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

double strength_of(Random& random, LesionKind kind) {
  switch (kind) {
    case LesionKind::hyperintense: return random.uniform(0.18, 0.55);
    case LesionKind::hypointense: return -random.uniform(0.18, 0.55);
    case LesionKind::texture: return random.uniform(0.11, 0.20);
    default: return 0;
  }
}

}  // namespace

Lesion::Lesion(Random& random, LesionKind kind, LesionShape shape, const HeadPoint& centre,
               double radius, double slice_spacing)
    : kind_(kind),
      shape_(shape),
      centre_(centre),
      radius_(radius),
      radius_z_(std::max({3.0, 0.7 * slice_spacing, radius * random.uniform(0.65, 1.1)})),
      stretch_(random.uniform(1, 1.45)),
      angle_(random.uniform(0, 180) * kDegree),
      ragged_(random.uniform(0.05, 0.16)),
      edge_(random.uniform(0.6, 1.6)),
      opening_(random.uniform(16, 32) * kDegree),
      towards_(std::atan2(centre.y, centre.x) + random.normal(0, 12) * kDegree),
      strength_(strength_of(random, kind)),
      uniform_(random.uniform(0.3, 0.8)),
      grey_(random.uniform(0.3, 0.7)),
      push_(random.uniform(0.75, 0.95)),
      push_length_(radius * random.uniform(1.0, 1.6)),
      outline_(random, 8, std::max(8.0, 1.5 * radius), 0.4),
      texture_(random, 24, random.uniform(6, 12), 0.6) {
  require(radius > 0 && radius <= 100, "a lesion of ", radius, " mm: use above 0 to 100");
  require(kind != LesionKind::none, "a lesion must be of some kind");
  require(shape == LesionShape::blob || kind != LesionKind::mass_effect,
          "what pushes tissue away is a blob, not a wedge");
}

bool Lesion::displaces(const HeadPoint& p) const {
  const double reach = radius_ + 6 * push_length_;
  const double dx = p.x - centre_.x, dy = p.y - centre_.y;
  const double dz = (p.z - centre_.z) * radius_ / radius_z_;
  return kind_ == LesionKind::mass_effect && dx * dx + dy * dy + dz * dz < reach * reach;
}

HeadPoint Lesion::before(const HeadPoint& p, double depth) const {
  if (!displaces(p)) return p;
  const double dx = p.x - centre_.x, dy = p.y - centre_.y, dz = p.z - centre_.z;
  const double w = dz * radius_ / radius_z_;
  const double r = std::sqrt(dx * dx + dy * dy + w * w);
  if (r < 1e-9) return p;
  // At the core's rim stands what was at its middle; this fades outwards, and never folds.
  const double moved =
      push_ * radius_ * std::exp(-std::max(0.0, r - radius_) / push_length_) * ramp(depth, 0, 9);
  const double scale = 1 - std::min(moved, r) / r;
  return {centre_.x + dx * scale, centre_.y + dy * scale, centre_.z + dz * scale};
}

double Lesion::cover(const HeadPoint& p) const {
  const double dx = p.x - centre_.x, dy = p.y - centre_.y, dz = p.z - centre_.z;
  const double w = dz / radius_z_;
  if (std::abs(w) > 1.35) return 0;
  const double ragged = 1 + ragged_ * outline_.at(p);
  if (shape_ == LesionShape::blob) {
    const double c = std::cos(angle_), s = std::sin(angle_);
    const double u = (c * dx + s * dy) / stretch_, v = (c * dy - s * dx) * stretch_;
    // Mass effect is drawn round: what displaces has the shape of the displacement.
    const double rho = kind_ == LesionKind::mass_effect
                           ? std::hypot(dx / radius_, dy / radius_, w)
                           : std::hypot(u / radius_, v / radius_, w) / ragged;
    return ramp((1 - rho) * radius_, -edge_, edge_);
  }
  // From the apex, `radius` before the centre, to the base as far behind it.
  const double c = std::cos(towards_), s = std::sin(towards_);
  const double along = c * dx + s * dy + radius_, across = c * dy - s * dx;
  const double side = std::abs(across) * std::cos(opening_) - along * std::sin(opening_);
  const double rounded = 2 * radius_ * ragged - std::hypot(along, across);
  return ramp(std::min({-side, rounded, (1 - std::abs(w)) * radius_z_}), -edge_, edge_);
}

double Lesion::change(const HeadPoint& p, const HeadLevels& levels, HeadSample& sample) const {
  if (sample.brain <= 0) return 0;
  const double covered = cover(p);
  if (covered <= 0) return 0;
  // Blobs take the place of folds and the fluid in them; wedges change tissue alone.
  const bool grows = shape_ == LesionShape::blob;
  const double share = covered * (grows ? sample.brain : sample.parenchyma);
  const double tissue = mix(levels.white, levels.grey, grey_);
  double level = sample.level;
  if (kind_ == LesionKind::mass_effect)
    level = tissue * (1 + 0.03 * texture_.at(p));
  else if (grows)
    level = mix(level, tissue, std::max(uniform_, 1 - sample.parenchyma));
  if (kind_ == LesionKind::texture)
    level *= 1 + strength_ * texture_.at(p);
  else
    level *= 1 + strength_;
  sample.level = mix(sample.level, level, share);
  sample.parenchyma = std::max(sample.parenchyma, share);
  return share;
}

}  // namespace ratnet::inline v1
