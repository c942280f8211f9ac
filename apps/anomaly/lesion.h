// A lesion drawn into a head phantom.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "head_phantom.h"

namespace ratnet::inline v1 {

enum class LesionKind : std::uint8_t {
  none,
  hyperintense,
  hypointense,
  texture,      // isointense on average: marbled tissue
  mass_effect,  // isointense: tissue that pushes the brain around it away
};

constexpr int kLesionKinds = 4;  // besides none
// By LesionKind.
constexpr std::array<const char*, kLesionKinds + 1> kLesionKindNames = {
    "none", "hyperintense", "hypointense", "texture", "mass effect"};

enum class LesionShape : std::uint8_t { blob, wedge };

// One lesion. Points are in the scanner's mm, as the phantom's are.
class Lesion {
 public:
  // radius: mm; along z it is long enough to fill a slice of a stack with this spacing (mm). A
  // wedge is twice as long, its apex towards the middle of the head, and spares fluid; mass effect
  // needs a blob. Throws Error (usage) for other radii than above 0 to 100 mm.
  Lesion(Random& random, LesionKind kind, LesionShape shape, const HeadPoint& centre, double radius,
         double slice_spacing);

  LesionKind kind() const { return kind_; }
  // mm along z from the centre to where it ends, what it displaces apart.
  double reach_z() const { return radius_z_ * 1.35; }
  bool reaches_z(double z) const { return std::abs(z - centre_.z) < reach_z(); }
  // Whether it can displace what is at p.
  bool displaces(const HeadPoint& p) const;
  // Where the tissue at p was before. depth: mm to the outline of the brain at p, which stays.
  HeadPoint before(const HeadPoint& p, double depth) const;
  // Share of the lesion at p, 0 to 1, whatever tissue is there.
  double cover(const HeadPoint& p) const;
  // Changes the sample at p; gives the share of it that is lesion now.
  double change(const HeadPoint& p, const HeadLevels& levels, HeadSample& sample) const;

 private:
  LesionKind kind_;
  LesionShape shape_;
  HeadPoint centre_;
  double radius_, radius_z_, stretch_, angle_, ragged_, edge_;
  double opening_, towards_;  // of a wedge: half its angle and its direction, radians
  double strength_, uniform_, grey_, push_, push_length_;
  WaveField outline_, texture_;
};

}  // namespace ratnet::inline v1
