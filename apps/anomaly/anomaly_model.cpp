#include "anomaly_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "../../train/learnt_images.h"
#include "asymmetry.h"
#include "autoencoders.h"
#include "label_free_threshold.h"
#include "preparation_steps.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::array kMethods = {"denoising", "ae", "vae"};
constexpr const char* kScore = "score";
constexpr const char* kScales = "combination_scales";
constexpr const char* kWeights = "combination_weights";
constexpr const char* kZScore = "z_score";
constexpr std::array kStructure = {"structure_fine", "structure_coarse"};  // by kStructureBands
static_assert(kStructure.size() == kStructureBands.size());
constexpr const char* kOldStructure = "structure";
constexpr const char* kLearntSlices = "learnt_slices";
constexpr std::size_t kRules = RulePlace::structure + 1;
constexpr std::size_t kOldRules = RulePlace::structure;  // of files of before there was that
constexpr std::int64_t kLargestSlice = 512;
constexpr double kThresholdPercentile = 99.5;

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
  if (residual < 0 || residual > static_cast<int>(Residual::ssim))
    fail(ErrorKind::input, "the model's residual ", residual, " is not known");
  AnomalyScoreOptions options{.residual = static_cast<Residual>(residual),
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

Tensor array_of(Model& model, const std::string& name) {
  const auto found = model.arrays.find(name);
  if (found == model.arrays.end() || found->second.shape() != PositionZScore::shape())
    fail(ErrorKind::input, "has no array '", name, "' ", PositionZScore::shape());
  for (const float value : found->second.values<float>())
    if (!std::isfinite(value)) fail(ErrorKind::input, "has an array '", name, "' with no number");
  return std::move(found->second);
}

std::string mean_of(const char* rule) { return text(rule, "/mean"); }
std::string deviation_of(const char* rule) { return text(rule, "/deviation"); }

PositionZScore statistics_of(Model& model, const char* rule) {
  PositionZScore read{array_of(model, mean_of(rule)), array_of(model, deviation_of(rule))};
  for (const float deviation : read.deviation.values<float>())
    if (deviation != 0 && !(static_cast<double>(deviation) > 0.99 * kLeastDeviation))
      fail(ErrorKind::input, "has a deviation of ", deviation, " in '", deviation_of(rule),
           "', where 0 or at least ", kLeastDeviation, " can be learnt");
  return read;
}

void put(Model& model, const char* rule, const PositionZScore& statistics) {
  model.arrays.insert_or_assign(mean_of(rule), statistics.mean.clone());
  model.arrays.insert_or_assign(deviation_of(rule), statistics.deviation.clone());
}

std::vector<LearntStructure> structure_of(Model& model) {
  std::vector<LearntStructure> read;
  if (model.arrays.contains(mean_of(kOldStructure))) {
    read.push_back({kOldStructureBand, statistics_of(model, kOldStructure)});
    return read;
  }
  for (std::size_t i = 0; i < kStructure.size(); ++i)
    read.push_back({kStructureBands[i], statistics_of(model, kStructure[i])});
  return read;
}

// Who looks on one side only looks for brightness, and a scan may lack structure for other reasons;
// who asks for structure gets as much of it as of the others together
// (docs/decisions/0011-structure-loss.md).
std::vector<double> weights_of(Residual residual) {
  switch (residual) {
    case Residual::positive:
    case Residual::negative: return {1, 1, 1, 0.5};
    case Residual::absolute: return {1, 1, 1, 1};
    case Residual::ssim: break;
  }
  return {1, 1, 1, 3};
}

// The rules of a file and what they are divided by.
void read_rules(AnomalyModel& read, Model& model) {
  const auto& coefficients = model.coefficients;
  const auto weights = coefficients.find(kWeights), scales = coefficients.find(kScales);
  if (weights == coefficients.end()) {
    read.weights.assign(kOldRules, 1);
  } else {
    const auto plausible = [](double weight) { return weight >= 1e-3 && weight <= 1e3; };
    if (weights->second.size() != kRules || !std::ranges::all_of(weights->second, plausible))
      fail(ErrorKind::input, "has no ", kRules, " coefficients '", kWeights,
           "' from 0.001 to 1000");
    read.weights = weights->second;
  }
  if (scales == coefficients.end() || scales->second.size() != read.weights.size() ||
      !std::ranges::all_of(scales->second, [](double scale) { return scale > 1e-9; }))
    fail(ErrorKind::input, "has no ", read.weights.size(), " coefficients '", kScales, "' above 0");
  read.scales = scales->second;
  read.z_score = statistics_of(model, kZScore);
  if (read.has_structure()) read.structure = structure_of(model);
}

// The shape of one image of a network of one input; else none.
Shape input_of(const Graph& graph) {
  const auto& inputs = graph.inputs();
  return inputs.size() == 1 ? graph.infer(1, false)[static_cast<std::size_t>(inputs[0])].output
                            : Shape();
}

// Of `all`, a subject with all its brain, by what scores() can be made of.
struct RuleScores {
  Reconstruction reconstruction;
  std::vector<SubjectScores> rules;
};

RuleScores rule_scores(Plan& plan, const AnomalyModel& model, const PreparedSubject& all) {
  const AnomalyScoreOptions& options = model.score;
  RuleScores made{reconstruct(plan, all, options), {}};
  const auto add = [&](const Tensor& raw) {
    for (std::int64_t s = 0; s < all.slices(); ++s)
      if (!std::ranges::all_of(slice_of<float>(raw, s), [](float v) { return std::isfinite(v); }))
        fail(ErrorKind::input, "the model makes no number of slice ", s, " of '", all.name,
             "': it is damaged");
    made.rules.push_back(score_subject(all, raw, options));
  };
  add(made.reconstruction.raw);
  if (!model.combined) return made;
  add(position_z_score_maps(model.z_score, all, options.residual));
  add(asymmetry_maps(all, options.residual));
  if (model.has_structure()) add(structure_loss_maps(model.structure, all));
  return made;
}

// The weighted mean of the rules' maps, each over its scale; that of the only rule as it is.
SubjectScores combined(const AnomalyModel& model, const std::string& subject,
                       const std::vector<SubjectScores>& rules) {
  SubjectScores all{rules[0].maps.clone(), rules[0].slice_scores};
  if (!model.combined) return all;
  const std::span<float> sum = all.maps.values<float>();
  std::ranges::fill(sum, 0.0f);
  const double total = std::accumulate(model.weights.begin(), model.weights.end(), 0.0);
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const auto weight = static_cast<float>(model.weights[r] / (total * model.scales[r]));
    const std::span<const float> map = rules[r].maps.values<float>();
    for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += weight * map[p];
  }
  for (std::size_t s = 0; s < all.slice_scores.size(); ++s) {
    double& score = all.slice_scores[s];
    if (!std::isnan(score))
      score =
          mean_of_brightest(slice_of<float>(std::as_const(all.maps), static_cast<std::int64_t>(s)),
                            model.score.brightest);
    if (std::isinf(score))
      fail(ErrorKind::input, "the model makes no number of slice ", s, " of '", subject,
           "': it is damaged");
  }
  return all;
}

