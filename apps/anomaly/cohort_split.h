// Which subjects of a cohort train, calibrate and test.
#pragma once

#include <span>
#include <vector>

#include "../../train/split.h"
#include "cohort.h"

namespace ratnet::inline v1 {

// A split for every subject: the file's where it has one, else 60% train, 16% calibrate
// (validation) and 24% test, the same ones whenever it is asked. Throws Error (input) for fewer
// than three subjects, a subject in two splits, or an identical image in two.
std::vector<Split> split_cohort(const Cohort& cohort);

std::vector<const PreparedSubject*> of_split(std::span<const PreparedSubject> subjects,
                                             const std::vector<Split>& splits, Split which);

}  // namespace ratnet::inline v1
