#include "print_evaluation.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "../../../core/printable.h"
#include "../../program/judgement.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;  // writes null for numbers that are not finite

// The rates of false positives per sample at which sensitivities are told.
constexpr double kRates[] = {0.125, 0.25, 0.5, 1, 2, 4, 8};

Json interval_json(double low, double high) { return {low, high}; }

Json interval_json(const Interval& interval) {
  if (interval.units < kLeastUnits) return nullptr;
  return interval_json(interval.low, interval.high);
}

Json by_class(const ClassFigures& f, const std::vector<std::string>& names) {
  Json all = Json::array();
  for (int k = 0; k < f.confusion.classes; ++k)
    all.push_back({{"name", names[static_cast<std::size_t>(k)]},
                   {"samples", f.confusion.of_class(k)},
                   {"called", f.confusion.called_class(k)},
                   {"precision", precision(f.confusion, k)},
                   {"recall", recall(f.confusion, k)},
                   {"f1", f1(f.confusion, k)},
                   {"auroc", f.auroc_by_class[static_cast<std::size_t>(k)]}});
  return all;
}

Json confusion_json(const ConfusionMatrix& matrix) {
  Json rows = Json::array();
  for (int truth = 0; truth < matrix.classes; ++truth) {
    Json row = Json::array();
    for (int called = 0; called < matrix.classes; ++called) row.push_back(matrix.at(truth, called));
    rows.push_back(row);
  }
  return rows;
}

Json classes_json(const ClassFigures& f, const std::vector<std::string>& names) {
  Json json = {{"accuracy", accuracy(f.confusion)},
               {"accuracy_ci", interval_json(f.accuracy)},
               {"ci_by_subject", f.accuracy.by_subject},
               {"ci_units", f.accuracy.units},
               {"balanced_accuracy", balanced_accuracy(f.confusion)},
               {"macro_f1", macro_f1(f.confusion)},
               {"weighted_f1", weighted_f1(f.confusion)},
               {"macro_auroc", f.macro_auroc},
               {"log_loss", f.log_loss},
               {"brier_score", f.brier_score},
               {"ece", f.calibration.error}};
  if (f.binary) {
    json["auroc"] = f.binary->auroc;
    json["auroc_ci"] = interval_json(f.binary->auroc_interval);
    json["auprc"] = f.binary->auprc;
    json["recall_at_1pct_fpr"] = f.binary->at_1pct_fpr.recall;
  }
  json["by_class"] = by_class(f, names);
  json["confusion"] = confusion_json(f.confusion);
  json["reliability"] = Json::array();
  for (const CalibrationBin& bin : f.calibration.bins)
    json["reliability"].push_back({{"samples", bin.count},
                                   {"mean_probability", bin.mean_probability},
                                   {"fraction", bin.positive_fraction}});
  return json;
}

Json mask_json(const GraphEvaluation::MaskClass& c, const Overlap& overlap, std::size_t k,
               bool in_mm) {
  Json at = Json::object();
  for (const double rate : kRates) at[Json(rate).dump()] = sensitivity_at(c.froc, rate);
  const LesionMatches& l = c.lesions;
  return {{"class", k},
          {"dice", overlap.dice()},
          {"iou", overlap.iou()},
          {"mean_dice", c.mean_dice},
          {"mean_dice_ci", interval_json(c.mean_dice_interval)},
          {"ci_by_subject", c.mean_dice_interval.by_subject},
          {"ci_units", c.mean_dice_interval.units},
          {"hausdorff95", c.hausdorff95},
          {"surface_distance", c.surface_distance},
          {"distances_in", in_mm ? "mm" : "pixels"},
          {"samples_measured", c.measured},
          {"lesions",
           {{"true_positives", l.true_positives},
            {"false_positives", l.false_positives},
            {"false_negatives", l.false_negatives},
            {"sensitivity", l.sensitivity()},
            {"precision", l.precision()},
            {"f1", l.f1()}}},
          {"froc",
           {{"mean_sensitivity", mean_sensitivity(c.froc)},
            {"sensitivity_at_false_positives_per_sample", at}}}};
}

