#include "print_anomalies.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../../../core/error.h"
#include "../../report/map_legend.h"
#include "../comparison.h"
#include "verdict.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

std::string figure(const Figure& f) {
  if (std::isnan(f.value)) return "n/a";
  char text[48];
  std::snprintf(text, sizeof text, "%.3f [%.3f, %.3f]", f.value, f.interval.low, f.interval.high);
  return text;
}

void line(std::FILE* to, const std::string& name, const std::array<std::string, 5>& cells) {
  std::fprintf(to, "%-18s", name.c_str());
  for (const std::string& cell : cells) std::fprintf(to, " %-21s", cell.c_str());
  std::fprintf(to, "\n");
}

void row(std::FILE* to, const std::string& name, const AnomalyFigures& f) {
  line(to, name,
       {figure(f.pixel_auprc), figure(f.dice_best), figure(f.dice_threshold), figure(f.slice_auroc),
        figure(f.slice_auroc_matched)});
}

void put(Json& json, const std::string& name, const Figure& f) {
  json[name] = f.value;  // NaN becomes null
  json[name + "_interval"] = {f.interval.low, f.interval.high};
}

Json figures(const AnomalyFigures& f) {
  Json json;
  put(json, "pixel_auprc", f.pixel_auprc);
  put(json, "dice_best", f.dice_best);
  json["dice_best_threshold"] = f.dice_best_threshold;
  put(json, "dice_threshold", f.dice_threshold);
  put(json, "slice_auroc", f.slice_auroc);
  put(json, "slice_auroc_matched", f.slice_auroc_matched);
  json["pixels"] = f.pixels;
  json["lesion_pixels"] = f.lesion_pixels;
  json["lesion_slices"] = f.lesion_slices;
  json["healthy_slices"] = f.healthy_slices;
  json["unmatched_slices"] = f.unmatched_slices;
  return json;
}

Json method(const MethodEvaluation& m, const std::vector<std::string>& kinds) {
  Json json = {{"method", m.name}};
  json.update(figures(m.all));
  json["threshold"] = m.threshold;
  for (std::size_t i = 0; i < kLesionSizes.size(); ++i)
    json["by_lesion_size"][kLesionSizes[i].name] = figures(m.by_size[i]);
  for (std::size_t i = 0; i < kinds.size(); ++i)
    json["by_lesion_kind"][kinds[i]] = figures(m.by_kind[i]);
  return json;
}

void by_kind(std::FILE* to, const AnomalyEvaluation& e) {
  for (std::size_t kind = 0; kind < e.lesion_kinds.size(); ++kind) {
    std::fprintf(to, "\n%s lesions, %lld slices\n", e.lesion_kinds[kind].c_str(),
                 static_cast<long long>(e.methods.front().by_kind[kind].lesion_slices));
    for (const MethodEvaluation& m : e.methods)
      if (m.name != kPositionOnly) row(to, m.name, m.by_kind[kind]);
  }
}

std::string of(const Found& f) { return text(f.found, " of ", f.of); }

void found_by(std::FILE* to, const Detection& d) {
  std::fprintf(to,
               "\nfound at the model's own threshold and a false-alarm rate of %s\n"
               "%-18s %s, half of their pixels at or above the threshold\n"
               "%-18s %s with a lesion; of those without, called by mistake: %s\n"
               "%-18s %s with a lesion; of those without, called by mistake: %s\n",
               percent(d.rate).c_str(), "lesions", of(d.lesions).c_str(), "slices",
               of(d.lesion_slices).c_str(), of(d.healthy_slices).c_str(), "subjects",
               of(d.lesion_subjects).c_str(), of(d.healthy_subjects).c_str());
}

Json detection(const Detection& d) {
  const auto pair = [](const Found& f) { return Json{{"found", f.found}, {"of", f.of}}; };
  return {{"false_alarm_rate", d.rate},
          {"lesions", pair(d.lesions)},
          {"lesion_slices", pair(d.lesion_slices)},
          {"healthy_slices", pair(d.healthy_slices)},
          {"lesion_subjects", pair(d.lesion_subjects)},
          {"healthy_subjects", pair(d.healthy_subjects)}};
}

