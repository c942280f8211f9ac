// Which vector instructions the CPU kernels use: chosen once, at the first call, from what the
// processor has.
#pragma once

#include <string>
#include <vector>

namespace ratnet::inline v1 {

// "AVX2", "AVX3" (AVX-512), "SSE4", ...: what is in use.
std::string instruction_set();
// All that this build has and this processor runs, best first.
std::vector<std::string> instruction_sets();
// Uses only that set (one of instruction_sets()), or the best again for "". For tests and
// benchmarks; not while operations run. Throws Error (usage) for a set that cannot run here.
void use_instruction_set(const std::string& name);

}  // namespace ratnet::inline v1
