// An evaluation of a graph as a table and as JSON.
#pragma once

#include <cstdio>
#include <string>

#include "../evaluation.h"

namespace ratnet::inline v1 {

void print_evaluation(const GraphEvaluation& evaluation, std::FILE* to);

// Those of `train --graph --json` at the top, then classification, masks, images and against, each
// where there is such a thing. NaN is null.
std::string to_json(const GraphEvaluation& evaluation);

}  // namespace ratnet::inline v1