void counts(std::FILE* to, const AnomalyEvaluation& e) {
  const AnomalyFigures& all = e.methods.front().all;
  std::fprintf(to,
               "%lld patients, %lld judged slices: %lld with a lesion, %lld without, %lld unclear "
               "left out\n",
               static_cast<long long>(e.patients), static_cast<long long>(e.judged_slices),
               static_cast<long long>(all.lesion_slices),
               static_cast<long long>(all.healthy_slices),
               static_cast<long long>(e.unclear_slices));
}

// What needs lesions.
void all_figures(std::FILE* to, const AnomalyEvaluation& e) {
  std::fprintf(to, "\n");
  line(to, "", {"pixel AP", "best Dice", "Dice at threshold", "slice AUROC", "matched AUROC"});
  for (const MethodEvaluation& m : e.methods)
    if (m.name != kPositionOnly) row(to, m.name, m.all);
  const PositionOnly& position = e.slice_auroc_position_only;
  if (position.present)
    line(to, "position only",
         {"", "", "", figure(position.slice_auroc), figure(position.slice_auroc_matched)});
  std::fprintf(to, "\nby the size of the lesion in the slice (%s)\n",
               e.methods.front().name.c_str());
  for (std::size_t i = 0; i < kLesionSizes.size(); ++i)
    row(to, kLesionSizes[i].name, e.methods.front().by_size[i]);
  by_kind(to, e);
}

void comparisons(std::FILE* to, const AnomalyEvaluation& e) {
  std::fprintf(
      to,
      "\nmatched: against slices of other patients at the same height and brain area, which "
      "a score of the position alone cannot tell apart\n");
  for (const MethodComparison& c : e.comparisons)
    if (c.other != kPositionOnly && (!c.slice_auroc_matched.beats || !c.pixel_auprc.beats))
      std::fprintf(to, "note: not shown to be better than %s: pixel AP %s, matched AUROC %s\n",
                   c.other.c_str(), format_difference(c.pixel_auprc).c_str(),
                   format_difference(c.slice_auroc_matched).c_str());
}

}  // namespace

std::string format_difference(const Difference& d) {
  return std::isnan(d.difference.value) ? "n/a" : format("%+.3f", d.difference.value);
}

void print_evaluation(const AnomalyEvaluation& e, std::FILE* to) {
  const bool has_lesions = e.methods.front().all.has_lesions();
  if (e.patients > 0) counts(to, e);
  if (has_lesions) all_figures(to, e);
  if (e.patients > 0 && e.detection) found_by(to, *e.detection);
  if (has_lesions) comparisons(to, e);
  for (const std::string& warning : e.warnings) std::fprintf(to, "warning: %s\n", warning.c_str());
}

std::string to_json(const AnomalyEvaluation& e) {
  Json json = method(e.methods.front(), e.lesion_kinds);
  const PositionOnly& position = e.slice_auroc_position_only;
  put(json, "slice_auroc_position_only", position.slice_auroc);
  put(json, "slice_auroc_position_only_matched", position.slice_auroc_matched);
  json["suspicious"] = position.suspicious;
  json["patients"] = e.patients;
  json["judged_slices"] = e.judged_slices;
  json["unclear_slices"] = e.unclear_slices;
  json["unscored_slices"] = e.unscored_slices;
  for (std::size_t i = 1; i < e.methods.size(); ++i)
    if (e.methods[i].name != kPositionOnly)
      json["baselines"][e.methods[i].name] = method(e.methods[i], e.lesion_kinds);
  for (const MethodComparison& c : e.comparisons) {
    if (c.other == kPositionOnly) continue;
    Json& against = json["baselines"][c.other];
    put(against, "pixel_auprc_below_model", c.pixel_auprc.difference);
    put(against, "slice_auroc_matched_below_model", c.slice_auroc_matched.difference);
    against["model_beats_pixel_auprc"] = c.pixel_auprc.beats;
    against["model_beats_slice_auroc_matched"] = c.slice_auroc_matched.beats;
  }
  if (e.detection) json["detection"] = detection(*e.detection);
  json["warnings"] = e.warnings;
  return json.dump(1) + "\n";
}

}  // namespace ratnet::inline v1
