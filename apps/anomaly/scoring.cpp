#include "scoring.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "../../kernels/open.h"
#include "axial_stack.h"
#include "scored_scan.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {

struct AnomalyScorer::State {
  AnomalyModel model;
  Plan plan;

  State(AnomalyModel loaded, const AnomalyScorerOptions& options)
      : model(std::move(loaded)),
        plan(model.model.graph,
             std::make_shared<Parameters>(
                 open_queue({options.device, options.threads, options.executor, options.tuner}),
                 model.model.weights),
             {.batch = scoring_batch(model.model.graph), .precision = options.precision}) {}

  AnomalyDetails find(const SubjectSlices& slices) {
    AnomalyDetails details;
    details.subject = prepare_subject(slices, model.preparation);
    SubjectAnomalies found = find_anomalies(plan, model, details.subject);
    details.scores = std::move(found.scores);
    details.reconstruction = std::move(found.reconstruction);
    return details;
  }
};

namespace {

AxialStack stack_of(const Volume& scan, const std::string& name) {
  try {
    return axial_stack(scan);
  } catch (const Error& error) {
    throw error.with_context("'" + name + "'");
  }
}

// Calls put(s, pixels) with the map of each slice that shows brain, in the input's pixels.
template <class Put>
void each_map(const SubjectScores& scores, const SliceGrid& input, Put&& put) {
  for (std::size_t s = 0; s < scores.slice_scores.size(); ++s) {
    if (std::isnan(scores.slice_scores[s])) continue;
    const auto slice = static_cast<std::int64_t>(s);
    const Tensor pixels = to_input_grid(slice_of<float>(scores.maps, slice), input);
    put(slice, pixels.values<float>());
  }
}

}  // namespace

AnomalyScorer::AnomalyScorer(const std::string& model, const AnomalyScorerOptions& options)
    : state_(std::make_unique<State>(load_anomaly_model(model), options)) {}
AnomalyScorer::~AnomalyScorer() = default;
AnomalyScorer::AnomalyScorer(AnomalyScorer&&) noexcept = default;
AnomalyScorer& AnomalyScorer::operator=(AnomalyScorer&&) noexcept = default;

const AnomalyModel& AnomalyScorer::model() const { return state_->model; }

AnomalyPromise AnomalyScorer::promise() const {
  const AnomalyModel& model = state_->model;
  return {.threshold = model.model.threshold,
          .rate = false_alarm_rate(model),
          .healthy_subjects = model.reference->subjects(),
          .warnings = model.model.warnings};
}

AnomalyScores AnomalyScorer::score(const Volume& scan, const std::string& name) {
  AnomalyDetails details;
  return score(scan, name, details);
}

AnomalyScores AnomalyScorer::score(const AxialSlices& slices) {
  AnomalyDetails details;
  return score(slices, details);
}

AnomalyScores AnomalyScorer::score(const Volume& scan, const std::string& name,
                                   AnomalyDetails& details) {
  const AxialStack stack = stack_of(scan, name);
  details = state_->find(slices_of(stack, name));
  AnomalyScores result{scan_scores(state_->model, details.subject, details.scores), {}, 0, {}};
  const ScanGeometry& geometry = scan.geometry;
  result.maps = Tensor({geometry.sizes[2], geometry.sizes[1], geometry.sizes[0]}, DType::f32);
  result.axis = 2 - stack.layout.axis;
  for (std::int64_t s = 0; s < result.slices(); ++s)
    result.places.push_back(place_of(stack.layout, stack.reversed, s));
  each_map(details.scores, stack.layout.grid, [&](std::int64_t s, std::span<const float> pixels) {
    put_slice(geometry, stack.layout, result.places[static_cast<std::size_t>(s)], pixels,
              result.maps.values<float>());
  });
  return result;
}

AnomalyScores AnomalyScorer::score(const AxialSlices& slices, AnomalyDetails& details) {
  details = state_->find({.name = slices.name,
                          .images = slices.images,
                          .row_spacing = slices.row_spacing,
                          .column_spacing = slices.column_spacing});
  AnomalyScores result{scan_scores(state_->model, details.subject, details.scores), {}, 0, {}};
  const Shape& shape = slices.images.shape;
  result.maps = Tensor(shape, DType::f32);
  result.places.resize(static_cast<std::size_t>(shape[0]));
  std::iota(result.places.begin(), result.places.end(), 0);
  each_map(details.scores, {shape[1], shape[2], slices.row_spacing, slices.column_spacing},
           [&](std::int64_t s, std::span<const float> pixels) {
             std::ranges::copy(pixels, slice_of<float>(result.maps, s).begin());
           });
  return result;
}

}  // namespace ratnet::inline v1
