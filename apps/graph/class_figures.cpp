#include "class_figures.h"

#include "../../train/class_probabilities.h"

namespace ratnet::inline v1 {
namespace {

Interval accuracy_interval(const ClassCalls& calls, const BootstrapOptions& bootstrap) {
  return bootstrap_interval(
      std::ssize(calls.labels), calls.subjects,
      [&](std::span<const std::uint32_t> counts) {
        double right = 0, taken = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
          taken += counts[i];
          if (calls.calls[i] == calls.labels[i]) right += counts[i];
        }
        return right / taken;
      },
      bootstrap);
}

std::vector<double> of_class(const ClassCalls& calls, int which) {
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < calls.labels.size(); ++i)
    probabilities.push_back(calls.probabilities[i * static_cast<std::size_t>(calls.classes) +
                                                static_cast<std::size_t>(which)]);
  return probabilities;
}

}  // namespace

ClassCalls class_calls(const ClassOutput& output, std::span<const float> scores,
                       std::vector<std::uint8_t> labels, std::vector<std::string> subjects) {
  const auto width = static_cast<std::size_t>(output.width);
  require(scores.size() == labels.size() * width, scores.size(), " scores of ", labels.size(),
          " samples, ", width, " each");
  const auto classes = static_cast<std::size_t>(output.classes());
  ClassCalls calls{.classes = output.classes(),
                   .labels = std::move(labels),
                   .subjects = std::move(subjects),
                   .calls = {},
                   .probabilities = std::vector<double>(scores.size() / width * classes),
                   .margins = {}};
  for (std::size_t i = 0; i < calls.labels.size(); ++i) {
    const float* row = scores.data() + i * width;
    calls.calls.push_back(static_cast<std::uint8_t>(output.decide(row)));
    output.to_probabilities(row, std::span(calls.probabilities).subspan(i * classes, classes));
    if (classes == 2) calls.margins.push_back(output.margin(row));
  }
  return calls;
}

ClassFigures class_figures(const ClassCalls& calls, const BootstrapOptions& bootstrap) {
  ClassFigures figures{
      .confusion = confusion_matrix(calls.labels, calls.calls, calls.classes),
      .accuracy = accuracy_interval(calls, bootstrap),
      .auroc_by_class = auroc_by_class(calls.probabilities, calls.labels, calls.classes),
      .macro_auroc = macro_auroc(calls.probabilities, calls.labels, calls.classes),
      .log_loss = log_loss(calls.probabilities, calls.labels, calls.classes),
      .brier_score = brier_score(calls.probabilities, calls.labels, calls.classes),
      .calibration = {},
      .binary = {}};
  if (calls.classes > 2) {
    figures.calibration = confidence_calibration(calls.probabilities, calls.labels, calls.classes);
    return figures;
  }
  figures.calibration = calibration(of_class(calls, 1), calls.labels);
  figures.binary =
      binary_metrics(calls.margins, calls.labels, calls.subjects,
                     {.threshold = 0, .scores_are_probabilities = false, .bootstrap = bootstrap});
  return figures;
}

ClassComparison compare_classes(const ClassCalls& first, const ClassCalls& second) {
  if (first.classes != second.classes)
    fail(ErrorKind::input, "tells ", second.classes, " classes apart, the other model ",
         first.classes, ": they cannot be compared");
  ClassComparison comparison{.accuracy = mcnemar_test(first.labels, first.calls, second.calls),
                             .auroc = {}};
  if (first.classes == 2)
    comparison.auroc = delong_test(first.margins, second.margins, first.labels);
  return comparison;
}

}  // namespace ratnet::inline v1
