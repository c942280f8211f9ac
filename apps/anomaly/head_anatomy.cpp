// The anatomy of a head phantom, as drawn for one subject.
#include <cmath>
#include <numbers>

#include "head_phantom.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

}  // namespace

HeadPhantom::Turn HeadPhantom::Turn::by(double degrees) {
  return {std::cos(degrees * kDegree), std::sin(degrees * kDegree)};
}

HeadPhantom::HeadPhantom(Random& random, HeadContrast contrast)
    : levels_(draw_levels(random, contrast)),
      turn_(Turn::by(random.normal(0, 3))),
      pitch_(Turn::by(random.normal(0, 5))),
      roll_(Turn::by(random.normal(0, 2))),
      shift_x_(random.normal(0, 3)),
      shift_y_(random.normal(0, 4)),
      scale_(random.uniform(0.94, 1.05)),
      height_(random.uniform(60, 67)),
      base_height_(random.uniform(100, 130)),
      gap_(random.uniform(1.5, 3.5)),
      floor_(random.uniform(-24, -19)),
      sulcus_width_(random.uniform(0.5, 1.3)),
      sulcus_depth_(random.uniform(13, 18)),
      thickness_(random.uniform(2.9, 3.7)),
      fold_length_(random.uniform(18, 22)),
      blur_(random.uniform(0.5, 0.9)),
      callosum_length_(random.uniform(36, 42)),
      callosum_height_(random.uniform(24, 29)),
      skull_(random.uniform(5, 8)),
      diploe_(random.uniform(0.3, 0.55)),
      fat_(random.uniform(2, 5.5)),
      skin_(random.uniform(1.2, 2.2)),
      muscle_(random.uniform(3, 6)),
      bottom_(random.uniform(-46, -34)),
      top_(random.uniform(58, 68)),
      warp_x_(random, 6, 95, 0.3),
      warp_y_(random, 6, 95, 0.3),
      warp_z_(random, 6, 95, 0.3),
      folds_(random, 20, fold_length_, 0.25),
      fold_depth_(random, 6, 45, 0.3),
      wobble_(random, 6, 32, 0.3),
      texture_(random, 8, 14, 0.4),
      fine_(random, 8, 5, 0.3),
      patches_(random, 6, 60, 0.3),
      bone_(random, 10, 16, 0.5) {
  // A long oval, narrower in front, flattened by a power above 2, with lobes of its own.
  const double width = random.uniform(63, 70), length = random.uniform(79, 89);
  const double power = random.uniform(2.1, 2.5), egg = random.uniform(0.02, 0.07);
  std::array<double, 8> lobes{};
  for (double& lobe : lobes) lobe = random.normal(0, 0.008);
  for (std::size_t i = 0; i < radius_.size(); ++i) {
    const double angle = static_cast<double>(i) * kDegree;  // 0 right, 90 back
    const double c = std::abs(std::cos(angle)), s = std::abs(std::sin(angle));
    double r = std::pow(std::pow(c / width, power) + std::pow(s / length, power), -1 / power);
    r *=
        1 + egg * std::sin(angle) * c * c * 1.5 + 0.5 * egg * std::sin(angle) * std::sin(2 * angle);
    for (std::size_t k = 0; k < 4; ++k) {
      const double turns = static_cast<double>(k + 1) * angle;
      r *= 1 + lobes[2 * k] * std::cos(turns) + lobes[2 * k + 1] * std::sin(turns);
    }
    radius_[i] = r;
  }
  for (std::size_t side = 0; side < 2; ++side) {
    sylvian_y_[side] = random.normal(-6, 3);
    sylvian_rise_[side] = random.uniform(0.1, 0.5);
  }
  for (const double side : {-1.0, 1.0}) {
    temporal_.push_back({{side * random.normal(42, 1.5), random.normal(-3, 2), -24},
                         {random.uniform(19, 23), random.uniform(34, 40), random.uniform(23, 28)},
                         Turn::by(side * random.normal(12, 3))});
    orbits_.push_back({{side * 31, -60, floor_ - 12}, {18, 27, 17}, Turn::by(side * -14)});
    eyes_.push_back({{side * 32, -71, floor_ - 12}, {12, 12, 12}, {}});
  }
  cerebellum_ = {{random.normal(0, 1), random.normal(45, 2), -36},
                 {random.uniform(44, 51), random.uniform(27, 32), random.uniform(27, 31)},
                 Turn::by(random.normal(0, 2))};
  vermis_ = {{0, random.normal(44, 1), -12}, {26, 22, 17}, {}};
  stem_ = {{0, random.normal(14, 1.5), -30}, {15, 13, 44}, {}};
  sinus_ = {{random.normal(0, 2), -60, floor_ - 14}, {10, 22, 13}, {}};
  place_ventricles(random);
  place_nuclei(random);
}

