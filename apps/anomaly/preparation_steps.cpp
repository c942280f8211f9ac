#include "preparation_steps.h"

#include <algorithm>
#include <string>

namespace ratnet::inline v1 {
namespace {

constexpr const char* kBiasField = "bias_field";

struct Number {
  const char* step;
  const char* name;
  double* value;
};

// Every number of the options, by its step. `rows` and `columns` are those of the judged grid.
std::vector<Number> numbers_of(PreparationOptions& options, double& rows, double& columns) {
  constexpr const char* kResample = "resample_to_field_of_view";
  constexpr const char* kMask = "brain_mask";
  constexpr const char* kNormalise = "normalise";
  constexpr const char* kZone = "judged_zone";
  BrainMaskOptions& brain = options.brain;
  BiasFieldOptions& field = options.bias_field;
  return {{kResample, "rows", &rows},
          {kResample, "columns", &columns},
          {kResample, "lesion_share", &options.lesion_share},
          {kMask, "smoothing", &brain.smoothing},
          {kMask, "head_level", &brain.head_level},
          {kMask, "head_closing", &brain.head_closing},
          {kMask, "head_rim", &brain.head_rim},
          {kMask, "deep", &brain.deep},
          {kMask, "tissue_level", &brain.tissue_level},
          {kMask, "opening", &brain.opening},
          {kMask, "seed_top", &brain.seed_top},
          {kMask, "seed_bottom", &brain.seed_bottom},
          {kMask, "bottom", &brain.bottom},
          {kMask, "growth", &brain.growth},
          {kMask, "bridge", &brain.bridge},
          {kMask, "overlap", &brain.overlap},
          {kMask, "closing", &brain.closing},
          {kMask, "stack_low", &brain.stack_low},
          {kMask, "stack_high", &brain.stack_high},
          {kBiasField, "strongest", &field.strongest},
          {kBiasField, "usual", &field.usual},
          {kBiasField, "rim", &field.rim},
          {kBiasField, "smoothing", &field.smoothing},
          {kBiasField, "least_level", &field.least_level},
          {kBiasField, "tolerance", &field.tolerance},
          {kNormalise, "rim", &options.rim},
          {kNormalise, "centre", &options.centre},
          {kNormalise, "contrast", &options.contrast},
          {kNormalise, "highest", &options.highest},
          {kZone, "position_bottom", &options.position_bottom},
          {kZone, "position_top", &options.position_top},
          {kZone, "judged_area", &options.judged_area},
          {kZone, "judged_top", &options.judged_top}};
}

}  // namespace

std::vector<PreprocessingStep> steps_of(const PreparationOptions& options) {
  PreparationOptions copy = options;
  double rows = kJudgedSize, columns = kJudgedSize;
  std::vector<PreprocessingStep> steps;
  for (const Number& number : numbers_of(copy, rows, columns)) {
    if (number.step == kBiasField && options.bias_field.strongest == 0) continue;
    if (steps.empty() || steps.back().name != number.step) steps.push_back({number.step, {}});
    steps.back().values[number.name] = *number.value;
  }
  return steps;
}

PreparationOptions preparation_of(std::span<const PreprocessingStep> steps) {
  PreparationOptions options;
  // Older models leave the field in.
  if (std::ranges::none_of(steps, [](const auto& step) { return step.name == kBiasField; }))
    options.bias_field.strongest = 0;
  const std::vector<PreprocessingStep> expected = steps_of(options);
  if (steps.size() != expected.size())
    fail(ErrorKind::input, "the model has ", steps.size(), " preprocessing steps, expected ",
         expected.size());
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].name != expected[i].name || steps[i].values.size() != expected[i].values.size())
      fail(ErrorKind::input, "the model's preprocessing step '", steps[i].name, "' of ",
           steps[i].values.size(), " numbers stands where '", expected[i].name, "' of ",
           expected[i].values.size(), " is expected");
  double rows = 0, columns = 0;
  for (const Number& number : numbers_of(options, rows, columns))
    for (const PreprocessingStep& step : steps) {
      if (step.name != number.step) continue;
      const auto found = step.values.find(number.name);
      if (found == step.values.end())
        fail(ErrorKind::input, "the model's preprocessing step '", number.step, "' has no '",
             number.name, "'");
      *number.value = found->second;
    }
  if (rows != kJudgedSize || columns != kJudgedSize)
    fail(ErrorKind::input, "the model prepares slices of ", rows, " x ", columns, ", expected ",
         kJudgedSize, " x ", kJudgedSize);
  try {
    check(options);
  } catch (const Error& error) {
    throw Error(ErrorKind::input, error.what());
  }
  return options;
}

}  // namespace ratnet::inline v1
