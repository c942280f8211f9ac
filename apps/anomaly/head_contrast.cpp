#include "head_contrast.h"

#include <cmath>

namespace ratnet::inline v1 {
namespace {

constexpr HeadLevels kT1 = {.white = 1.00,
                            .grey = 0.70,
                            .deep = 0.80,
                            .pallidum = 0.90,
                            .fluid = 0.22,
                            .plexus = 0.60,
                            .cap = 0.92,
                            .vein = 0.75,
                            .dura = 0.50,
                            .bone = 0.10,
                            .marrow = 0.85,
                            .muscle = 0.55,
                            .fat = 1.55,
                            .skin = 0.80,
                            .lens = 0.55};
constexpr HeadLevels kT2 = {.white = 0.58,
                            .grey = 0.82,
                            .deep = 0.72,
                            .pallidum = 0.52,
                            .fluid = 1.65,
                            .plexus = 1.25,
                            .cap = 0.85,
                            .vein = 0.20,
                            .dura = 0.30,
                            .bone = 0.08,
                            .marrow = 0.55,
                            .muscle = 0.30,
                            .fat = 1.15,
                            .skin = 0.55,
                            .lens = 0.25};
constexpr HeadLevels kFlair = {.white = 0.76,
                               .grey = 0.95,
                               .deep = 0.90,
                               .pallidum = 0.78,
                               .fluid = 0.20,
                               .plexus = 0.85,
                               .cap = 1.22,
                               .vein = 0.35,
                               .dura = 0.65,
                               .bone = 0.08,
                               .marrow = 0.50,
                               .muscle = 0.45,
                               .fat = 1.25,
                               .skin = 0.65,
                               .lens = 0.35};

const HeadLevels& typical(HeadContrast contrast) {
  switch (contrast) {
    case HeadContrast::t1: return kT1;
    case HeadContrast::t2: return kT2;
    case HeadContrast::flair: break;
  }
  return kFlair;
}

}  // namespace

const char* bids_name_of(HeadContrast contrast) {
  switch (contrast) {
    case HeadContrast::t1: return "T1w";
    case HeadContrast::t2: return "T2w";
    case HeadContrast::flair: break;
  }
  return "FLAIR";
}

HeadLevels draw_levels(Random& random, HeadContrast contrast) {
  HeadLevels levels = typical(contrast);
  const auto vary = [&](double& level, double deviation) {
    level *= std::exp(random.normal(0, deviation));
  };
  // Grey, white and what lies between them move together, or the brain would change its look.
  const double between = levels.grey - levels.white, gain = std::exp(random.normal(0, 0.18));
  const auto move = [&](double& level) {
    level = levels.white + (level - levels.white) * gain + random.normal(0, 0.02) * between;
  };
  move(levels.grey);
  move(levels.deep);
  vary(levels.pallidum, 0.05);
  vary(levels.fluid, 0.12);
  vary(levels.plexus, 0.15);
  vary(levels.cap, 0.08);
  for (double* level : {&levels.vein, &levels.dura, &levels.bone, &levels.marrow, &levels.muscle,
                        &levels.fat, &levels.skin, &levels.lens})
    vary(*level, 0.15);
  return levels;
}

}  // namespace ratnet::inline v1
