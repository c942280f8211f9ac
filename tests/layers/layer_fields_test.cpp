// Hyper-parameters that make no sense are refused by every layer that has them, in words that begin
// with the layer's name and kind.
#include "../catch.h"
#include "layer_runs.h"
#include "refusal.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 40;

// What no layer can mean by a field of that name, whatever its other fields.
const std::map<std::string, std::vector<std::int64_t>> absurd_sizes = {
    {"out", {0, -1, kHuge}},    {"groups", {0, -1, 7919}},    {"kernel", {0, -1, kHuge}},
    {"stride", {0, -1, kHuge}}, {"dilation", {0, -1, kHuge}}, {"pool", {0, -1, kHuge}},
    {"factor", {0, -1, kHuge}}, {"pad_before", {-1, kHuge}},  {"pad_after", {-1, kHuge}},
    {"before", {-1, kHuge}},    {"after", {-1, kHuge}},       {"shape", {0, -2, kHuge}}};
const std::map<std::string, std::vector<double>> absurd_numbers = {{"epsilon", {0, -1e-5}},
                                                                   {"probability", {1, 2, -0.1}},
                                                                   {"momentum", {2, -0.1}},
                                                                   {"temperature", {0, -1}}};

template <class Value>
std::vector<Value> listed(const std::map<std::string, std::vector<Value>>& list,
                          const std::string& name) {
  const auto found = list.find(name);
  return found == list.end() ? std::vector<Value>() : found->second;
}

// visit(layer of its own type, its input shapes, field) for all fields of all examples.
template <class Visit>
void for_fields_of_examples(const Visit& visit) {
  for_examples([&](const Layer& any, const std::vector<Shape>& inputs) {
    std::visit(
        [&](const auto& layer) {
          std::apply([&](const auto&... field) { (visit(layer, inputs, field), ...); },
                     std::decay_t<decltype(layer)>::fields);
        },
        any);
  });
}

// The same layer with one member replaced.
template <class L, class F, class Value>
L with_field(L layer, const F& field, Value value) {
  layer.*(field.member) = std::move(value);
  return layer;
}

}  // namespace

TEST_CASE("absurd sizes are refused by every layer that has them") {
  for_fields_of_examples(
      [](const auto& layer, const std::vector<Shape>& inputs, const auto& field) {
        using T = std::decay_t<decltype(layer.*(field.member))>;
        if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, Sizes>)
          for (const std::int64_t value : listed(absurd_sizes, field.name)) {
            INFO(layer.kind << ": " << field.name << " " << value);
            const Outcome built = building(with_field(layer, field, T{value}), inputs);
            CHECK(built.refused);
            CHECK(built.wrong == "");
          }
      });
}

TEST_CASE("absurd numbers are refused by every layer that has them, NaN and infinity always") {
  const double infinity = std::numeric_limits<double>::infinity();
  for_fields_of_examples(
      [&](const auto& layer, const std::vector<Shape>& inputs, const auto& field) {
        using T = std::decay_t<decltype(layer.*(field.member))>;
        if constexpr (std::is_same_v<T, double>) {
          std::vector<double> values = listed(absurd_numbers, field.name);
          values.insert(values.end(), {std::nan(""), infinity, -infinity});
          for (const double value : values) {
            INFO(layer.kind << ": " << field.name << " " << value);
            const Outcome built = building(with_field(layer, field, value), inputs);
            CHECK(built.refused);
            CHECK(built.wrong == "");
          }
          for (const char* value : {"NaN", "Infinity", "1e999", "-1e999", "null", "\"1\"", "[1]"}) {
            const std::string json = std::string("{\"kind\": \"") + layer.kind + "\", \"" +
                                     field.name + "\": " + value + "}";
            INFO(json);
            try {
              (void)layer_from_json(json);
              CHECK(false);
            } catch (const Error& error) {
              CHECK(error.kind() == ErrorKind::input);
            }
          }
        } else if constexpr (std::is_enum_v<T>) {
          const Outcome built = building(with_field(layer, field, static_cast<T>(99)), inputs);
          CHECK(built.refused);
          CHECK(built.wrong == "");
        }
      });
}

TEST_CASE("whatever a layer's sizes are, it is refused in words or runs") {
  const QueueHandle queue = test_queue(1);
  for_fields_of_examples([&](const auto& layer, const std::vector<Shape>& inputs,
                             const auto& field) {
    using T = std::decay_t<decltype(layer.*(field.member))>;
    if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, Sizes>)
      for (const std::int64_t value :
           {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{7},
            std::int64_t{1} << 22, kHuge, std::int64_t{1} << 62,
            std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        INFO(to_json(layer) << ": " << field.name << " " << value);
        const Layer changed = with_field(layer, field, T{value});
        const Outcome built = building(changed, inputs);
        CHECK(built.wrong == "");
        if (built.refused || value > 100) continue;
        Random random(37);
        const Graph graph = graph_of(changed, inputs);
        const Weights weights = random_weights(graph, DType::f32, random);
        const std::int64_t n = inputs[0][0];
        const std::vector<Doubles> xs = random_values(inputs, random);
        const Doubles dy = random_values({output_shape(changed, inputs)}, random)[0];
        const TrainingStep step = training_step(queue, graph, weights, n, n, xs, dy);
        for (const double y : step.output) CHECK(std::isfinite(y));
      }
  });
}
