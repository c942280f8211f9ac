#include "graph.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "../core/json_depth.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;

constexpr int kGraphFormat = 1;
constexpr std::size_t kMostNodes = 10000;
// Of one tensor: with this many nodes the bytes of all of them still fit in 63 bits.
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 40;

// How many inputs it takes, or one of kOneOrTwo and kOneOrMore.
int arguments(const Layer& layer) {
  return std::visit(
      [](const auto& l) {
        using L = std::decay_t<decltype(l)>;
        if constexpr (requires { L::arity; }) return L::arity;
        return 1;
      },
      layer);
}

LayerShapes infer_node(const Node& node, std::span<const Shape> inputs, std::int64_t n,
                       bool training) {
  return std::visit(
      [&](const auto& layer) -> LayerShapes {
        if constexpr (std::is_same_v<std::decay_t<decltype(layer)>, layers::Input>) {
          LayerShapes shapes;
          shapes.output.push_back(n);
          for (const std::int64_t size : layer.shape) {
            require(size >= 1, "an input size is ", size, ", expected 1 or more");
            shapes.output.push_back(size);
          }
          return shapes;
        } else {
          return layer.infer(inputs, training);
        }
      },
      node.layer);
}

void check_sizes(const LayerShapes& shapes) {
  const auto check = [](const Shape& shape) {
    require(shape.count() <= kMostNumbers, "a tensor of ", shape, " is larger than memory");
  };
  check(shapes.output);
  for (const WeightSpec& weight : shapes.weights) check(weight.shape);
  for (const TensorSpec& kept : shapes.kept) check(kept.shape);
  for (const TensorSpec& scratch : shapes.backward_scratch) check(scratch.shape);
}

}  // namespace

int Graph::find(std::string_view name) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].name == name) return static_cast<int>(i);
  fail(ErrorKind::usage, "the graph has no node '", std::string(name), "'");
}

std::vector<LayerShapes> Graph::infer(std::int64_t n, bool training) const {
  std::vector<LayerShapes> all;
  for (const Node& node : nodes_) {
    std::vector<Shape> inputs;
    for (const int input : node.inputs)
      inputs.push_back(all[static_cast<std::size_t>(input)].output);
    try {
      check_fields(node.layer);
      all.push_back(infer_node(node, inputs, n, training));
      check_sizes(all.back());
    } catch (const Error& error) {
      // Layers begin with their kind; what is said of sizes that no memory has does not.
      const std::string kind(kind_of(node.layer));
      const bool named = std::string_view(error.what()).starts_with(kind + ":");
      throw(named ? error : error.with_context(kind)).with_context(text("layer '", node.name, "'"));
    }
  }
  std::map<std::string, const WeightSpec*> first;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const WeightSpec& spec : all[i].weights) {
      const WeightSpec* other =
          first.try_emplace(nodes_[i].weights_name() + "/" + spec.name, &spec).first->second;
      require(other->shape == spec.shape && other->statistic == spec.statistic, "layer '",
              nodes_[i].name, "' asks for weights '", nodes_[i].weights_name(), "/", spec.name,
              "' of shape ", spec.shape, ", another for ", other->shape);
    }
  return all;
}

std::vector<Graph::NamedWeight> Graph::weights() const {
  std::vector<NamedWeight> all;
  std::set<std::string> known;
  const auto shapes = infer(1, true);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    for (const WeightSpec& spec : shapes[i].weights) {
      std::string name = nodes_[i].weights_name() + "/" + spec.name;
      if (known.insert(name).second) all.push_back({std::move(name), spec});
    }
  return all;
}

std::vector<bool> Graph::read_once(const std::vector<std::string>& keep) const {
  std::vector<int> readers(nodes_.size());
  for (const Node& node : nodes_)
    for (const int input : node.inputs) ++readers[static_cast<std::size_t>(input)];
  std::vector<bool> once(nodes_.size());
  for (std::size_t i = 0; i < once.size(); ++i) once[i] = readers[i] == 1;
  for (const int output : outputs_) once[static_cast<std::size_t>(output)] = false;
  for (const std::string& name : keep) once[static_cast<std::size_t>(find(name))] = false;
  return once;
}

Graph Graph::part(const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs) const {
  std::vector<bool> given(nodes_.size()), wanted(nodes_.size());
  for (const std::string& name : inputs) given[static_cast<std::size_t>(find(name))] = true;
  for (const std::string& name : outputs) wanted[static_cast<std::size_t>(find(name))] = true;
  for (std::size_t i = nodes_.size(); i-- > 0;)
    if (wanted[i] && !given[i])
      for (const int input : nodes_[i].inputs) wanted[static_cast<std::size_t>(input)] = true;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    require(!given[i] || wanted[i], "no output depends on '", nodes_[i].name, "'");

  const auto shapes = infer(1, false);
  GraphBuilder builder;
  std::vector<int> moved(nodes_.size(), -1);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!wanted[i]) continue;
    const Node& node = nodes_[i];
    if (given[i]) {
      const auto sizes = shapes[i].output.sizes().subspan(1);
      moved[i] = builder.input(node.name, {sizes.begin(), sizes.end()});
      continue;
    }
    std::vector<int> sources;
    for (const int input : node.inputs) sources.push_back(moved[static_cast<std::size_t>(input)]);
    moved[i] = builder.add(node.name, node.layer, std::move(sources), node.weights);
  }
  std::vector<int> ends;
  for (const std::string& name : outputs)
    ends.push_back(moved[static_cast<std::size_t>(find(name))]);
  return builder.build(std::move(ends));
}

