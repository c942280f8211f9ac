// What `ratnet inspect` says of a model.
#include <cmath>
#include <nlohmann/json.hpp>

#include "../../apps/program/inspect/descriptions.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("a model's arrays are told with their sizes, and figures that are no number as null") {
  GraphBuilder b;
  Model model;
  model.system = "test";
  model.graph = b.build({b.add("dense", layers::Dense{.out = 2}, {b.input("x", {3})})});
  model.weights = Weights::initialised(model.graph, 1);
  model.arrays.emplace("reference/score", Tensor({4, 5}, DType::f32));
  model.metrics["auroc"] = std::nan("");
  const auto json = nlohmann::json::parse(model_json(model, {}));
  CHECK(json.at("arrays").dump() == R"({"reference/score":[4,5]})");
  CHECK(json.at("metrics").at("auroc").is_null());
  model.arrays.clear();
  CHECK(nlohmann::json::parse(model_json(model, {})).at("arrays").dump() == "{}");
}
