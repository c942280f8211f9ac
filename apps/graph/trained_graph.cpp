#include "trained_graph.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "../../core/printable.h"
#include "../../train/graph_training.h"
#include "../../train/learnt_images.h"
#include "../../train/objective_shapes.h"
#include "../../train/whole_images.h"

namespace ratnet::inline v1 {
namespace {

const std::string& provenance(const Model& model, const char* key) {
  const auto found = model.provenance.find(key);
  if (found == model.provenance.end())
    fail(ErrorKind::input, "does not say its '", key,
         "', as models of `ratnet train --graph` do; train it again with this version");
  return found->second;
}

double scale_of(const Model& model) {
  const auto& steps = model.preprocessing;
  const bool known =
      steps.size() == 1 && steps[0].name == "multiply" && steps[0].values.contains("by");
  const double scale = known ? steps[0].values.at("by") : 0;
  if (!(scale > 0 && std::isfinite(scale)))
    fail(ErrorKind::input, "does not say what its pixels were multiplied by");
  return scale;
}

// Absent where the digits are no number of that type.
template <class T>
std::optional<T> whole_number(const std::string& digits) {
  T number = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

std::int64_t batch_of(const Model& model) {
  const std::string& digits = provenance(model, "batch");
  const auto batch = whole_number<std::int64_t>(digits);
  if (!batch || *batch < 1)
    fail(ErrorKind::input, "was trained in batches of '", digits.substr(0, 32),
         "', expected a number of 1 or more");
  return *batch;
}

// The terminal that shows them would obey control characters.
void make_printable(Model& model) {
  for (std::string& name : model.class_names) name = printable(name);
  for (std::string& warning : model.warnings) warning = printable(warning);
}

// Absent where the model was trained on whole images.
std::optional<Patches> patches_of(const Model& model, const Objective& objective) {
  const auto found = model.provenance.find(kPatches);
  if (found == model.provenance.end()) return std::nullopt;
  Patches patches = patches_from_json(found->second);
  const Graph& graph = model.graph;
  patches.size = patch_size(graph);
  const Shape input = graph.infer(1, false)[static_cast<std::size_t>(graph.inputs()[0])].output;
  check_patches(graph, objective, patches.shape(input.back()), "its patches");
  return patches;
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
  return list;
}

TrainedGraph read(Model model) {
  if (model.system != "graph")
    fail(ErrorKind::input, "is a model of ", model.system, ", not of `ratnet train --graph`");
  make_printable(model);
  const Graph& graph = model.graph;
  if (graph.inputs().size() != 1)
    fail(ErrorKind::input, "has ", graph.inputs().size(), " inputs; expected 1");
  const auto name_at = [&](int node) { return graph.nodes()[static_cast<std::size_t>(node)].name; };
  TrainedGraph trained;
  trained.objective = objective_from_json(provenance(model, "losses"));
  trained.scale = scale_of(model);
  trained.batch = batch_of(model);
  if (const auto seed = model.provenance.find("seed"); seed != model.provenance.end())
    trained.seed = whole_number<std::uint64_t>(seed->second);
  for (LossTerm& term : trained.objective) {
    if (term.output.empty()) term.output = name_at(graph.outputs()[output_of(graph, "")]);
    if (term.kind != LossKind::gaussian_kl && term.target == LossTarget::image &&
        std::ranges::find(trained.images, term.output) == trained.images.end())
      trained.images.push_back(term.output);
  }
  // What reads the outputs trusts their sizes, which the file's losses alone could belie.
  check_shapes(graph, trained.objective);
  const auto ssim = std::ranges::find(trained.objective, LossKind::ssim, &LossTerm::kind);
  if (ssim != trained.objective.end()) trained.ssim = *ssim;
  trained.by_label = class_output(graph, trained.objective, LossTarget::labels);
  trained.by_mask = class_output(graph, trained.objective, LossTarget::masks);
  trained.others = trained.images;
  for (const int output : graph.outputs()) {
    const std::string name = name_at(output);
    const auto is = [&](const std::optional<ClassOutput>& classes) {
      return classes && (classes->output == name || restates(graph, output, *classes));
    };
    if (!is(trained.by_label) && !is(trained.by_mask) &&
        std::ranges::find(trained.others, name) == trained.others.end())
      trained.others.push_back(name);
  }
  trained.patches = patches_of(model, trained.objective);
  if (const auto* marks = marks_in(model, kLearntImages)) trained.learnt = *marks;
  trained.model = std::move(model);
  return trained;
}

}  // namespace

std::optional<std::size_t> TrainedGraph::patch_axes() const {
  return patches ? std::optional(patches->size.size()) : std::nullopt;
}

bool TrainedGraph::by_slices(const Shape& image) const {
  return patches && std::ssize(patches->size) < image.rank() - 1;
}

std::vector<std::string> TrainedGraph::class_names() const {
  std::vector<std::string> names;
  const auto classes = by_label ? static_cast<std::size_t>(by_label->classes()) : 0;
  if (model.class_names.size() == classes) return model.class_names;
  for (std::size_t k = 0; k < classes; ++k) names.push_back(std::to_string(k));
  return names;
}

TrainedGraph trained_graph(Model model, const std::string& name) {
  try {
    TrainedGraph trained = read(std::move(model));
    trained.name = name;
    return trained;
  } catch (const Error& error) {
    throw Error(ErrorKind::input, name + ": " + printable(error.what()));
  }
}

void check_images(const TrainedGraph& trained, const Dataset& dataset) {
  if (trained.patches) {
    try {
      check_patches(trained.model.graph, trained.objective, dataset.image_shape(), dataset.name());
    } catch (const Error& error) {
      throw about(error, trained, dataset);
    }
    return;
  }
  const Graph& graph = trained.model.graph;
  const Shape taken = graph.infer(1, false)[static_cast<std::size_t>(graph.inputs()[0])].output;
  const Shape image = dataset.image_shape();
  if (taken != image.batch_of(1))
    fail(ErrorKind::input, dataset.name(), ": has images of ", to_string(image), ", ", trained.name,
         " takes ", to_string(taken),
         " (with the batch in front); resample them, or train on this size or on patches "
         "(\"patches\" in the graph's file)");
}

void check_class_names(const TrainedGraph& trained, const std::vector<std::string>& others,
                       const std::string& whose) {
  std::vector<std::string> theirs;
  for (const std::string& name : others) theirs.push_back(printable(name));
  const std::vector<std::string>& own = trained.model.class_names;
  if (!trained.by_label || own.empty() || theirs.empty() || own == theirs) return;
  fail(ErrorKind::input, whose, ": its classes are ", listed(theirs), ", those of ", trained.name,
       " are ", listed(own),
       "; labels have to mean the same: number and name the classes of the file (class_names) as "
       "those of the model");
}

Error about(const Error& error, const TrainedGraph& trained, const Dataset& dataset) {
  const std::string what = error.what();
  for (const std::string& name : {trained.name, dataset.name()})
    if (what.find(name) != std::string::npos) return error;
  return error.with_context(trained.name + " on " + dataset.name());
}

std::string pixel_note(const TrainedGraph& trained, const Dataset& dataset) {
  const auto found = trained.model.provenance.find("pixels");
  if (found == trained.model.provenance.end() || found->second == name_of(dataset.dtype()))
    return "";
  return text(trained.name, " was trained on ", printable(found->second), " pixels, these are ",
              name_of(dataset.dtype()), ": they are multiplied by ", trained.scale,
              " all the same, so they have to be in the same units");
}

}  // namespace ratnet::inline v1