Graph Graph::with_layer(std::string_view name, Layer layer) const {
  Graph graph = *this;
  graph.nodes_[static_cast<std::size_t>(find(name))].layer = std::move(layer);
  (void)graph.infer(1, false);
  return graph;
}

std::string Graph::to_json() const {
  Json nodes = Json::array();
  for (const Node& node : nodes_) {
    Json entry = Json::parse(v1::to_json(node.layer));
    entry["name"] = node.name;
    Json inputs = Json::array();
    for (const int input : node.inputs)
      inputs.push_back(nodes_[static_cast<std::size_t>(input)].name);
    if (!inputs.empty()) entry["inputs"] = inputs;
    if (!node.weights.empty()) entry["weights"] = node.weights;
    nodes.push_back(entry);
  }
  Json outputs = Json::array();
  for (const int output : outputs_)
    outputs.push_back(nodes_[static_cast<std::size_t>(output)].name);
  return Json{{"format", kGraphFormat}, {"nodes", nodes}, {"outputs", outputs}}.dump();
}

Graph Graph::from_json(std::string_view source) {
  try {
    check_json_depth(source);
    const Json json = Json::parse(source);
    const int format = json.at("format").get<int>();
    if (format != kGraphFormat)
      fail(ErrorKind::input, "graph format ", format, " is not the ", kGraphFormat,
           " that this version reads");
    for (const auto& [key, value] : json.items())
      if (key != "format" && key != "nodes" && key != "outputs")
        fail(ErrorKind::input, "unknown field '", key.substr(0, 32),
             "' beside the nodes; the file may come from a newer version");
    const Json& nodes = json.at("nodes");
    if (!nodes.is_array() || nodes.size() > kMostNodes)
      fail(ErrorKind::input, "a graph has a list of at most ", kMostNodes, " nodes");

    GraphBuilder builder;
    std::map<std::string, int> handles;
    const auto handle = [&](const Json& name) {
      const auto found = handles.find(name.get_ref<const std::string&>());
      if (found == handles.end())
        fail(ErrorKind::input, "a layer takes its input from '",
             name.get_ref<const std::string&>().substr(0, 64), "', which does not come before it");
      return found->second;
    };
    for (const Json& node : nodes) {
      const auto name = node.at("name").get<std::string>();
      std::vector<int> inputs;
      if (node.contains("inputs"))
        for (const Json& input : node["inputs"]) inputs.push_back(handle(input));
      Json layer = node;
      layer.erase("name");
      layer.erase("inputs");
      layer.erase("weights");
      handles[name] = builder.add(
          name, layer_from_json(layer.dump()), std::move(inputs),
          node.contains("weights") ? node["weights"].get<std::string>() : std::string());
    }
    std::vector<int> outputs;
    for (const Json& output : json.at("outputs")) outputs.push_back(handle(output));
    return builder.build(std::move(outputs));
  } catch (const Json::exception&) {
    fail(ErrorKind::input, "not a graph as this version writes it: {format, nodes, outputs}");
  } catch (const Error& error) {
    throw Error(ErrorKind::input, error.what());
  }
}

GraphBuilder::Handle GraphBuilder::input(std::string name, std::vector<std::int64_t> shape) {
  return add(std::move(name), layers::Input{std::move(shape)}, {});
}

GraphBuilder::Handle GraphBuilder::add(std::string name, Layer layer, std::vector<Handle> inputs,
                                       std::string weights) {
  const auto printable = [](const std::string& s) {
    return s.size() <= 256 &&
           std::all_of(s.begin(), s.end(), [](char c) { return c >= ' ' && c <= '~'; });
  };
  require(!name.empty() && printable(name) && printable(weights),
          "a layer needs a name of 1 to 256 printable ASCII characters");
  for (const Node& node : graph_.nodes_)
    require(node.name != name, "two layers are called '", name, "'");
  const int wanted = arguments(layer);
  const bool fits = wanted == kOneOrMore  ? !inputs.empty()
                    : wanted == kOneOrTwo ? inputs.size() == 1 || inputs.size() == 2
                                          : inputs.size() == static_cast<std::size_t>(wanted);
  require(fits, "layer '", name, "' (", kind_of(layer), ") takes ",
          wanted == kOneOrMore  ? "1 or more"
          : wanted == kOneOrTwo ? "1 or 2"
                                : std::to_string(wanted),
          " inputs, got ", inputs.size());
  const auto index = static_cast<int>(graph_.nodes_.size());
  for (const Handle input : inputs)
    require(input >= 0 && input < index, "layer '", name, "' takes an input that does not exist");
  if (inputs.empty()) graph_.inputs_.push_back(index);
  if (weights == name) weights.clear();
  graph_.nodes_.push_back(
      {std::move(name), std::move(layer), std::move(inputs), std::move(weights)});
  return index;
}

Graph GraphBuilder::build(std::vector<Handle> outputs) {
  require(!outputs.empty(), "a graph needs an output");
  require(!graph_.inputs_.empty(), "a graph needs an input");
  for (const Handle output : outputs)
    require(output >= 0 && output < static_cast<Handle>(graph_.nodes_.size()),
            "an output does not exist");
  auto sorted = outputs;
  std::sort(sorted.begin(), sorted.end());
  require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(),
          "a layer is named twice among the outputs");
  graph_.outputs_ = std::move(outputs);
  (void)graph_.infer(1, true);
  return std::move(graph_);
}

}  // namespace ratnet::inline v1
