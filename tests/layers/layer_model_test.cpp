// Every layer in the file of a model.
#include "../../network/model.h"

#include "../catch.h"
#include "../network/temporary_folder.h"
#include "layer_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("every layer comes back from the file of a model, its weights to the bit") {
  const TemporaryFolder folder;
  for_examples([&](const Layer& layer, const std::vector<Shape>& inputs) {
    INFO(to_json(layer));
    Random random(35);
    Model model;
    model.graph = graph_of(layer, inputs);
    model.weights = random_weights(model.graph, DType::f32, random);
    if (model.graph.weights().empty()) model.weights = {};
    save_model(model, folder / "m.safetensors");
    const Model again = load_model(folder / "m.safetensors");

    CHECK(again.graph.to_json() == model.graph.to_json());
    CHECK(again.graph.infer(3, true).back().output == model.graph.infer(3, true).back().output);
    const auto& saved = model.weights.entries();
    const auto& loaded = again.weights.entries();
    REQUIRE(loaded.size() == saved.size());
    for (std::size_t i = 0; i < saved.size(); ++i) {
      CHECK(loaded[i].name == saved[i].name);
      CHECK(loaded[i].statistic == saved[i].statistic);
      CHECK(same_bits(loaded[i].value, saved[i].value));
    }
  });
}
