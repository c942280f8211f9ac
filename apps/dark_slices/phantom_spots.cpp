// The spots of the phantom: vessels, airways, bone, fluid.
#include "phantom.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kCentreX = 31;

}  // namespace

// What sits at much the same place in every animal.
void Phantom::add_landmarks(Random& random) {
  const double spot_level = random.uniform(60, 190);
  const double apart = random.uniform(4, 10);
  for (const double side : {-1.0, 1.0})  // above the brain
    bright_.push_back({kCentreX + side * apart + random.normal(0, 0.6),
                       top_ + random.uniform(1, 2.4), 7, random.uniform(2, 4.5),
                       random.uniform(0.6, 1), 12, side * random.uniform(0, 0.15),
                       spot_level * random.uniform(0.6, 1)});
  if (random.chance(0.6))  // a thin line that joins them
    bright_.push_back({kCentreX, top_ + random.uniform(1.6, 2.6), 7, apart + 3, 0.5, 12, 0,
                       random.uniform(35, 70)});
  // Airway, and the bright tissue below it, under the middle of the brain.
  const double airway = random.uniform(1, 2);
  for (double z = 1; z < 13; z += 1.5) {
    const double floor = brain_at(z).bottom;
    dark_.push_back({kCentreX + random.normal(0, 0.4), floor + random.uniform(2, 4), z,
                     airway * 1.3, airway, 1.2, 0, random.uniform(0.1, 0.4)});
    bright_.push_back({kCentreX + random.normal(0, 0.5), floor + random.uniform(5.5, 8.5), z,
                       random.uniform(1.5, 4.5), random.uniform(0.9, 2.4), 1, random.normal(0, 0.1),
                       random.uniform(38, 85)});
  }
  // Air beside and below the back of the brain.
  const double deep = random.uniform(0.1, 0.4);
  const double from = random.uniform(8.5, 11);
  for (const double side : {-1.0, 1.0}) {
    const double x = random.uniform(8, 13), r = random.uniform(3, 6.5);
    dark_.push_back({kCentreX + side * x, random.uniform(33, 36), from + 5, r,
                     random.uniform(2, 3.6), 5, side * random.uniform(-0.3, 0.5), deep});
  }
  dark_.push_back({kCentreX, random.uniform(35, 38), from + 5, random.uniform(5, 10),
                   random.uniform(1.5, 3), 4.5, 0, deep * 1.5});
  // Vessels beside the brain.
  for (const double side : {-1.0, 1.0})
    for (int i = 0; i < 3; ++i)
      bright_.push_back({kCentreX + side * random.uniform(14, 18), random.uniform(22, 28),
                         random.uniform(4, 13), random.uniform(0.7, 1.5), random.uniform(0.7, 1.8),
                         random.uniform(0.8, 1.6), random.uniform(-0.8, 0.8),
                         random.uniform(55, 150)});
  if (random.chance(0.4)) {  // roots of the teeth at the front
    const double level = random.uniform(55, 130);
    for (const double side : {-1.0, 1.0})
      if (random.chance(0.85))
        bright_.push_back({kCentreX + side * random.uniform(9, 13), random.uniform(43, 48),
                           random.uniform(-0.5, 1), random.uniform(4, 7), random.uniform(0.7, 1.2),
                           random.uniform(1.2, 2.6), -side * random.uniform(0.7, 1.1), level});
  }
}

// What lies anywhere: so many that a slice shows 3 to 8 dark and 2 to 7 bright ones.
void Phantom::add_spots(Random& random) {
  const auto thickness = 1.6;
  const auto shown = [&](double low, double high) {
    return static_cast<int>(random.uniform(low, high) * 18 / (2 * thickness));
  };
  const int dark = shown(3, 8);
  for (int i = 0; i < dark; ++i)
    dark_.push_back({random.uniform(8, 54), random.uniform(33, 57), random.uniform(-1, 15),
                     random.uniform(1, 4.5), random.uniform(0.8, 2.6), random.uniform(0.8, 2.4),
                     random.uniform(-1.5, 1.5), random.uniform(0.2, 0.75)});
  const int bright = shown(2, 7);
  for (int i = 0; i < bright; ++i)
    bright_.push_back({random.uniform(6, 56), random.uniform(24, 58), random.uniform(-1, 15),
                       random.uniform(0.6, 1.6), random.uniform(0.6, 1.2), random.uniform(0.6, 2),
                       random.uniform(-1.5, 1.5), random.uniform(40, 130)});
  const int csf = static_cast<int>(random.integer(4));
  for (int i = 0; i < csf; ++i)
    bright_.push_back({kCentreX + (random.chance(0.5) ? 0 : random.uniform(-6, 6)),
                       random.uniform(16, 24), random.uniform(4, 13), random.uniform(0.6, 1.5),
                       random.uniform(0.6, 1.4), random.uniform(0.8, 2), 0,
                       64 * random.uniform(1.25, 1.8)});
}

}  // namespace ratnet::inline v1
