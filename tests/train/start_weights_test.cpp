// A training that starts from weights that are there, some of which stay as they are.
#include "../../train/graph_training.h"
#include "../network/temporary_folder.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

std::shared_ptr<const Weights> first_weights() {
  return std::make_shared<const Weights>(undisturbed().weights.clone());
}

bool same(const TrainingResult& a, const Weights& b, const std::string& name) {
  return same_bits(a.weights.find(name).value, b.find(name).value);
}

}  // namespace

TEST_CASE("frozen weights stay as they start, and the others learn", "[device]") {
  TrainerOptions o = options(1);
  o.start = first_weights();
  o.freeze = {"conv/*"};
  const TrainingResult result = train(o);
  for (const char* name : {"conv/weight", "conv/bias"}) CHECK(same(result, *o.start, name));
  for (const char* name : {"logits/weight", "logits/bias"}) CHECK(!same(result, *o.start, name));
  // Without a start the frozen ones are those that the seed draws.
  o.start = nullptr;
  CHECK(same(train(o), Weights::initialised(small_graph(), o.loader.seed), "conv/weight"));
}

TEST_CASE("weights that are not there to start with are drawn as without a start") {
  TrainerOptions o = options(1);
  Weights some;
  for (const char* name : {"conv/weight", "conv/bias"})
    some.add(name, undisturbed().weights.find(name).value.clone());
  some.add("other/weight", Tensor({3}, DType::f32));
  o.start = std::make_shared<const Weights>(std::move(some));
  o.freeze = {"logits/*"};
  const TrainingResult result = train(o);
  CHECK(same(result, Weights::initialised(small_graph(), o.loader.seed), "logits/weight"));
  CHECK(!same(result, *o.start, "conv/weight"));
}

TEST_CASE("a training with a start goes on from its checkpoint, and from no other's") {
  const TemporaryFolder folder;
  TrainerOptions o = options(2);
  o.start = first_weights();
  o.freeze = {"conv/*"};
  const TrainingResult whole = train(o);
  o.checkpoint_path = folder / "checkpoint";
  o.resume = true;
  CHECK(train(o, until(7)).interrupted);
  const auto refused_with = [&](TrainerOptions other) {
    return refused_training(ErrorKind::input, "other data or options", other);
  };
  TrainerOptions other = o;
  other.start = nullptr;
  CHECK(refused_with(other) == "");
  Weights changed = o.start->clone();
  changed.find("logits/bias").value.values<float>()[1] += 1;
  other.start = std::make_shared<const Weights>(std::move(changed));
  CHECK(refused_with(other) == "");
  other = o;
  other.freeze = {"conv*"};
  CHECK(refused_with(other) == "");
  check_same(train(o), whole);
}

TEST_CASE("a start that does not fit is refused") {
  TrainerOptions o = options(1);
  o.start = std::make_shared<const Weights>(Weights::initialised(small_graph(3), 1));
  CHECK(refused_training(ErrorKind::input, "'logits/weight' to start with is", o) == "");
  Weights other;
  other.add("elsewhere/weight", Tensor({3}, DType::f32));
  o.start = std::make_shared<const Weights>(std::move(other));
  CHECK(refused_training(ErrorKind::input, "none of the weights to start with", o) == "");
  o.start = nullptr;
  o.freeze = {"encoder*"};
  CHECK(refused_training(ErrorKind::usage, "no weight fits 'encoder*'", o) == "");
  o.freeze = {"*/bias"};  // part of a layer
  CHECK(refused_training(ErrorKind::usage, "layer 'conv'", o) == "");
  o.freeze = {"*"};
  CHECK(refused_training(ErrorKind::usage, "all weights are frozen", o) == "");
}