Json comparison_json(const GraphEvaluation::Comparison& c, const std::vector<std::string>& names) {
  Json json = {{"model", c.with},
               {"loss", c.judgement.loss},
               {"classification", classes_json(c.classes, names)},
               {"mcnemar",
                {{"only_first", c.accuracy.only_first},
                 {"only_second", c.accuracy.only_second},
                 {"exact", c.accuracy.exact},
                 {"chi_square", c.accuracy.chi_square},
                 {"p", c.accuracy.p}}}};
  if (c.auroc)
    json["delong"] = {{"difference", c.auroc->difference},
                      {"ci", interval_json(c.auroc->low, c.auroc->high)},
                      {"z", c.auroc->z},
                      {"p", c.auroc->p}};
  return json;
}

std::string figure(double value, const char* format = "%.4f") {
  if (std::isnan(value)) return "n/a";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string with_interval(double value, double low, double high) {
  return figure(value) + " [" + figure(low) + ", " + figure(high) + "]";
}

std::string with_interval(double value, const Interval& interval) {
  if (interval.units < kLeastUnits) return figure(value);
  return with_interval(value, interval.low, interval.high) +
         text(" (", interval.units, interval.by_subject ? " subjects)" : " samples)");
}

void print_classes(const GraphEvaluation& e, std::FILE* to) {
  const ClassFigures& f = *e.classes;
  std::fprintf(to, "\naccuracy %s, balanced %s; F1 macro %s, weighted %s\n",
               with_interval(accuracy(f.confusion), f.accuracy).c_str(),
               figure(balanced_accuracy(f.confusion)).c_str(),
               figure(macro_f1(f.confusion)).c_str(), figure(weighted_f1(f.confusion)).c_str());
  if (f.binary)
    std::fprintf(to, "AUROC %s; AUPRC %s; recall %s at 1%% false positives\n",
                 with_interval(f.binary->auroc, f.binary->auroc_interval).c_str(),
                 figure(f.binary->auprc).c_str(), figure(f.binary->at_1pct_fpr.recall).c_str());
  else
    std::fprintf(to, "macro AUROC %s\n", figure(f.macro_auroc).c_str());
  std::fprintf(to, "log loss %s, Brier score %s, calibration error (ECE) %s\n",
               figure(f.log_loss).c_str(), figure(f.brier_score).c_str(),
               figure(f.calibration.error).c_str());
  std::fprintf(to, "\n%-20s %8s %8s %10s %8s %8s %8s\n", "class", "samples", "called", "precision",
               "recall", "F1", "AUROC");
  for (int k = 0; k < f.confusion.classes; ++k)
    std::fprintf(to, "%-20s %8lld %8lld %10s %8s %8s %8s\n",
                 printable(e.class_names[static_cast<std::size_t>(k)]).c_str(),
                 static_cast<long long>(f.confusion.of_class(k)),
                 static_cast<long long>(f.confusion.called_class(k)),
                 figure(precision(f.confusion, k)).c_str(), figure(recall(f.confusion, k)).c_str(),
                 figure(f1(f.confusion, k)).c_str(),
                 figure(f.auroc_by_class[static_cast<std::size_t>(k)]).c_str());
  constexpr int kMostColumns = 16;
  if (f.confusion.classes > kMostColumns) return;
  std::fprintf(to, "\nconfusion matrix: a row for each true class, a column for each call\n");
  for (int truth = 0; truth < f.confusion.classes; ++truth) {
    std::fprintf(to, "%-20s", printable(e.class_names[static_cast<std::size_t>(truth)]).c_str());
    for (int called = 0; called < f.confusion.classes; ++called)
      std::fprintf(to, " %7lld", static_cast<long long>(f.confusion.at(truth, called)));
    std::fprintf(to, "\n");
  }
}

void print_masks(const GraphEvaluation& e, std::FILE* to) {
  const char* const unit = e.in_mm ? "mm" : "pixels";
  for (std::size_t k = 1; k <= e.masks.size(); ++k) {
    const GraphEvaluation::MaskClass& c = e.masks[k - 1];
    const Overlap& overlap = e.judgement.overlap[k];
    std::fprintf(to, "\nclass %zu of the masks\n  all pixels: Dice %s, IoU %s\n", k,
                 figure(overlap.dice()).c_str(), figure(overlap.iou()).c_str());
    std::fprintf(to, "  by sample: mean Dice %s\n",
                 with_interval(c.mean_dice, c.mean_dice_interval).c_str());
    if (c.measured)
      std::fprintf(to,
                   "  borders, mean of the %lld samples with both: Hausdorff 95 %s %s, average "
                   "distance %s %s\n",
                   static_cast<long long>(c.measured), figure(c.hausdorff95, "%.2f").c_str(), unit,
                   figure(c.surface_distance, "%.2f").c_str(), unit);
    const LesionMatches& l = c.lesions;
    std::fprintf(to,
                 "  lesions (connected pixels): %lld of %lld found, %lld false; sensitivity %s, "
                 "precision %s, F1 %s\n",
                 static_cast<long long>(l.true_positives),
                 static_cast<long long>(l.true_positives + l.false_negatives),
                 static_cast<long long>(l.false_positives), figure(l.sensitivity()).c_str(),
                 figure(l.precision()).c_str(), figure(l.f1()).c_str());
    if (l.true_positives + l.false_negatives == 0) continue;
    std::fprintf(to, "  FROC: sensitivity %s at 1 false positive per sample, mean of 1/8 to 8 %s\n",
                 figure(sensitivity_at(c.froc, 1)).c_str(),
                 figure(mean_sensitivity(c.froc)).c_str());
  }
}

void print_comparison(const GraphEvaluation::Comparison& c, std::FILE* to) {
  std::fprintf(to,
               "\nagainst %s: its accuracy %s; right alone: this one %lld times, it %lld times "
               "(McNemar, p %s)\n",
               printable(c.with).c_str(), figure(accuracy(c.classes.confusion)).c_str(),
               static_cast<long long>(c.accuracy.only_first),
               static_cast<long long>(c.accuracy.only_second), figure(c.accuracy.p).c_str());
  if (c.auroc)
    std::fprintf(to, "its AUROC %s; difference %s (DeLong, p %s)\n",
                 figure(c.auroc->second.auroc).c_str(),
                 with_interval(c.auroc->difference, c.auroc->low, c.auroc->high).c_str(),
                 figure(c.auroc->p).c_str());
}

}  // namespace

