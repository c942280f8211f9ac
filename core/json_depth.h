// A bound on JSON from outside, looked at before it is parsed: JSON libraries recurse, and a file
// of a million brackets would end the stack.
#pragma once

#include <string_view>

namespace ratnet::inline v1 {

// How many arrays and objects stand inside each other at most. `json` need not be valid.
int json_depth(std::string_view json);

// Deeper than any file of ours.
constexpr int kMostJsonDepth = 32;

// Throws Error (input), to which the caller adds the file's name, where it is deeper than that.
void check_json_depth(std::string_view json);

}  // namespace ratnet::inline v1
