// An evaluation as a table for the terminal.
#pragma once

#include <cstdio>

#include "../evaluation.h"

namespace ratnet::inline v1 {

void print_evaluation(const DarkSlicesEvaluation& evaluation, std::FILE* to);

}  // namespace ratnet::inline v1
