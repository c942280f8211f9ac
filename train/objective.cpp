#include "objective.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../core/json_depth.h"
#include "../kernels/cross_entropy.h"
#include "../kernels/dice_loss.h"
#include "../kernels/element_loss.h"
#include "../kernels/gaussian_kl.h"
#include "../kernels/ssim_loss.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;

constexpr const char* kKinds[] = {"cross_entropy", "binary_cross_entropy", "mse", "l1", "dice",
                                  "ssim",          "gaussian_kl"};
constexpr const char* kTargets[] = {"labels", "masks", "image"};

template <std::size_t n>
std::size_t place_of(const char* const (&names)[n], const std::string& name, const char* what) {
  for (std::size_t i = 0; i < n; ++i)
    if (names[i] == name) return i;
  std::string known;
  for (const char* other : names) known += (known.empty() ? "" : ", ") + std::string(other);
  fail(ErrorKind::input, "unknown ", what, " '", name.substr(0, 32), "': use one of ", known);
}

// function(name, member) for every field but kind and target.
template <class Term, class Function>
void for_fields(Term& term, Function&& function) {
  function("output", term.output);
  function("log_variance", term.log_variance);
  function("weight", term.weight);
  function("warm_up", term.warm_up);
  function("class_weights", term.class_weights);
  function("label_smoothing", term.label_smoothing);
  function("positive_weight", term.positive_weight);
  function("smoothing", term.smoothing);
  function("per_sample", term.per_sample);
  function("background", term.background);
  function("window", term.window);
  function("sigma", term.sigma);
  function("data_range", term.data_range);
  function("mask", term.mask);
}

bool compares_images(LossKind kind) {
  return kind == LossKind::mse || kind == LossKind::l1 || kind == LossKind::ssim;
}

bool has_field(LossKind kind, std::string_view field) {
  if (field == "output" || field == "weight" || field == "warm_up") return true;
  switch (kind) {
    case LossKind::cross_entropy: return field == "class_weights" || field == "label_smoothing";
    case LossKind::binary_cross_entropy: return field == "positive_weight";
    case LossKind::dice:
      return field == "smoothing" || field == "per_sample" || field == "background";
    case LossKind::ssim: return field == "window" || field == "sigma" || field == "data_range";
    case LossKind::gaussian_kl: return field == "log_variance";
    case LossKind::mse:
    case LossKind::l1: return field == "mask";
  }
  return false;
}

LossTarget default_target(LossKind kind) {
  if (compares_images(kind)) return LossTarget::image;
  return kind == LossKind::dice ? LossTarget::masks : LossTarget::labels;
}

// Throws what nlohmann does, or Error (input), for a value of another type.
template <class T>
void read_value(const Json& json, T& value) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (!json.is_number_integer()) fail(ErrorKind::input, "expected a whole number");
  } else if constexpr (std::is_same_v<T, std::vector<float>>) {
    for (const Json& item : json)
      if (!item.is_number() || !(item.get<double>() >= 0 && item.get<double>() < 1e30))
        fail(ErrorKind::input, "expected weights of 0 or more");
  }
  json.get_to(value);
}

LossTerm term_from(const Json& json) {
  LossTerm term;
  term.kind = static_cast<LossKind>(place_of(kKinds, json.at("kind").get<std::string>(), "loss"));
  const char* const kind = kKinds[static_cast<std::size_t>(term.kind)];
  term.target = default_target(term.kind);
  for (const auto& [key, value] : json.items()) {
    if (key == "kind") continue;
    if (key == "target" && term.kind != LossKind::gaussian_kl) {
      term.target = static_cast<LossTarget>(place_of(kTargets, value.get<std::string>(), "target"));
      continue;
    }
    if (!has_field(term.kind, key))
      fail(ErrorKind::input, "the loss ", kind, " has no field '", key.substr(0, 32), "'");
    for_fields(term, [&, name = key, &entry = value](const char* field, auto& member) {
      if (name == field) read_value(entry, member);
    });
  }
  if (!std::isfinite(term.weight) || term.weight < 0)
    fail(ErrorKind::input, "the weight of a loss is ", term.weight, ", expected 0 or more");
  if (term.warm_up < 0)
    fail(ErrorKind::input, "the warm-up of a loss is ", term.warm_up, " steps, expected 0 or more");
  const bool image = term.target == LossTarget::image;
  const bool suits = image == compares_images(term.kind) &&
                     (term.kind != LossKind::dice || term.target == LossTarget::masks);
  if (term.kind != LossKind::gaussian_kl && !suits)
    fail(ErrorKind::input, "the loss ", kind, " does not compare with ",
         kTargets[static_cast<std::size_t>(term.target)]);
  return term;
}

// [N, ..., C] -> [N, ..., 1]
Shape pixels_of(const Shape& shape) {
  Shape pixels = shape.without_last();
  pixels.push_back(1);
  return pixels;
}

// Whether two tensors [N, spatial..., C] differ in nothing but their channels.
bool same_pixels(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank() || a.rank() < 3) return false;
  for (int d = 0; d + 1 < a.rank(); ++d)
    if (a[d] != b[d]) return false;
  return true;
}

}  // namespace

