#include "anomaly_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "asymmetry.h"
#include "autoencoders.h"
#include "label_free_threshold.h"
#include "preparation_steps.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::array kMethods = {"denoising", "ae", "vae"};
constexpr std::array kResiduals = {Residual::positive, Residual::absolute, Residual::negative,
                                   Residual::ssim};
constexpr const char* kScore = "score";
constexpr const char* kScales = "combination_scales";
constexpr const char* kMean = "z_score/mean";
constexpr const char* kDeviation = "z_score/deviation";
constexpr double kThresholdPercentile = 99.5;
const Shape kZScoreShape{41, 64, 64};

PreprocessingStep step_of(const AnomalyScoreOptions& o, bool combined) {
  return {kScore,
          {{"residual", static_cast<double>(o.residual)},
           {"flip_average", o.flip_average},
           {"median", o.median},
           {"edge", o.edge},
           {"smooth_slices", o.smooth_slices},
           {"brightest", o.brightest},
           {"combined", combined}}};
}

int number_of(const PreprocessingStep& step, const char* name) {
  const auto found = step.values.find(name);
  if (found == step.values.end() || !(std::abs(found->second) <= 1e6) ||
      found->second != std::floor(found->second))
    fail(ErrorKind::input, "the model's step '", kScore, "' has no whole number '", name, "'");
  return static_cast<int>(found->second);
}

AnomalyScoreOptions score_of(const PreprocessingStep& step) {
  const auto number = [&](const char* name) { return number_of(step, name); };
  const int residual = number("residual");
  const auto known = std::ranges::find(kResiduals, static_cast<Residual>(residual));
  if (known == kResiduals.end())
    fail(ErrorKind::input, "the model's residual ", residual, " is not known");
  AnomalyScoreOptions options{.residual = *known,
                              .flip_average = number("flip_average") != 0,
                              .median = number("median"),
                              .edge = number("edge"),
                              .smooth_slices = number("smooth_slices") != 0,
                              .brightest = number("brightest")};
  try {
    check(options);
  } catch (const Error& error) {
    throw Error(ErrorKind::input, error.what());
  }
  return options;
}

Tensor array_of(Model& model, const char* name, const Shape& shape) {
  const auto found = model.arrays.find(name);
  if (found == model.arrays.end() || found->second.shape() != shape)
    fail(ErrorKind::input, "has no array '", name, "' ", shape);
  for (const float value : found->second.values<float>())
    if (!std::isfinite(value)) fail(ErrorKind::input, "has an array '", name, "' with no number");
  return std::move(found->second);
}

// The maps of network, z-score and asymmetry, each over its scale, in equal parts.
SubjectScores combine(const AnomalyModel& model, const PreparedSubject& subject,
                      const SubjectScores& network) {
  const auto rule = [&](const Tensor& raw) { return score_subject(subject, raw, model.score); };
  const SubjectScores z_score =
      rule(position_z_score_maps(model.z_score, subject, model.score.residual));
  const SubjectScores asymmetry = rule(asymmetry_maps(subject, model.score.residual));
  SubjectScores all{network.maps.clone(), network.slice_scores};
  const std::array maps = {network.maps.values<float>(), z_score.maps.values<float>(),
                           asymmetry.maps.values<float>()};
  std::array<float, kCombinedMaps> weights{};
  for (std::size_t m = 0; m < maps.size(); ++m)
    weights[m] = static_cast<float>(1 / (static_cast<double>(kCombinedMaps) * model.scales[m]));
  const std::span<float> sum = all.maps.values<float>();
  for (std::size_t p = 0; p < sum.size(); ++p)
    sum[p] = weights[0] * maps[0][p] + weights[1] * maps[1][p] + weights[2] * maps[2][p];
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    double& score = all.slice_scores[static_cast<std::size_t>(s)];
    if (!std::isnan(score))
      score = mean_of_brightest(slice_of<float>(all.maps, s), model.score.brightest);
  }
  return all;
}

double threshold_of(std::span<const PreparedSubject* const> subjects,
                    const std::vector<SubjectScores>& scores) {
  std::vector<ConstView> maps;
  for (const SubjectScores& one : scores) maps.push_back(one.maps);
  const double threshold = label_free_threshold(subjects, maps, kThresholdPercentile);
  if (!(threshold > 0))
    fail(ErrorKind::input, "the maps of the held-out healthy slices are 0: there is no threshold");
  return threshold;
}

}  // namespace

std::string_view name_of(AnomalyMethod method) {
  return kMethods[static_cast<std::size_t>(method)];
}

AnomalyMethod parse_anomaly_method(std::string_view name) {
  for (std::size_t i = 0; i < kMethods.size(); ++i)
    if (name == kMethods[i]) return static_cast<AnomalyMethod>(i);
  fail(ErrorKind::usage, "unknown method '", name, "': use denoising, ae or vae");
}

Graph anomaly_graph(AnomalyMethod method) {
  switch (method) {
    case AnomalyMethod::denoising: return denoising_autoencoder_graph();
    case AnomalyMethod::ae: return convolutional_autoencoder_graph();
    case AnomalyMethod::vae: break;
  }
  return variational_autoencoder_graph();
}

