// What a model of the anomaly system holds, and what it says of a subject.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../../network/predictor.h"
#include "../../train/conformal.h"
#include "position_z_score.h"
#include "prepare.h"
#include "reconstruct.h"
#include "score_map.h"
#include "structure_loss.h"

namespace ratnet::inline v1 {

// How the network learns what is healthy: to remove coarse noise, to pass a narrow code, or a code
// of which a distribution is learnt.
enum class AnomalyMethod : int { denoising, ae, vae };

// "denoising", "ae", "vae"
std::string_view name_of(AnomalyMethod method);
// Throws Error (usage) with the known names for any other.
AnomalyMethod parse_anomaly_method(std::string_view name);

// The numbers of its network.
struct AnomalyNetworkOptions {
  // H, W: slices, resampled to as many pixels. D, H, W: patches of volumes on the judged grid.
  Sizes size = {64, 64};
  Sizes widths = {16, 32, 64, 128};
  std::int64_t code = 128;  // of ae and vae
};

// The network that learns by it (autoencoders.h). Throws Error (usage) for sizes that it cannot
// have.
Graph anomaly_graph(AnomalyMethod method, const AnomalyNetworkOptions& options = {});

// How many slices, or patches of as many slices, go through such a network at once.
std::int64_t scoring_batch(const Graph& graph);

constexpr const char* kAnomalySystem = "anomaly";

// Places in AnomalyModel::weights and scales and in SubjectAnomalies::rules.
struct RulePlace {
  static constexpr std::size_t network = 0, z_score = 1, asymmetry = 2, structure = 3;
};

// A model file as the anomaly system reads it.
struct AnomalyModel {
  Model model;
  AnomalyMethod method = AnomalyMethod::denoising;
  PreparationOptions preparation;
  AnomalyScoreOptions score;
  // Rules whose maps are averaged with the network's, each divided by its own label-free threshold:
  // where they err, they err in other places.
  bool combined = true;
  // As learnt from the training subjects. Older files have another band of structure, or none.
  PositionZScore z_score;
  std::vector<LearntStructure> structure;
  // By RulePlace. Files of before there was the structure loss have three scales and no weights:
  // these are 1.
  std::vector<double> weights;
  std::vector<double> scales;  // the thresholds; of the network alone where nothing is combined
  // Slice scores of held-out healthy subjects, of all their scans; absent until the model is
  // calibrated.
  std::optional<ConformalReference> reference;
  // Of the healthy slices that it learnt from and was calibrated on, 53 bits of the hash of each,
  // ascending, so that they do not tell whose they are. Absent in files of before they were kept.
  std::optional<std::vector<double>> learnt_slices;

  bool has_structure() const { return combined && weights.size() > RulePlace::structure; }
};

// Throws Error (input) for a model of another system, whose steps this version does not know, or
// that is damaged.
AnomalyModel anomaly_model(Model model);
// The same of a file, which messages name. Throws Error as load_model does, too.
AnomalyModel load_anomaly_model(const std::string& path);
// Writes preparation, score and reference into the model's own fields.
void store(AnomalyModel& model);

// Everything that is said of one subject, of all slices that show brain, judged or not, so that
// others can judge by rules of their own.
struct SubjectAnomalies {
  Reconstruction reconstruction;
  // By RulePlace: of the network and, where the model combines them, of the others.
  std::vector<SubjectScores> rules;
  SubjectScores scores;  // the model's: of all rules
};
// Throws Error (input) where the model makes no numbers of it.
SubjectAnomalies find_anomalies(Plan& plan, const AnomalyModel& model,
                                const PreparedSubject& subject);

// How many of a scan's slices the model learnt from or was calibrated on, known by their exact
// pixels: with any, what it says of the scan is flattered. Absent where it cannot be known.
std::optional<std::int64_t> count_learnt_slices(const AnomalyModel& model,
                                                const PreparedSubject& subject);

// Of false alarms among healthy subjects, of a calibrated model: 1 in 20, or what the healthy
// subjects can vouch for.
double false_alarm_rate(const AnomalyModel& model);
// The one rule of figures, tables, pages and the terminal, for subjects and slices; not of NaN.
inline bool is_unusual(double p_value, double rate) { return p_value <= rate; }

// Takes weights from the residual, and z-score, structure, scales, threshold and reference from
// healthy slices: the first two from subjects that the network has learnt from, the others from
// held-out ones, of whom each counts once whatever number of scans is his
// (PreparedSubject::person); learnt_slices from both. Throws Error (input) where there are none.
void calibrate(AnomalyModel& model, Plan& plan, std::span<const PreparedSubject* const> training,
               std::span<const PreparedSubject* const> held_out);

}  // namespace ratnet::inline v1