std::string to_json(const Objective& objective) {
  Json all = Json::array();
  for (const LossTerm& term : objective) {
    Json entry = {{"kind", kKinds[static_cast<std::size_t>(term.kind)]}};
    if (term.kind != LossKind::gaussian_kl)
      entry["target"] = kTargets[static_cast<std::size_t>(term.target)];
    LossTerm standard;
    Json defaults;
    for_fields(standard, [&](const char* name, const auto& value) { defaults[name] = value; });
    for_fields(term, [&](const char* name, const auto& value) {
      if (Json(value) != defaults[name]) entry[name] = value;
    });
    all.push_back(entry);
  }
  return all.dump();
}

std::string described(const LossTerm& term) {
  const std::string kind = kKinds[static_cast<std::size_t>(term.kind)];
  return "the loss " + kind + (term.output.empty() ? "" : " of '" + term.output + "'");
}

Objective objective_from_json(std::string_view source) {
  constexpr std::size_t kMost = 100;
  try {
    check_json_depth(source);
    const Json json = Json::parse(source);
    if (!json.is_array() || json.empty() || json.size() > kMost)
      fail(ErrorKind::input, "losses are a list of 1 to ", kMost);
    Objective objective;
    for (const Json& entry : json) objective.push_back(term_from(entry));
    return objective;
  } catch (const Json::exception&) {
    fail(ErrorKind::input, "the losses are not written as this version expects");
  }
}

Objective default_objective(const Graph& graph, bool labels, bool masks) {
  if (graph.outputs().size() != 1 || graph.inputs().size() != 1)
    fail(ErrorKind::input, "a graph of ", graph.inputs().size(), " inputs and ",
         graph.outputs().size(), " outputs has to say which losses it is trained with");
  const Node* node = &graph.nodes()[static_cast<std::size_t>(graph.outputs()[0])];
  if (std::holds_alternative<layers::Softmax>(node->layer))
    node = &graph.nodes()[static_cast<std::size_t>(node->inputs[0])];
  const auto shapes = graph.infer(1, false);
  const Shape output = shapes[static_cast<std::size_t>(graph.find(node->name))].output;
  const Shape input = shapes[static_cast<std::size_t>(graph.inputs()[0])].output;
  LossTerm term{.output = node->name};
  if (labels && output.rank() == 2) {
    term.kind = output.back() == 1 ? LossKind::binary_cross_entropy : LossKind::cross_entropy;
  } else if (masks && same_pixels(output, input)) {
    term.kind = output.back() == 1 ? LossKind::binary_cross_entropy : LossKind::cross_entropy;
    term.target = LossTarget::masks;
  } else if (output == input) {
    term.kind = LossKind::mse;
    term.target = LossTarget::image;
  } else {
    fail(ErrorKind::input, "an output of ", to_string(output), " from images of ", to_string(input),
         labels ? ", labels" : "", masks ? ", masks" : "",
         " suits no loss: say which in the graph's file (\"losses\")");
  }
  return {term};
}

Graph graph_for(const Graph& graph, const Objective& objective) {
  std::vector<std::string> names;
  for (const LossTerm& term : objective)
    for (const std::string& name : {term.output, term.log_variance})
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  return names.empty() ? graph : graph.up_to(names);
}

std::size_t output_of(const Graph& graph, const std::string& name) {
  const auto& outputs = graph.outputs();
  if (name.empty()) {
    require(outputs.size() == 1, "the graph has ", outputs.size(),
            " outputs: every loss has to name its own");
    return 0;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (graph.nodes()[static_cast<std::size_t>(outputs[i])].name == name) return i;
  fail(ErrorKind::usage, "'", name, "', which a loss reads, is no output of the graph");
}

bool reads(const Objective& objective, LossTarget target) {
  return std::any_of(objective.begin(), objective.end(), [&](const LossTerm& term) {
    if (term.mask && target == LossTarget::masks) return true;
    return term.kind != LossKind::gaussian_kl && term.target == target;
  });
}

std::vector<int> warm_up_at(const Objective& objective, std::int64_t step) {
  std::vector<int> warm;
  for (const LossTerm& term : objective)
    warm.push_back(step >= term.warm_up
                       ? kWarmUpParts
                       : static_cast<int>(static_cast<double>(step) * kWarmUpParts /
                                          static_cast<double>(term.warm_up)));
  return warm;
}

std::vector<std::string> watch_for(const Graph& graph, const Objective& objective) {
  if (!reads(objective, LossTarget::image)) return {};
  return {graph.nodes()[static_cast<std::size_t>(graph.inputs()[0])].name};
}

PlannedLosses::PlannedLosses(Plan& plan, const Objective& objective)
    : plan_(plan), training_(plan.trains()), loss_(plan.queue_handle(), sizeof(double)) {
  const Graph& graph = plan.graph();
  std::vector<bool> used(graph.outputs().size());
  for (const LossTerm& loss : objective) {
    Term term{.loss = loss, .output = output_of(graph, loss.output), .class_weights = {}};
    term.accumulate = used[term.output];
    used[term.output] = true;
    if (loss.kind == LossKind::gaussian_kl) {
      term.log_variance = output_of(graph, loss.log_variance);
      require(term.log_variance != term.output && used[term.log_variance] == term.accumulate,
              "gaussian_kl: mean and log_variance are two outputs with the same losses before it");
      used[term.log_variance] = true;
    }
    if (!loss.class_weights.empty()) {
      const std::vector<double> wide(loss.class_weights.begin(), loss.class_weights.end());
      const bool as_double = plan.output(term.output, 1).dtype == DType::f64;
      const std::size_t bytes = wide.size() * (as_double ? sizeof(double) : sizeof(float));
      term.class_weights = Buffer(plan.queue_handle(), bytes);
      term.class_weights.upload(
          as_double ? static_cast<const void*>(wide.data()) : loss.class_weights.data(), bytes);
      wait(plan.queue());  // for the doubles, which end here
    }
    terms_.push_back(std::move(term));
  }
  for (std::size_t i = 0; i < used.size(); ++i)
    require(used[i], "no loss reads the output '",
            graph.nodes()[static_cast<std::size_t>(graph.outputs()[i])].name, "'");
  wait(plan.queue());
}

void PlannedLosses::submit(std::int64_t n, const LossTargets& targets, const View& loss_sum,
                           double times, const std::vector<int>& warm) {
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const LossTerm& loss = terms_[i].loss;
    const double part = warm.empty() ? 1.0 : warm[i] / double{kWarmUpParts};
    try {
      submit(terms_[i], n, targets, loss_sum, loss.weight * times * part);
    } catch (const Error& error) {
      throw error.with_context(described(loss));
    }
  }
}

