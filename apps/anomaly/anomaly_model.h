// What a model of the anomaly system holds, and what it says of a subject.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../../network/predictor.h"
#include "../../train/conformal.h"
#include "prepare.h"
#include "reconstruct.h"
#include "score_map.h"

namespace ratnet::inline v1 {

// How the network learns what is healthy: to remove coarse noise, to pass a narrow code, or a code
// of which a distribution is learnt.
enum class AnomalyMethod : int { denoising, ae, vae };

// "denoising", "ae", "vae"
std::string_view name_of(AnomalyMethod method);
// Throws Error (usage) with the known names for any other.
AnomalyMethod parse_anomaly_method(std::string_view name);

// The network that learns by it (autoencoders.h).
Graph anomaly_graph(AnomalyMethod method);

constexpr const char* kAnomalySystem = "anomaly";

// A model file as the anomaly system reads it.
struct AnomalyModel {
  Model model;
  AnomalyMethod method = AnomalyMethod::denoising;
  PreparationOptions preparation;
  ScoreOptions score;
  // Slice scores of held-out healthy subjects; absent until the model is calibrated.
  std::optional<ConformalReference> reference;
};

// Throws Error (input) for a model of another system, or whose steps this version does not know.
AnomalyModel anomaly_model(Model model);
// Writes preparation, score and reference into the model's own fields.
void store(AnomalyModel& model);

// Everything that is said of one subject.
struct SubjectAnomalies {
  Reconstruction reconstruction;
  // Of all slices that show brain, judged or not, so that others can judge by rules of their own.
  SubjectScores scores;
};
SubjectAnomalies find_anomalies(Plan& plan, const AnomalyModel& model,
                                const PreparedSubject& subject);

}  // namespace ratnet::inline v1
