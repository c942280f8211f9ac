// Single layers against PyTorch (scripts/golden/layers.py), and TensorFlow where they follow its
// rules, above all where options mean different things in different frameworks.
#include "../catch.h"
#include "../layers/one_layer.h"
#include "golden.h"

using namespace ratnet;
using namespace ratnet::testing;
using namespace ratnet::layers;

namespace {

struct LayerCase {
  std::string name;  // in the file
  Layer layer;
  Shape x;
  bool frozen = false;
};

std::vector<LayerCase> conv_cases() {
  constexpr auto custom = Padding::custom, valid = Padding::valid;
  return {
      {"conv/1d", Conv{.out = 4}, {2, 7, 3}},
      {"conv/stride",
       Conv{.out = 5,
            .kernel = {3},
            .stride = {2},
            .padding = custom,
            .pad_before = {1},
            .pad_after = {1}},
       {2, 7, 8, 3}},
      {"conv/strides",
       Conv{.out = 3,
            .kernel = {3, 5},
            .stride = {3, 2},
            .padding = custom,
            .pad_before = {0, 2},
            .pad_after = {0, 2}},
       {2, 7, 8, 2}},
      {"conv/dilation",
       Conv{.out = 3, .kernel = {3}, .dilation = {2, 3}, .bias = false},
       {1, 9, 11, 2}},
      {"conv/stride_and_dilation",
       Conv{.out = 3, .kernel = {3, 2}, .stride = {2}, .dilation = {1, 3}, .padding = valid},
       {2, 11, 10, 2}},
      {"conv/groups", Conv{.out = 4, .kernel = {3}, .groups = 2}, {2, 5, 6, 6}},
      {"conv/depthwise",
       Conv{.out = 10,
            .kernel = {3},
            .stride = {1, 2},
            .padding = custom,
            .pad_before = {1},
            .pad_after = {1},
            .groups = 5},
       {2, 6, 5, 5}},
      {"conv/even", Conv{.out = 4, .kernel = {2, 4}}, {2, 5, 7, 3}},
      {"conv/even_and_dilation",
       Conv{.out = 3, .kernel = {4, 2}, .dilation = {1, 3}},
       {1, 7, 6, 2}},
      {"conv/asymmetric",
       Conv{.out = 4,
            .kernel = {3, 2},
            .stride = {1, 2},
            .padding = custom,
            .pad_before = {0, 2},
            .pad_after = {1, 0}},
       {2, 5, 6, 3}},
      {"conv/3d",
       Conv{.out = 3,
            .kernel = {3, 2, 1},
            .stride = {2, 1, 3},
            .padding = custom,
            .pad_before = {1, 1, 0},
            .pad_after = {1, 0, 1}},
       {1, 4, 5, 6, 2}},
      // pad_after is PyTorch's padding less its output_padding.
      {"conv_transpose/1d",
       ConvTranspose{.out = 4, .kernel = {3}, .padding = custom, .pad_before = {1}},
       {2, 5, 3}},
      {"conv_transpose/2x2", ConvTranspose{.out = 3}, {2, 3, 5, 4}},
      {"conv_transpose/4x4", ConvTranspose{.out = 3, .kernel = {4}}, {1, 5, 3, 2}},
      {"conv_transpose/output_padding",
       ConvTranspose{
           .out = 2, .kernel = {3, 5}, .stride = {2, 3}, .padding = custom, .pad_before = {1, 2}},
       {2, 4, 3, 3}},
      {"conv_transpose/gaps",
       ConvTranspose{.out = 3, .kernel = {2}, .stride = {3}, .padding = valid},
       {1, 4, 3, 2}},
      {"conv_transpose/dilation",
       ConvTranspose{.out = 3,
                     .kernel = {3},
                     .stride = {1},
                     .dilation = {2},
                     .padding = custom,
                     .pad_before = {1},
                     .pad_after = {1}},
       {1, 4, 5, 2}},
      {"conv_transpose/3d", ConvTranspose{.out = 2}, {1, 2, 3, 4, 3}},
      {"dense", Dense{.out = 3}, {5, 7}},
  };
}

std::vector<LayerCase> pool_cases() {
  constexpr auto custom = Padding::custom;
  return {
      {"max_pool/padding",
       MaxPool{
           .kernel = {3}, .stride = {2}, .padding = custom, .pad_before = {1}, .pad_after = {1}},
       {2, 7, 8, 3}},
      {"max_pool/odd", MaxPool{}, {2, 7, 5, 3}},
      {"max_pool/overlap",
       MaxPool{
           .kernel = {4}, .stride = {1}, .padding = custom, .pad_before = {2}, .pad_after = {2}},
       {1, 9, 2}},
      {"max_pool/3d", MaxPool{.kernel = {3, 2, 2}, .stride = {2, 1, 2}}, {1, 5, 4, 6, 2}},
      {"avg_pool/counted",
       AvgPool{.kernel = {3},
               .stride = {2},
               .padding = custom,
               .pad_before = {1},
               .pad_after = {1},
               .count_padding = true},
       {2, 7, 8, 3}},
      {"avg_pool/not_counted",
       AvgPool{
           .kernel = {3}, .stride = {2}, .padding = custom, .pad_before = {1}, .pad_after = {1}},
       {2, 7, 8, 3}},
      {"avg_pool/3d", AvgPool{.kernel = {2, 2, 3}}, {1, 5, 4, 7, 2}},
      {"global_pool/mean", GlobalPool{}, {2, 3, 5, 4}},
      {"global_pool/max", GlobalPool{.by = Reduction::max}, {2, 3, 5, 4}},
  };
}

std::vector<LayerCase> space_cases() {
  constexpr auto linear = Interpolation::linear;
  constexpr auto corners = Alignment::corners;
  return {
      {"upsample/nearest", Upsample{.factor = {2, 3}}, {2, 3, 4, 2}},
      {"upsample/nearest_3d", Upsample{}, {1, 2, 3, 2, 2}},
      {"upsample/linear", Upsample{.factor = {3}, .mode = linear}, {2, 5, 3}},
      {"upsample/linear_corners",
       Upsample{.factor = {3}, .mode = linear, .align = corners},
       {2, 5, 3}},
      {"upsample/bilinear", Upsample{.factor = {2, 3}, .mode = linear}, {2, 3, 4, 2}},
      {"upsample/bilinear_corners",
       Upsample{.factor = {2, 3}, .mode = linear, .align = corners},
       {2, 3, 4, 2}},
      {"upsample/trilinear", Upsample{.mode = linear}, {1, 2, 3, 4, 2}},
      {"upsample/trilinear_corners", Upsample{.mode = linear, .align = corners}, {1, 2, 3, 4, 2}},
      {"pad/zero", Pad{.before = {0, 2}, .after = {3, 1}}, {2, 4, 5, 2}},
      {"pad/reflect",
       Pad{.before = {0, 2}, .after = {3, 4}, .mode = PadMode::reflect},
       {2, 4, 5, 2}},
      {"pad/edge", Pad{.before = {0, 2}, .after = {3, 7}, .mode = PadMode::edge}, {2, 4, 5, 2}},
      {"pad/reflect_3d",
       Pad{.before = {1, 1, 3}, .after = {1, 2, 2}, .mode = PadMode::reflect},
       {1, 2, 3, 4, 2}},
      {"pad/edge_3d",
       Pad{.before = {4, 0, 3}, .after = {1, 2, 2}, .mode = PadMode::edge},
       {1, 2, 3, 4, 2}},
      {"upsample/nearest_top_left",
       Upsample{.factor = {3, 2}, .align = Alignment::top_left},
       {2, 3, 4, 2}},
      {"upsample/nearest_corners",
       Upsample{.factor = {3, 2}, .align = Alignment::corners},
       {2, 3, 4, 2}},
      {"upsample/bilinear_top_left",
       Upsample{.factor = {2, 3}, .mode = linear, .align = Alignment::top_left},
       {2, 3, 4, 2}},
      {"upsample/trilinear_top_left",
       Upsample{.factor = {2, 2, 3}, .mode = linear, .align = Alignment::top_left},
       {1, 2, 3, 4, 2}},
  };
}

// TensorFlow's rule, which PyTorch has for a stride of 1 alone
// (scripts/golden/tensorflow_rules.py).
std::vector<LayerCase> same_cases() {
  const auto conv = [](const char* name, Sizes kernel, Sizes stride, Shape x) -> LayerCase {
    return {std::string("same/") + name, Conv{.out = 3, .kernel = kernel, .stride = stride}, x};
  };
  const auto maximum = [](const char* name, Sizes kernel, Sizes stride, Shape x) -> LayerCase {
    return {std::string("same/") + name,
            MaxPool{.kernel = kernel, .stride = stride, .padding = Padding::same}, x};
  };
  const auto mean = [](const char* name, Sizes kernel, Sizes stride, Shape x) -> LayerCase {
    return {std::string("same/") + name,
            AvgPool{.kernel = kernel, .stride = stride, .padding = Padding::same}, x};
  };
  const auto transposed = [](const char* name, Sizes kernel, Sizes stride, Shape x) -> LayerCase {
    return {std::string("same/") + name,
            ConvTranspose{.out = 3, .kernel = kernel, .stride = stride}, x};
  };
  return {
      conv("conv_1d", {3}, {2}, {2, 7, 3}),
      conv("conv_odd", {3, 5}, {2}, {2, 7, 8, 3}),
      conv("conv_even", {4, 2}, {2}, {2, 7, 8, 2}),
      conv("conv_thirds", {2, 4}, {3}, {1, 10, 11, 2}),
      conv("conv_gaps", {1}, {2}, {2, 7, 8, 3}),
      conv("conv_3d", {3, 2, 4}, {2, 2, 3}, {1, 5, 6, 7, 2}),
      maximum("max_1d", {3}, {2}, {2, 8, 3}),
      maximum("max_odd", {3}, {2}, {2, 7, 8, 3}),
      maximum("max_even", {2, 4}, {2}, {2, 7, 9, 3}),
      maximum("max_thirds", {2, 5}, {3}, {1, 10, 11, 2}),
      maximum("max_3d", {3, 2, 4}, {2, 2, 3}, {1, 5, 6, 7, 2}),
      mean("avg_1d", {3}, {2}, {2, 8, 3}),
      mean("avg_odd", {3}, {2}, {2, 7, 8, 3}),
      mean("avg_even", {2, 4}, {2}, {2, 7, 9, 3}),
      mean("avg_thirds", {2, 5}, {3}, {1, 10, 11, 2}),
      mean("avg_3d", {3, 2, 4}, {2, 2, 3}, {1, 5, 6, 7, 2}),
      transposed("transposed_1d", {3}, {2}, {2, 5, 3}),
      transposed("transposed_odd", {3, 5}, {2}, {2, 5, 7, 2}),
      transposed("transposed_even", {4, 2}, {3, 2}, {2, 5, 3, 2}),
      transposed("transposed_once", {2, 4}, {1}, {2, 5, 3, 2}),
      transposed("transposed_gaps", {2, 1}, {3, 2}, {1, 3, 5, 2}),
      transposed("transposed_3d", {3, 2, 4}, {2, 2, 3}, {1, 3, 2, 5, 2}),
  };
}

std::vector<LayerCase> value_cases() {
  const BatchNorm batch_norm{.epsilon = 1e-3, .momentum = 0.3};
  return {
      {"batch_norm/train", batch_norm, {3, 4, 5, 3}},
      {"batch_norm/train_dense", batch_norm, {7, 5}},
      {"batch_norm/train_3d", batch_norm, {2, 2, 3, 4, 3}},
      {"batch_norm/eval", batch_norm, {3, 4, 5, 3}, true},
      {"instance_norm", InstanceNorm{}, {2, 4, 5, 3}},
      {"instance_norm/plain", InstanceNorm{.affine = false}, {2, 3, 4, 2, 3}},
      {"group_norm", GroupNorm{.groups = 2}, {2, 3, 5, 6}},
      {"layer_norm", LayerNorm{}, {3, 7}},
      {"layer_norm/image", LayerNorm{}, {2, 4, 3, 5}},
      {"relu", Relu{}, {2, 5, 7, 3}},
      {"leaky_relu", LeakyRelu{.slope = 0.2}, {2, 5, 7, 3}},
      {"elu", Elu{.alpha = 0.7}, {2, 5, 7, 3}},
      {"sigmoid", Sigmoid{}, {2, 5, 7, 3}},
      {"tanh", Tanh{}, {2, 5, 7, 3}},
      {"softplus", Softplus{}, {2, 5, 7, 3}},
      {"softmax", Softmax{}, {2, 3, 2, 5}},
      {"log_softmax", LogSoftmax{}, {2, 3, 2, 5}},
  };
}

// The file has double precision alone, which holds single to account, too.
int check_case(const LayerCase& c, DType dtype) {
  static const SafetensorsFile file = golden_file("layers");
  INFO(c.name << " " << to_json(c.layer) << " " << name_of(dtype));
  const Tolerance tolerance = dtype == DType::f64 ? Tolerance{1e-12, 1e-12} : Tolerance{1e-5, 1e-5};
  const Graph graph = graph_of(c.layer, {c.x});
  Weights weights = golden_weights(graph, dtype);
  if (c.frozen) weights.freeze("*");
  if (weights.entries().empty()) weights.add("unused", Tensor({1}, dtype));
  const auto parameters = std::make_shared<Parameters>(test_queue(), weights);
  const std::int64_t n = c.x[0];
  Plan plan(graph, parameters,
            {.batch = n, .mode = Mode::train, .fuse = false, .input_gradients = true});
  const auto expect = [&](const std::string& name) { return read(file.find(c.name + "/" + name)); };

  Doubles x = mixed(c.x.count(), 0), dy = mixed(plan.output(0, n).count(), 1000);
  for (double& value : x) value = 4 * value - 2;
  for (double& value : dy) value = 2 * value - 1;
  write_to(plan.queue(), plan.input(0, n), x);
  plan.forward(n);
  CHECK(relative(read_from(plan.queue(), plan.output(0, n)), expect("y")) < tolerance.outputs);
  write_to(plan.queue(), plan.output_gradient(0, n), dy);
  plan.backward(n);
  CHECK(relative(read_from(plan.queue(), plan.input_gradient(0, n)), expect("dx")) <
        tolerance.gradients);
  int tensors = 2;
  for (const auto& place : parameters->places()) {
    if (place.name == "unused" || (c.frozen && !place.statistic)) continue;
    INFO(place.name);
    const Doubles got = read_from(
        plan.queue(), place.statistic ? parameters->view(place) : plan.gradient(place.name));
    CHECK(relative(got, expect((place.statistic ? "statistic/" : "gradient/") + place.name)) <
          tolerance.gradients);
    ++tensors;
  }
  return tensors;
}

}  // namespace

TEST_CASE("single layers give PyTorch's outputs, gradients and statistics", "[device]") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    int tensors = 0;
    for (const auto& cases :
         {conv_cases(), pool_cases(), space_cases(), same_cases(), value_cases()})
      for (const LayerCase& c : cases) tensors += check_case(c, dtype);
    CHECK(tensors == static_cast<int>(golden_file("layers").tensors().size()));
  }
}