AnomalyModel anomaly_model(Model model) {
  if (model.system != kAnomalySystem)
    fail(ErrorKind::input, "is a model of '", model.system, "', expected one of '", kAnomalySystem,
         "' (ratnet train anomaly makes one)");
  if (!model.provenance.contains("data_hash"))
    fail(ErrorKind::input, "does not tell its training data");
  const auto& inputs = model.graph.inputs();
  const Shape image = inputs.size() == 1
                          ? model.graph.infer(1, false)[static_cast<std::size_t>(inputs[0])].output
                          : Shape();
  if (image.rank() != 4 || image[1] != image[2] || image[1] > 512 || image[3] != 1)
    fail(ErrorKind::input, "takes images ", image, ", expected [1, n, n, 1] of up to 512 pixels");
  AnomalyModel read;
  const auto method = std::ranges::find(kMethods, model.provenance["method"]);
  if (method == kMethods.end()) fail(ErrorKind::input, "does not tell its method");
  read.method = static_cast<AnomalyMethod>(method - kMethods.begin());
  read.scales[0] = model.calibration.contains("network_threshold")
                       ? model.calibration["network_threshold"]
                       : std::nan("");
  if (model.preprocessing.empty() || model.preprocessing.back().name != kScore)
    fail(ErrorKind::input, "has no preprocessing step '", kScore, "'");
  read.score = score_of(model.preprocessing.back());
  read.preparation =
      preparation_of(std::span(model.preprocessing).first(model.preprocessing.size() - 1));
  read.combined = number_of(model.preprocessing.back(), "combined") != 0;
  if (read.combined) {
    read.z_score = {array_of(model, kMean, kZScoreShape),
                    array_of(model, kDeviation, kZScoreShape)};
    const auto scales = model.coefficients.find(kScales);
    if (scales == model.coefficients.end() || scales->second.size() != kCombinedMaps ||
        !std::ranges::all_of(scales->second, [](double scale) { return scale > 1e-9; }))
      fail(ErrorKind::input, "has no coefficients '", kScales, "' above 0");
    std::ranges::copy(scales->second, read.scales.begin());
  }
  read.reference = ConformalReference::from_coefficients(model.coefficients);
  read.model = std::move(model);
  return read;
}

void store(AnomalyModel& anomaly) {
  Model& model = anomaly.model;
  model.system = kAnomalySystem;
  model.provenance["method"] = name_of(anomaly.method);
  model.preprocessing = steps_of(anomaly.preparation);
  model.preprocessing.push_back(step_of(anomaly.score, anomaly.combined));
  if (anomaly.combined) {
    model.arrays.insert_or_assign(kMean, anomaly.z_score.mean.clone());
    model.arrays.insert_or_assign(kDeviation, anomaly.z_score.deviation.clone());
    model.coefficients[kScales] = {anomaly.scales.begin(), anomaly.scales.end()};
  }
  if (anomaly.reference)
    for (auto& [name, values] : anomaly.reference->coefficients())
      model.coefficients[name] = values;
}

SubjectAnomalies find_anomalies(Plan& plan, const AnomalyModel& model,
                                const PreparedSubject& subject) {
  const PreparedSubject all = with_all_brain(subject);
  SubjectAnomalies found{reconstruct(plan, all, model.score), {}, {}};
  found.network = score_subject(all, found.reconstruction.raw, model.score);
  for (std::size_t s = 0; s < all.judged.size(); ++s)
    if (all.judged[s] && !std::isfinite(found.network.slice_scores[s]))
      fail(ErrorKind::input, "the model makes no number of slice ", s, " of '", subject.name,
           "': it is damaged");
  found.scores = model.combined
                     ? combine(model, all, found.network)
                     : SubjectScores{found.network.maps.clone(), found.network.slice_scores};
  return found;
}

void calibrate(AnomalyModel& model, Plan& plan, std::span<const PreparedSubject* const> training,
               std::span<const PreparedSubject* const> held_out) {
  std::vector<SubjectScores> network, z_score, asymmetry, scores;
  if (model.combined) model.z_score = learn_position_z_score(training);
  for (const PreparedSubject* subject : held_out) {
    const Reconstruction made = reconstruct(plan, *subject, model.score);
    network.push_back(score_subject(*subject, made.raw, model.score));
    if (!model.combined) continue;
    const Residual residual = model.score.residual;
    z_score.push_back(score_subject(
        *subject, position_z_score_maps(model.z_score, *subject, residual), model.score));
    asymmetry.push_back(score_subject(*subject, asymmetry_maps(*subject, residual), model.score));
  }
  model.scales = {threshold_of(held_out, network), 1, 1};
  if (model.combined) {
    model.scales[1] = threshold_of(held_out, z_score);
    model.scales[2] = threshold_of(held_out, asymmetry);
  }
  for (const PreparedSubject* subject : held_out)
    scores.push_back(find_anomalies(plan, model, *subject).scores);
  model.model.threshold = threshold_of(held_out, scores);
  std::vector<std::vector<double>> by_subject(held_out.size());
  for (const auto& [n, slice] : healthy_slices("calibration", held_out))
    by_subject[n].push_back(scores[n].slice_scores[static_cast<std::size_t>(slice)]);
  model.reference.emplace(by_subject);
  // A worst slice of fewer is less: the p-values of whole subjects are then too low.
  std::int64_t partial = 0;
  for (std::size_t n = 0; n < held_out.size(); ++n)
    partial +=
        !by_subject[n].empty() && static_cast<std::ptrdiff_t>(by_subject[n].size()) <
                                      std::ranges::count(held_out[n]->judged, std::uint8_t{1});
  if (partial > 0)
    model.model.warnings.push_back(text("p-values of whole subjects are too low: of ", partial,
                                        " of its ", model.reference->subjects(),
                                        " healthy subjects only some slices are healthy"));
  model.model.calibration = {{"threshold_percentile", kThresholdPercentile},
                             {"network_threshold", model.scales[0]},
                             {"healthy_subjects", static_cast<double>(model.reference->subjects())},
                             {"smallest_rate", model.reference->smallest_rate()}};
}

}  // namespace ratnet::inline v1