double threshold_of(std::span<const PreparedSubject* const> subjects,
                    const std::vector<ConstView>& maps) {
  const double threshold = label_free_threshold(subjects, maps, kThresholdPercentile);
  if (!(threshold > 0))
    fail(ErrorKind::input, "the maps of the held-out healthy slices are 0: there is no threshold");
  return threshold;
}

// AnomalyModel::learnt_slices; absent too where the slices of a subject cannot be known again.
std::optional<std::vector<double>> learnt_slices(std::span<const PreparedSubject* const> training,
                                                 std::span<const PreparedSubject* const> held_out) {
  std::vector<ImageHash> learnt;
  for (const auto subjects : {training, held_out})
    for (const auto& [n, slice] : healthy_slices("learnt slices", subjects)) {
      if (subjects[n]->hashes.empty()) return std::nullopt;
      learnt.push_back(subjects[n]->hashes[static_cast<std::size_t>(slice)]);
    }
  return marks_of(learnt);
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

Graph anomaly_graph(AnomalyMethod method, const AnomalyNetworkOptions& options) {
  const Sizes& size = options.size;
  require(size.size() == 3 || (size.size() == 2 && size[0] == size[1] && size[0] <= kLargestSlice),
          "the network takes square slices of up to ", kLargestSlice,
          " pixels or patches D, H, W, got ", size.size(), " sizes");
  for (const std::int64_t edge : size)
    require(size.size() == 2 || (edge >= 1 && edge <= kJudgedSize), "patches have up to ",
            kJudgedSize, " voxels along an edge, got ", edge);
  const AutoencoderOptions narrow{
      .size = options.size, .widths = options.widths, .code = options.code};
  switch (method) {
    case AnomalyMethod::denoising:
      return denoising_autoencoder_graph({.size = options.size, .widths = options.widths});
    case AnomalyMethod::ae: return convolutional_autoencoder_graph(narrow);
    case AnomalyMethod::vae: break;
  }
  return variational_autoencoder_graph(narrow);
}

std::int64_t scoring_batch(const Graph& graph) {
  constexpr std::int64_t kSlices = 32;
  const Shape image = input_of(graph);
  return image.rank() == 5 ? std::max<std::int64_t>(1, kSlices / image[1]) : kSlices;
}

AnomalyModel anomaly_model(Model model) {
  if (model.system != kAnomalySystem)
    fail(ErrorKind::input, "is a model of '", model.system, "', expected one of '", kAnomalySystem,
         "' (ratnet train anomaly makes one)");
  if (!model.provenance.contains("data_hash"))
    fail(ErrorKind::input, "does not tell its training data");
  const Shape image = input_of(model.graph);
  const bool slices = image.rank() == 4 && image[1] == image[2] && image[1] <= kLargestSlice;
  const bool patches = image.rank() == 5 && std::max({image[1], image[2], image[3]}) <= kJudgedSize;
  if (!(slices || patches) || image.back() != 1)
    fail(ErrorKind::input, "takes images ", image, ", expected [1, n, n, 1] of up to ",
         kLargestSlice, " pixels or [1, D, H, W, 1] of up to ", kJudgedSize);
  const auto output = static_cast<std::size_t>(model.graph.outputs()[0]);
  if (const Shape made = model.graph.infer(1, false)[output].output; made != image)
    fail(ErrorKind::input, "makes ", made, " of images ", image, ", expected the same size");
  AnomalyModel read;
  const auto method = std::ranges::find(kMethods, model.provenance["method"]);
  if (method == kMethods.end()) fail(ErrorKind::input, "does not tell its method");
  read.method = static_cast<AnomalyMethod>(method - kMethods.begin());
  if (!(model.threshold > 0 && std::isfinite(model.threshold)))
    fail(ErrorKind::input, "has no threshold above 0");
  read.scales = {model.threshold};
  if (model.preprocessing.empty() || model.preprocessing.back().name != kScore)
    fail(ErrorKind::input, "has no preprocessing step '", kScore, "'");
  read.score = score_of(model.preprocessing.back());
  read.preparation =
      preparation_of(std::span(model.preprocessing).first(model.preprocessing.size() - 1));
  read.combined = number_of(model.preprocessing.back(), "combined") != 0;
  if (read.combined) read_rules(read, model);
  read.reference = ConformalReference::from_coefficients(model.coefficients);
  if (const auto* learnt = marks_in(model, kLearntSlices)) read.learnt_slices = *learnt;
  read.model = std::move(model);
  return read;
}

AnomalyModel load_anomaly_model(const std::string& path) {
  Model model = load_model(path);
  try {
    return anomaly_model(std::move(model));
  } catch (const Error& error) {
    throw error.with_context(path);
  }
}

void store(AnomalyModel& anomaly) {
  Model& model = anomaly.model;
  model.system = kAnomalySystem;
  model.provenance["method"] = name_of(anomaly.method);
  model.preprocessing = steps_of(anomaly.preparation);
  model.preprocessing.push_back(step_of(anomaly.score, anomaly.combined));
  if (anomaly.combined) {
    put(model, kZScore, anomaly.z_score);
    std::erase_if(model.arrays,
                  [](const auto& array) { return array.first.starts_with(kOldStructure); });
    const bool old = anomaly.structure.size() < kStructure.size();
    for (std::size_t i = 0; i < anomaly.structure.size(); ++i)
      put(model, old ? kOldStructure : kStructure[i], anomaly.structure[i].usual);
    model.coefficients[kScales] = anomaly.scales;
    model.coefficients[kWeights] = anomaly.weights;
  }
  if (anomaly.reference)
    for (auto& [name, values] : anomaly.reference->coefficients())
      model.coefficients[name] = values;
  if (anomaly.learnt_slices) model.coefficients[kLearntSlices] = *anomaly.learnt_slices;
}

SubjectAnomalies find_anomalies(Plan& plan, const AnomalyModel& model,
                                const PreparedSubject& subject) {
  RuleScores made = rule_scores(plan, model, with_all_brain(subject));
  SubjectScores scores = combined(model, subject.name, made.rules);
  return {std::move(made.reconstruction), std::move(made.rules), std::move(scores)};
}

std::optional<std::int64_t> count_learnt_slices(const AnomalyModel& model,
                                                const PreparedSubject& subject) {
  if (!model.learnt_slices || subject.hashes.empty()) return std::nullopt;
  return std::ranges::count_if(
      subject.hashes, [&](const ImageHash& hash) { return is_marked(*model.learnt_slices, hash); });
}

double false_alarm_rate(const AnomalyModel& model) {
  return std::max(0.05, model.reference->smallest_rate());
}

void calibrate(AnomalyModel& model, Plan& plan, std::span<const PreparedSubject* const> training,
               std::span<const PreparedSubject* const> held_out) {
  if (model.combined) {
    model.weights = weights_of(model.score.residual);
    model.z_score = learn_position_z_score(training);
    model.structure = learn_structure(training);
  }
  std::vector<std::vector<SubjectScores>> rules;
  for (const PreparedSubject* subject : held_out)
    rules.push_back(rule_scores(plan, model, with_all_brain(*subject)).rules);
  model.scales.assign(model.combined ? model.weights.size() : 1, 1);
  for (std::size_t r = 0; r < model.scales.size(); ++r) {
    std::vector<ConstView> maps;
    for (const std::vector<SubjectScores>& one : rules) maps.push_back(one[r].maps);
    model.scales[r] = threshold_of(held_out, maps);
  }
  std::vector<SubjectScores> scores;
  for (std::size_t n = 0; n < rules.size(); ++n)
    scores.push_back(combined(model, held_out[n]->name, rules[n]));
  std::vector<ConstView> maps;
  for (const SubjectScores& one : scores) maps.push_back(one.maps);
  model.model.threshold = threshold_of(held_out, maps);
  // All scans of a person together: his worst slice is that of his worst scan.
  const People people = people_in(held_out);
  std::vector<std::vector<double>> by_person(people.count);
  std::vector<std::ptrdiff_t> judged(people.count);
  for (const auto& [n, slice] : healthy_slices("calibration", held_out))
    by_person[people.of[n]].push_back(scores[n].slice_scores[static_cast<std::size_t>(slice)]);
  model.reference.emplace(by_person);
  // A worst slice of fewer is less: the p-values of whole subjects are then too low.
  for (std::size_t n = 0; n < held_out.size(); ++n)
    judged[people.of[n]] += std::ranges::count(held_out[n]->judged, std::uint8_t{1});
  std::int64_t partial = 0;
  for (std::size_t person = 0; person < people.count; ++person)
    partial += !by_person[person].empty() && std::ssize(by_person[person]) < judged[person];
  if (partial > 0)
    model.model.warnings.push_back(text("p-values of whole subjects are too low: of ", partial,
                                        " of its ", model.reference->subjects(),
                                        " healthy subjects only some slices are healthy"));
  model.learnt_slices = learnt_slices(training, held_out);
  model.model.calibration = {{"threshold_percentile", kThresholdPercentile}};
}

}  // namespace ratnet::inline v1
