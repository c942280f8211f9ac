// What a report of figures has to say about the machine, besides what the library itself adds.
#include <benchmark/benchmark.h>

#include "../kernels/cpu/instruction_set.h"

namespace {

[[maybe_unused]] const bool kStated = [] {
  benchmark::AddCustomContext("instruction_set", ratnet::instruction_set());
  return true;
}();

}  // namespace