void print_evaluation(const GraphEvaluation& e, std::FILE* to) {
  std::fprintf(to, "%lld samples; loss %s, as the training counts it\n",
               static_cast<long long>(e.judgement.samples),
               figure(e.judgement.loss, "%.5g").c_str());
  if (e.classes) print_classes(e, to);
  print_masks(e, to);
  for (const GraphEvaluation::Image& image : e.images)
    std::fprintf(to,
                 "\n%s against the image, mean of all samples: squared error %s, absolute error "
                 "%s, SSIM %s (of data with a range of %g)\n",
                 printable(image.output).c_str(), figure(image.mse, "%.5g").c_str(),
                 figure(image.l1, "%.5g").c_str(), figure(image.ssim).c_str(), e.ssim.data_range);
  if (e.comparison) print_comparison(*e.comparison, to);
  for (const std::string& note : e.notes) std::fprintf(to, "note: %s\n", printable(note).c_str());
  for (const std::string& warning : e.warnings)
    std::fprintf(to, "warning: %s\n", printable(warning).c_str());
}

std::string to_json(const GraphEvaluation& e) {
  Json json = Json::parse(to_json(e.judgement));
  if (e.classes) json["classification"] = classes_json(*e.classes, e.class_names);
  for (std::size_t k = 1; k <= e.masks.size(); ++k)
    json["masks"].push_back(mask_json(e.masks[k - 1], e.judgement.overlap[k], k, e.in_mm));
  for (const GraphEvaluation::Image& image : e.images)
    json["images"].push_back({{"output", image.output},
                              {"mse", image.mse},
                              {"l1", image.l1},
                              {"ssim", image.ssim},
                              {"ssim_window", e.ssim.window},
                              {"ssim_sigma", e.ssim.sigma},
                              {"ssim_data_range", e.ssim.data_range}});
  if (e.comparison) json["against"] = comparison_json(*e.comparison, e.class_names);
  json["notes"] = e.notes;
  json["warnings"] = e.warnings;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ratnet::inline v1
