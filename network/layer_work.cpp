#include "layer_work.h"

namespace ratnet::inline v1 {

std::vector<LayerWork> layer_work(const Graph& graph, std::int64_t n, DType dtype,
                                  DType input_type) {
  const std::vector<LayerShapes> shapes = graph.infer(n, false);
  const auto bytes_of = [](const Shape& shape, DType type) {
    return static_cast<double>(shape.count()) * static_cast<double>(size_of(type));
  };
  std::vector<LayerWork> all;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Node& node = graph.nodes()[i];
    LayerWork work{.flops = 2 * shapes[i].multiply_adds};
    const bool is_input = node.inputs.empty();
    if (!shapes[i].same_memory && (!is_input || input_type != dtype)) {
      work.bytes = bytes_of(shapes[i].output, dtype);
      if (is_input) work.bytes += bytes_of(shapes[i].output, input_type);
      for (const int input : node.inputs)
        work.bytes += bytes_of(shapes[static_cast<std::size_t>(input)].output, dtype);
      for (const WeightSpec& weight : shapes[i].weights)
        work.bytes += bytes_of(weight.shape, dtype);
    }
    all.push_back(work);
  }
  return all;
}

}  // namespace ratnet::inline v1
