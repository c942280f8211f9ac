#include "anomaly_model.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "autoencoders.h"
#include "preparation_steps.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::array kMethods = {"denoising", "ae", "vae"};
constexpr std::array kResiduals = {Residual::positive, Residual::absolute, Residual::negative,
                                   Residual::ssim};
constexpr const char* kScore = "score";

PreprocessingStep step_of(const ScoreOptions& o) {
  return {kScore,
          {{"residual", static_cast<double>(o.residual)},
           {"flip_average", o.flip_average},
           {"crop", o.crop},
           {"median", o.median},
           {"edge", o.edge},
           {"smooth_slices", o.smooth_slices},
           {"brightest", o.brightest}}};
}

ScoreOptions score_of(const PreprocessingStep& step) {
  const auto number = [&](const char* name) {
    const auto found = step.values.find(name);
    if (found == step.values.end() || !(std::abs(found->second) <= 1e6) ||
        found->second != std::floor(found->second))
      fail(ErrorKind::input, "the model's step '", kScore, "' has no whole number '", name, "'");
    return static_cast<int>(found->second);
  };
  const int residual = number("residual");
  const auto known = std::ranges::find(kResiduals, static_cast<Residual>(residual));
  if (known == kResiduals.end())
    fail(ErrorKind::input, "the model's residual ", residual, " is not known");
  ScoreOptions options{.residual = *known,
                       .flip_average = number("flip_average") != 0,
                       .crop = number("crop"),
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
  AnomalyModel read;
  const auto method = std::ranges::find(kMethods, model.provenance["method"]);
  if (method == kMethods.end()) fail(ErrorKind::input, "does not tell its method");
  read.method = static_cast<AnomalyMethod>(method - kMethods.begin());
  if (model.preprocessing.empty() || model.preprocessing.back().name != kScore)
    fail(ErrorKind::input, "has no preprocessing step '", kScore, "'");
  read.score = score_of(model.preprocessing.back());
  read.preparation =
      preparation_of(std::span(model.preprocessing).first(model.preprocessing.size() - 1));
  read.reference = ConformalReference::from_coefficients(model.coefficients);
  read.model = std::move(model);
  return read;
}

void store(AnomalyModel& anomaly) {
  Model& model = anomaly.model;
  model.system = kAnomalySystem;
  model.provenance["method"] = name_of(anomaly.method);
  model.preprocessing = steps_of(anomaly.preparation);
  model.preprocessing.push_back(step_of(anomaly.score));
  if (anomaly.reference)
    for (auto& [name, values] : anomaly.reference->coefficients())
      model.coefficients[name] = values;
}

SubjectAnomalies find_anomalies(Plan& plan, const AnomalyModel& model,
                                const PreparedSubject& subject) {
  const PreparedSubject all = with_all_brain(subject);
  SubjectAnomalies found{reconstruct(plan, all, model.score), {}};
  found.scores = score_subject(all, found.reconstruction.raw, model.score);
  return found;
}

}  // namespace ratnet::inline v1
