// An evaluation of anomaly scores as a table and as JSON.
#pragma once

#include <cstdio>
#include <string>

#include "../evaluation.h"

namespace ratnet::inline v1 {

// "+0.012"; "n/a" where it is not defined.
std::string format_difference(const Difference& difference);

void print_evaluation(const AnomalyEvaluation& evaluation, std::FILE* to);

// The model's figures at the top, the same of every rule under "baselines".
std::string to_json(const AnomalyEvaluation& evaluation);

}  // namespace ratnet::inline v1
