#include "evaluation.h"

#include <cmath>
#include <set>
#include <unordered_map>

#include "../../core/error.h"
#include "../../train/roc.h"
#include "matched_auroc.h"
#include "pixel_ranking.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kSlicePixels = kJudgedSize * kJudgedSize;
using Counts = std::span<const std::uint32_t>;

// A slice that is judged and that every method scores.
struct JudgedSlice {
  std::size_t subject = 0;
  std::size_t slice = 0;
  std::int64_t patient = 0;
  TrueSlice truth;
  std::string kind;  // of its lesion; "" where it is not known
};

// What all methods share.
struct Cohort {
  std::span<const PreparedSubject> subjects;
  std::vector<std::string> patients;  // names, each once
  std::vector<JudgedSlice> judged;
  std::vector<std::size_t> compared;              // of `judged`: lesion or healthy
  SliceMatches matches;                           // of `compared`
  std::vector<std::string> kinds;                 // of the lesions in `compared`, each once
  std::vector<std::vector<std::uint32_t>> draws;  // [resamples] how often each patient is taken
  std::int64_t unscored = 0;
};

void check_method(const MethodScores& method, std::span<const PreparedSubject> subjects) {
  require(method.slice_scores.size() == subjects.size(), "method ", method.name, " has scores of ",
          method.slice_scores.size(), " subjects where there are ", subjects.size());
  require(method.maps.empty() || method.maps.size() == subjects.size(), "method ", method.name,
          " has maps of ", method.maps.size(), " subjects where there are ", subjects.size());
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const std::int64_t slices = subjects[i].slices();
    require(static_cast<std::int64_t>(method.slice_scores[i].size()) == slices, "method ",
            method.name, " has ", method.slice_scores[i].size(), " scores for the ", slices,
            " slices of subject ", subjects[i].name);
    const Shape shape{slices, kJudgedSize, kJudgedSize};
    require(method.maps.empty() ||
                (method.maps[i].shape == shape && method.maps[i].dtype == DType::f32),
            "a map of method ", method.name, " is not f32 ", shape, " for subject ",
            subjects[i].name);
  }
}

void check(std::span<const PreparedSubject> subjects, std::span<const MethodScores> methods) {
  require(!subjects.empty() && !methods.empty(), "an evaluation of ", methods.size(),
          " methods on ", subjects.size(), " subjects");
  for (const PreparedSubject& subject : subjects) check_subject("evaluation", subject);
  int controls = 0;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    check_method(methods[m], subjects);
    controls += methods[m].position_only;
    for (std::size_t other = 0; other < m; ++other)
      require(methods[m].name != methods[other].name, "two methods are called ", methods[m].name);
  }
  require(controls <= 1, controls, " methods are the position-only control");
}

Cohort cohort_of(std::span<const PreparedSubject> subjects, std::span<const MethodScores> methods,
                 const BootstrapOptions& bootstrap) {
  Cohort cohort{.subjects = subjects};
  std::unordered_map<std::string, std::int64_t> numbers;
  std::vector<ComparedSlice> compared;
  std::set<std::string> kinds;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const PreparedSubject& subject = subjects[i];
    const auto next = static_cast<std::int64_t>(numbers.size());
    const auto [known, added] = numbers.try_emplace(subject.person(), next);
    if (added) cohort.patients.push_back(subject.person());
    for (std::size_t s = 0; s < subject.judged.size(); ++s) {
      if (subject.judged[s] == 0) continue;
      bool scored = true;
      for (const MethodScores& method : methods)
        scored = scored && !std::isnan(method.slice_scores[i][s]);
      if (!scored) {
        ++cohort.unscored;
        continue;
      }
      const TrueSlice truth = truth_of(subject, static_cast<std::int64_t>(s));
      if (truth.truth != LesionTruth::unclear) {
        cohort.compared.push_back(cohort.judged.size());
        compared.push_back({known->second, subject.positions[s], subject.areas[s],
                            truth.truth == LesionTruth::lesion});
      }
      cohort.judged.push_back({i, s, known->second, truth,
                               truth.truth == LesionTruth::lesion && !subject.lesion_kinds.empty()
                                   ? subject.lesion_kinds[s]
                                   : std::string()});
      if (!cohort.judged.back().kind.empty()) kinds.insert(cohort.judged.back().kind);
    }
  }
  cohort.matches = match_slices(compared);
  cohort.kinds.assign(kinds.begin(), kinds.end());
  bootstrap_interval(
      static_cast<std::int64_t>(cohort.patients.size()), cohort.patients,
      [&](Counts counts) {
        cohort.draws.emplace_back(counts.begin(), counts.end());
        return 0.0;
      },
      bootstrap);
  return cohort;
}

// A figure on all patients and in every resample.
struct Resampled {
  double value = kNaN;
  std::vector<double> resamples;
};