// Each lateral ventricle: frontal horn, body, atrium, then the occipital and the temporal horn.
void HeadPhantom::place_ventricles(Random& random) {
  const double size = 0.85 * std::exp(random.normal(0, 0.28));
  const double lift = random.normal(0, 2), length = random.uniform(0.94, 1.07);
  for (const double side : {-1.0, 1.0}) {
    const double own = size * std::exp(random.normal(0, 0.1));
    const double apart = 0.6 + 0.4 * own;
    const auto point = [&](double x, double y, double z) {
      return HeadPoint{side * (x * apart + random.normal(0, 0.5)), y * length, z + lift};
    };
    const HeadPoint tip = point(13, -34, 4), horn = point(8, -22, 8), body = point(9, -2, 19);
    const HeadPoint back = point(15, 18, 18), atrium = point(24, 32, 7);
    const HeadPoint occipital = point(22, random.uniform(44, 58), 3);
    const HeadPoint bend = point(31, 18, -12), temporal = point(33, -2, -22);
    const double atrial = own * random.uniform(5, 7);
    ventricles_.push_back({tip, horn, 2.2 * own, 4.6 * own});
    ventricles_.push_back({horn, body, 4.6 * own, 5.0 * own});
    ventricles_.push_back({body, back, 5.0 * own, 5.2 * own});
    ventricles_.push_back({back, atrium, 5.2 * own, atrial});
    ventricles_.push_back({atrium, occipital, atrial, own * random.uniform(1, 3.5)});
    ventricles_.push_back({atrium, bend, 0.6 * atrial, 2.2 * own});
    ventricles_.push_back({bend, temporal, 2.2 * own, 1.6 * own});
    plexus_.push_back({{atrium.x, atrium.y - 1, atrium.z},
                       {random.uniform(1.5, 3), random.uniform(2.5, 5), 4},
                       Turn::by(side * 30)});
  }
  third_ = {{0, 8, -1 + lift}, {1.4 + 1.3 * size, 15, 11}, {}};
  fourth_ = {{0, random.normal(31, 1), -32}, {6.5 + 2 * size, 4.5 + size, 12}, {}};
}

void HeadPhantom::place_nuclei(Random& random) {
  for (const double side : {-1.0, 1.0}) {
    const auto ball = [&](double x, double y, double z, HeadPoint radii, double degrees) {
      const double size = random.uniform(0.92, 1.08);
      return Ball{{side * (x + random.normal(0, 0.6)), y + random.normal(0, 1), z},
                  {radii.x * size, radii.y * size, radii.z * size},
                  Turn::by(side * (degrees + random.normal(0, 3)))};
    };
    grey_nuclei_.push_back(ball(14, -20, 5, {5.5, 10, 10}, 12));     // caudate
    grey_nuclei_.push_back(ball(27, -5, 2, {5.2, 15, 12}, -12));     // putamen
    grey_nuclei_.push_back(ball(11.5, 13, 5, {8.5, 13.5, 10}, 22));  // thalamus
    pallida_.push_back(ball(20.5, -3, 0, {4, 9, 8}, -18));
  }
}

}  // namespace ratnet::inline v1
