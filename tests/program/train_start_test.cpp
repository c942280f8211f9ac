// train --graph from the weights of a model that is there.
#include "../../network/model.h"
#include "../kernels/random_tensor.h"
#include "dense_training.h"

using namespace ratnet;
using namespace ratnet::test;

TEST_CASE("train --graph starts from a model's weights and leaves frozen ones as they are") {
  const DenseTraining first(8), second(8, "head");
  well(first.line());
  const Finished trained = well(second.line("--start " + first.model() + " --freeze wide/*"));
  CHECK(trained.err.find("2 of 4 weights start as in model.safetensors; drawn anew: head/weight, "
                         "head/bias\n") != std::string::npos);
  const Model a = load_model(first.model()), b = load_model(second.model());
  for (const char* name : {"wide/weight", "wide/bias"})
    CHECK(testing::same_bits(a.weights.find(name).value, b.weights.find(name).value));
  CHECK(b.provenance.at("started_from") == "model.safetensors");
  CHECK(b.provenance.at("freeze wide/*") == "frozen");
  CHECK(b.provenance.at("optimiser") == "adam");
  // The same file and seed are the same split: the test images are new to both, and what the first
  // has learnt from stays known.
  CHECK(trained.err.find("warning") == std::string::npos);
  CHECK(b.coefficients.at("learnt_images") == a.coefficients.at("learnt_images"));
  const Finished other = well(second.line("--start " + first.model() + " --seed 7"));
  CHECK(other.err.find(" has learnt from: figures on them are flattered") != std::string::npos);
  const Model c = load_model(second.model());
  CHECK(c.warnings.size() == 1);
  CHECK(c.coefficients.at("learnt_images").size() > a.coefficients.at("learnt_images").size());
  // Marks that do not ascend tell nothing, which is said before the training.
  Model damaged = load_model(first.model());
  std::ranges::reverse(damaged.coefficients.at("learnt_images"));
  save_model(damaged, first / "damaged.safetensors");
  CHECK(refused_last(second.line("--start " + (first / "damaged.safetensors")), 3)
            .find("damaged.safetensors: has coefficients 'learnt_images' that do not ascend") !=
        std::string::npos);
  // Thawed, they move.
  well(second.line("--start " + first.model()));
  CHECK(!testing::same_bits(load_model(second.model()).weights.find("wide/weight").value,
                            a.weights.find("wide/weight").value));
}

TEST_CASE("train --graph refuses a start that does not fit in a line") {
  const DenseTraining training(8), wider(9);
  well(wider.line());
  const auto why = [&](const std::string& more, int code) {
    CHECK(run_line(training.line(more)).err.find("start as in") == std::string::npos);
    return refused_last(training.line(more), code);
  };
  CHECK(why("--start " + wider.model(), 3)
            .find("'wide/weight' to start with is [4096, 9], the network's is [4096, 8]; give its "
                  "layer another name") != std::string::npos);
  CHECK(why("--start nowhere.safetensors", 5).find("nowhere.safetensors") != std::string::npos);
  CHECK(why("--start " + (training / "graph.json"), 3).find("graph.json") != std::string::npos);
  CHECK(why("--freeze encoder*", 2).find("no weight fits 'encoder*'") != std::string::npos);
  CHECK(why("--freeze */bias", 2).find("freeze all of its weights or none") != std::string::npos);
  CHECK(why("--freeze *", 2).find("none is left to train") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(training.model()));
}
