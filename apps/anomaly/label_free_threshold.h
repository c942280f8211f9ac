// The score above which a pixel is called abnormal, chosen without a single lesion.
#pragma once

#include <span>

#include "../../core/view.h"
#include "prepared_subject.h"

namespace ratnet::inline v1 {

// The percentile (linear between order statistics, as NumPy's) of the maps over the brain pixels of
// the healthy slices (subject_slices.h): 0.5% of healthy pixels score above the 99.5th. To be taken
// on validation subjects that took no part in training. maps: of every subject, [S, 128, 128] f32.
// Throws Error: usage (sizes, a percentile outside [0, 100]), input (a score that is NaN, no
// healthy pixel).
double label_free_threshold(std::span<const PreparedSubject* const> subjects,
                            std::span<const ConstView> maps, double percentile = 99.5);

}  // namespace ratnet::inline v1
