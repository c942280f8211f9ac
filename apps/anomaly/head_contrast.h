// How bright each tissue of a head is under the usual sequences.
#pragma once

#include <cstdint>

#include "../../core/random.h"

namespace ratnet::inline v1 {

enum class HeadContrast : std::uint8_t { t1, t2, flair };

constexpr int kHeadContrasts = 3;

// "T1w", "T2w", "FLAIR": the suffix that BIDS gives its files.
const char* bids_name_of(HeadContrast contrast);

// Signals, of which 1 is about that of the brightest brain tissue.
struct HeadLevels {
  double white, grey, deep, pallidum, fluid;     // of the brain; deep: thalamus, caudate, putamen
  double plexus, cap, vein, dura;                // choroid plexus; caps at the ventricles' horns
  double bone, marrow, muscle, fat, skin, lens;  // of what surrounds it; lens: of the eye
};

// The levels of one subject: those of the sequence, each varied as coils, protocols and people do.
HeadLevels draw_levels(Random& random, HeadContrast contrast);

}  // namespace ratnet::inline v1