Figure figure_of(const Resampled& statistic, const Cohort& cohort,
                 const BootstrapOptions& bootstrap) {
  if (statistic.resamples.empty()) return {};
  // The resamples come in the order of the draws.
  std::size_t next = 0;
  return {statistic.value, bootstrap_interval(
                               static_cast<std::int64_t>(cohort.patients.size()), cohort.patients,
                               [&](Counts) { return statistic.resamples[next++]; }, bootstrap)};
}

struct Statistics {
  AnomalyFigures figures;  // counts, and what has no interval
  Resampled auprc, dice_best, dice_threshold, slice_auroc, slice_auroc_matched;
};

// Which lesion slices a set of figures is about: all, or those of one size or one kind.
struct LesionGroup {
  const LesionSize* size = nullptr;
  const std::string* kind = nullptr;
};

bool wanted(const JudgedSlice& slice, const LesionGroup& group) {
  if (group.kind != nullptr) return slice.kind == *group.kind;
  return group.size == nullptr || (slice.truth.lesion_pixels >= group.size->from &&
                                   slice.truth.lesion_pixels <= group.size->to);
}

// All lesions, then each size, then each kind.
std::vector<LesionGroup> groups_of(const Cohort& cohort) {
  std::vector<LesionGroup> groups(1);
  for (const LesionSize& size : kLesionSizes) groups.push_back({.size = &size});
  for (const std::string& kind : cohort.kinds) groups.push_back({.kind = &kind});
  return groups;
}

void judge_slices(const MethodScores& method, const Cohort& cohort, const LesionGroup& group,
                  Statistics& statistics) {
  std::vector<double> scores, ranked_scores;
  std::vector<std::uint8_t> ranked_labels, chosen;
  std::vector<std::size_t> ranked_patients;
  for (const std::size_t i : cohort.compared) {
    const JudgedSlice& slice = cohort.judged[i];
    const bool lesion = slice.truth.truth == LesionTruth::lesion;
    scores.push_back(method.slice_scores[slice.subject][slice.slice]);
    if (lesion) chosen.push_back(wanted(slice, group));
    if (lesion && !wanted(slice, group)) continue;
    ranked_scores.push_back(scores.back());
    ranked_labels.push_back(lesion);
    ranked_patients.push_back(static_cast<std::size_t>(slice.patient));
    ++(lesion ? statistics.figures.lesion_slices : statistics.figures.healthy_slices);
  }
  const Ranking ranking = rank_scores(ranked_scores, ranked_labels);
  const MatchedAuroc matched = matched_auroc(cohort.matches, scores, chosen);
  statistics.figures.unmatched_slices = matched.left_out;
  statistics.slice_auroc.value = auroc(ranking);
  statistics.slice_auroc_matched.value = matched.auroc;
  std::vector<std::uint32_t> taken(ranked_patients.size());
  for (const std::vector<std::uint32_t>& counts : cohort.draws) {
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] = counts[ranked_patients[i]];
    statistics.slice_auroc.resamples.push_back(auroc(ranking, taken));
    statistics.slice_auroc_matched.resamples.push_back(
        matched_auroc(cohort.matches, scores, chosen, counts).auroc);
  }
}

std::vector<std::uint64_t> pixels_of(const MethodScores& method, const Cohort& cohort,
                                     const LesionGroup& group) {
  std::vector<std::uint64_t> pixels;
  for (const JudgedSlice& slice : cohort.judged) {
    const PreparedSubject& subject = cohort.subjects[slice.subject];
    if (!has_masks(subject) || !wanted(slice, group)) continue;
    const std::int64_t first = static_cast<std::int64_t>(slice.slice) * kSlicePixels;
    const std::uint8_t* brain = subject.brain.view().as<std::uint8_t>() + first;
    const std::uint8_t* lesion = subject.lesions.view().as<std::uint8_t>() + first;
    const float* map = method.maps[slice.subject].as<float>() + first;
    for (std::int64_t p = 0; p < kSlicePixels; ++p) {
      if (brain[p] == 0 && lesion[p] == 0) continue;
      if (std::isnan(map[p]))
        fail(ErrorKind::input, "the map of method ", method.name, " is NaN in slice ", slice.slice,
             " of subject ", subject.name, ", where it is judged");
      pixels.push_back(packed_pixel(map[p], slice.patient, lesion[p] != 0));
    }
  }
  return pixels;
}

void judge_pixels(const MethodScores& method, const Cohort& cohort, const LesionGroup& group,
                  Statistics& statistics) {
  const PixelRanking ranking(pixels_of(method, cohort, group),
                             static_cast<std::int64_t>(cohort.patients.size()));
  statistics.figures.pixels = ranking.pixels();
  statistics.figures.lesion_pixels = ranking.lesion_pixels();
  const PixelFigures exact = ranking.figures(method.threshold);
  statistics.figures.dice_best_threshold = exact.dice_best_threshold;
  statistics.auprc.value = exact.auprc;
  statistics.dice_best.value = exact.dice_best;
  statistics.dice_threshold.value = exact.dice_threshold;
  const BinnedPixels bins(ranking, method.threshold);
  for (const std::vector<std::uint32_t>& counts : cohort.draws) {
    const PixelFigures figures = bins.figures(counts);
    statistics.auprc.resamples.push_back(figures.auprc);
    statistics.dice_best.resamples.push_back(figures.dice_best);
    statistics.dice_threshold.resamples.push_back(figures.dice_threshold);
  }
}