void PlannedLosses::submit(const Term& term, std::int64_t n, const LossTargets& targets,
                           const View& loss_sum, double factor) {
  Queue& queue = plan_.queue();
  const LossTerm& l = term.loss;
  const ConstView y = plan_.output(term.output, n);
  const View dy = training_ ? plan_.output_gradient(term.output, n) : View();
  const View loss(loss_.data(), y.dtype, {1});
  const ConstView labels = l.target == LossTarget::masks ? targets.masks : targets.labels;
  require(!l.mask || targets.masks, "it takes pixels by masks, of which there are none");
  switch (l.kind) {
    case LossKind::cross_entropy: {
      const auto classes = static_cast<std::int64_t>(l.class_weights.size());
      v1::submit(queue,
                 SoftmaxCrossEntropy{.logits = y,
                                     .labels = labels,
                                     .class_weights = classes ? ConstView(term.class_weights.data(),
                                                                          y.dtype, {classes})
                                                              : ConstView(),
                                     .loss = loss,
                                     .dlogits = dy,
                                     .loss_sum = loss_sum,
                                     .label_smoothing = l.label_smoothing,
                                     .factor = factor,
                                     .accumulate = term.accumulate});
      break;
    }
    case LossKind::binary_cross_entropy:
    case LossKind::mse:
    case LossKind::l1:
      v1::submit(
          queue,
          ElementLoss{.kind = l.kind == LossKind::mse  ? ElementLossKind::mse
                              : l.kind == LossKind::l1 ? ElementLossKind::l1
                                                       : ElementLossKind::binary_cross_entropy,
                      .prediction = y,
                      .target = compares_images(l.kind) ? targets.image : labels.reshaped(y.shape),
                      .weights = compares_images(l.kind) ? targets.image_weights : ConstView(),
                      .mask = l.mask ? targets.masks.reshaped(pixels_of(y.shape)) : ConstView(),
                      .loss = loss,
                      .dprediction = dy,
                      .loss_sum = loss_sum,
                      .positive_weight = l.positive_weight,
                      .factor = factor,
                      .accumulate = term.accumulate});
      break;
    case LossKind::dice:
      v1::submit(queue, DiceLoss{.probabilities = y,
                                 .labels = labels,
                                 .loss = loss,
                                 .dprobabilities = dy,
                                 .loss_sum = loss_sum,
                                 .smoothing = l.smoothing,
                                 .per_sample = l.per_sample,
                                 .include_background = l.background,
                                 .factor = factor,
                                 .accumulate = term.accumulate});
      break;
    case LossKind::ssim:
      require(!targets.image_weights, "it cannot weigh pixels");
      v1::submit(queue, SsimLoss{.prediction = y,
                                 .target = targets.image,
                                 .loss = loss,
                                 .dprediction = dy,
                                 .loss_sum = loss_sum,
                                 .window = l.window,
                                 .sigma = l.sigma,
                                 .data_range = l.data_range,
                                 .factor = factor,
                                 .accumulate = term.accumulate});
      break;
    case LossKind::gaussian_kl:
      v1::submit(queue,
                 GaussianKl{.mean = y,
                            .log_variance = plan_.output(term.log_variance, n),
                            .loss = loss,
                            .dmean = dy,
                            .dlog_variance =
                                training_ ? plan_.output_gradient(term.log_variance, n) : View(),
                            .loss_sum = loss_sum,
                            .factor = factor,
                            .accumulate = term.accumulate});
      break;
  }
}

}  // namespace ratnet::inline v1
