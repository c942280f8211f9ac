#include "print_evaluation.h"

#include <cmath>
#include <string>

namespace ratnet::inline v1 {
namespace {

std::string figure(double value, const char* format = "%.4f") {
  if (std::isnan(value)) return "n/a";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void row(std::FILE* to, const std::string& name, const BinaryMetrics& m) {
  const std::string interval =
      "[" + figure(m.auroc_interval.low) + ", " + figure(m.auroc_interval.high) + "]";
  std::fprintf(to, "%-18s %-7s %-18s %-7s %-13s %-7s %-8s %-7s\n", name.c_str(),
               figure(m.auroc).c_str(), interval.c_str(), figure(m.auprc).c_str(),
               figure(m.at_1pct_fpr.recall).c_str(), figure(m.calibration_error).c_str(),
               figure(m.at_threshold.recall).c_str(),
               figure(m.at_threshold.false_positive_rate).c_str());
}

}  // namespace

void print_evaluation(const DarkSlicesEvaluation& e, std::FILE* to) {
  std::fprintf(to, "%lld slices, %lld of them dark", static_cast<long long>(e.network.n),
               static_cast<long long>(e.network.positives));
  if (e.empty) std::fprintf(to, "; %lld empty left out", static_cast<long long>(e.empty));
  if (e.unlabelled)
    std::fprintf(to, "; %lld unlabelled left out", static_cast<long long>(e.unlabelled));
  std::fprintf(to, "\n\n%-18s %-7s %-18s %-7s %-13s %-7s %-8s %-7s\n", "", "AUROC", "95% interval",
               "AUPRC", "recall@1%FPR", "ECE", "recall", "FPR");
  row(to, "RatNet", e.network);
  if (e.in_time) row(to, "RatNet in time", *e.in_time);
  for (const auto& rule : e.baselines) row(to, rule.name, rule.metrics);
  std::fprintf(to,
               "\nrecall and FPR: RatNet at the model's threshold %s, rules at one chosen on these "
               "very slices for 1%% false positives\n",
               figure(e.threshold).c_str());
  if (e.in_time)
    std::fprintf(to,
                 "in time: a second opinion that also weighs how much darker a slice is than at "
                 "other times; mild events %s -> %s at 1%% false positives\n",
                 figure(e.recall_mild).c_str(), figure(e.recall_mild_in_time).c_str());
  if (e.clear)
    std::fprintf(to, "clear events (%lld slices): recall %s at 1%% false positives\n",
                 static_cast<long long>(e.clear), figure(e.recall_clear).c_str());
  if (!e.worst_subject.empty())
    std::fprintf(to, "worst subject: false-positive rate %s at the threshold\n",
                 figure(e.worst_subject_fpr).c_str());
  if (e.ambiguous)
    std::fprintf(to, "ambiguous slices (%lld): %s called dark\n",
                 static_cast<long long>(e.ambiguous), figure(e.ambiguous_called_dark).c_str());
  for (const std::string& note : e.notes) std::fprintf(to, "note: %s\n", note.c_str());
}

}  // namespace ratnet::inline v1