AnomalyFigures finished(const Statistics& statistics, const Cohort& cohort,
                        const BootstrapOptions& bootstrap) {
  AnomalyFigures figures = statistics.figures;
  figures.pixel_auprc = figure_of(statistics.auprc, cohort, bootstrap);
  figures.dice_best = figure_of(statistics.dice_best, cohort, bootstrap);
  figures.dice_threshold = figure_of(statistics.dice_threshold, cohort, bootstrap);
  figures.slice_auroc = figure_of(statistics.slice_auroc, cohort, bootstrap);
  figures.slice_auroc_matched = figure_of(statistics.slice_auroc_matched, cohort, bootstrap);
  return figures;
}

Difference difference(const Resampled& first, const Resampled& other, const Cohort& cohort,
                      const BootstrapOptions& bootstrap) {
  Resampled less;
  if (!first.resamples.empty() && !other.resamples.empty()) {
    less.value = first.value - other.value;
    for (std::size_t i = 0; i < first.resamples.size(); ++i)
      less.resamples.push_back(first.resamples[i] - other.resamples[i]);
  }
  Difference result{.difference = figure_of(less, cohort, bootstrap)};
  // NaN is not above 0, and an interval of nothing is 0 to 0.
  result.beats = result.difference.interval.low > 0;
  return result;
}

void judge_position(const AnomalyFigures& control, AnomalyEvaluation& evaluation) {
  PositionOnly& position = evaluation.slice_auroc_position_only;
  position.present = true;
  position.slice_auroc = control.slice_auroc;
  position.slice_auroc_matched = control.slice_auroc_matched;
  const double matched = control.slice_auroc_matched.value;
  position.suspicious = !(std::abs(matched - 0.5) <= kPositionOnlyTolerance);
  if (position.suspicious && control.has_lesions())
    evaluation.warnings.push_back(text(
        "the matched AUROC of the position alone is ",
        std::isnan(matched) ? std::string("not defined") : text(matched), " and not within ",
        kPositionOnlyTolerance, " of 0.5: the matched figures of this evaluation are suspicious"));
}

}  // namespace

AnomalyEvaluation evaluate_anomalies(std::span<const PreparedSubject> subjects,
                                     std::span<const MethodScores> methods, Executor& executor,
                                     const BootstrapOptions& bootstrap) {
  check(subjects, methods);
  const Cohort cohort = cohort_of(subjects, methods, bootstrap);

  const std::vector<LesionGroup> groups = groups_of(cohort);
  const std::size_t sets = groups.size();
  std::vector<std::vector<Statistics>> statistics(methods.size(), std::vector<Statistics>(sets));
  parallel_for(executor, static_cast<std::int64_t>(methods.size() * sets),
               [&](std::int64_t job, int) {
                 const std::size_t m = static_cast<std::size_t>(job) / sets;
                 const std::size_t set = static_cast<std::size_t>(job) % sets;
                 Statistics& result = statistics[m][set];
                 judge_slices(methods[m], cohort, groups[set], result);
                 if (!methods[m].maps.empty())
                   judge_pixels(methods[m], cohort, groups[set], result);
               });

  AnomalyEvaluation evaluation{
      .lesion_kinds = cohort.kinds,
      .patients = static_cast<std::int64_t>(cohort.patients.size()),
      .judged_slices = static_cast<std::int64_t>(cohort.judged.size()),
      .unclear_slices = static_cast<std::int64_t>(cohort.judged.size() - cohort.compared.size()),
      .unscored_slices = cohort.unscored};
  for (std::size_t m = 0; m < methods.size(); ++m) {
    MethodEvaluation& method = evaluation.methods.emplace_back();
    method.name = methods[m].name;
    method.threshold = methods[m].threshold;
    method.all = finished(statistics[m][0], cohort, bootstrap);
    for (std::size_t size = 0; size < kLesionSizes.size(); ++size)
      method.by_size[size] = finished(statistics[m][size + 1], cohort, bootstrap);
    for (std::size_t set = 1 + kLesionSizes.size(); set < sets; ++set)
      method.by_kind.push_back(finished(statistics[m][set], cohort, bootstrap));
    if (methods[m].position_only) judge_position(method.all, evaluation);
    if (m == 0) continue;
    const Statistics &first = statistics[0][0], &other = statistics[m][0];
    evaluation.comparisons.push_back(
        {method.name, difference(first.auprc, other.auprc, cohort, bootstrap),
         difference(first.slice_auroc_matched, other.slice_auroc_matched, cohort, bootstrap)});
  }
  if (!evaluation.methods.front().all.has_lesions())
    evaluation.warnings.push_back(
        "no slice judged has a lesion: there are no figures but those of false alarms");
  return evaluation;
}

}  // namespace ratnet::inline v1
