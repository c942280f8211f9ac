#include "instruction_set.h"

#include <hwy/highway.h>

#include "../../core/error.h"

namespace ratnet::inline v1 {
std::string instruction_set() {
  const std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(targets & -targets);
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

void use_instruction_set(const std::string& name) {
  if (name.empty()) {
    hwy::SetSupportedTargetsForTest(0);
  } else {
    std::int64_t chosen = 0;
    hwy::SetSupportedTargetsForTest(0);
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
      if (name == hwy::TargetName(target)) chosen = target;
    require(chosen != 0, "this processor or build has no instruction set '", name, "'");
    hwy::SetSupportedTargetsForTest(chosen);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace ratnet::inline v1
