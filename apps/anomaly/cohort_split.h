// Which subjects of a cohort train, calibrate and test.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "../../train/split.h"
#include "cohort.h"

namespace ratnet::inline v1 {

// A split for every scan, which a subject's share: the file's where it has one, else 60% train, 16%
// calibrate (validation) and 24% test, the same ones whenever it is asked. Throws Error (input) for
// fewer than three subjects, a subject in two splits, or an identical image in two.
std::vector<Split> split_cohort(const SubjectCohort& cohort);

// Of all pixels, masks, labels, subjects, slice numbers and splits, and of what tells a subject's
// scans apart: tells one cohort from another.
std::string hash_of(const SubjectCohort& cohort);

// The same of scans of which no file states a split. persons: of each scan; name: of them all, in
// messages.
std::vector<Split> split_people(std::span<const std::string> persons, const std::string& name);

std::vector<const PreparedSubject*> of_split(std::span<const PreparedSubject> subjects,
                                             const std::vector<Split>& splits, Split which);

}  // namespace ratnet::inline v1
