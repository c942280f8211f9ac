// Algorithms that a tuner chooses in place of the rule.
#include <algorithm>
#include <functional>
#include <set>

#include "../../kernels/conv.h"
#include "../../kernels/cpu/cpu_queue.h"
#include "../../kernels/dense.h"
#include "../../kernels/open.h"
#include "../../kernels/submit.h"
#include "../catch.h"
#include "conv_case.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Takes the candidate of that place, or the last, once all of them have run.
class ByPlace : public Tuner {
 public:
  explicit ByPlace(std::size_t place) : place_(place) {}
  Choice choose(const std::string& problem, const std::vector<std::string>& candidates,
                const Trial& trial) override {
    asked.push_back(problem);
    trial.prepare();
    for (std::size_t i = 0; i < candidates.size(); ++i) trial.run(i);
    const std::size_t taken = std::min(place_, candidates.size() - 1);
    names.insert(candidates[taken]);
    return {.candidate = taken, .gain = 1.25};
  }
  std::vector<std::string> asked;
  std::set<std::string> names;

 private:
  std::size_t place_;
};

// The note of a plan about an operation, which then runs.
template <class Op>
std::string planned(Queue& queue, const Op& op) {
  Survey survey;
  queue.survey = &survey;
  submit(queue, op);
  queue.survey = nullptr;
  submit(queue, op);
  return survey.steps.at(0).algorithm;
}

// Taken by Winograd's method, the direct one and the plain one.
Case three_by_three(std::int64_t batch) {
  const Window window{.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}};
  return case_of({batch, 13, 10, 16}, 9, window);
}

}  // namespace

TEST_CASE("every algorithm that can be chosen gives the sums it stands for") {
  std::set<std::string> forward, backward_data, backward_weights;
  for_each_instruction_set([&](const std::string& set) {
    Random random(21);
    for (int i = 0; i < 60; ++i) {
      const Case c = random_case(random);
      const Tensors t = random_tensors(c, DType::f32, random);
      Oracle o = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
      const bool adds = i % 2 == 1;
      const Tensor added = random_tensor(c.y, DType::f32, random);
      if (adds) {
        const Doubles terms = doubles(added);
        std::transform(o.y.begin(), o.y.end(), terms.begin(), o.y.begin(), std::plus());
      }
      for (std::size_t place = 0; place < 4; ++place) {
        const auto tuner = std::make_shared<ByPlace>(place);
        const QueueHandle queue = open_cpu(std::make_shared<ThreadPool>(2), tuner);
        INFO(set << ", case " << i << ", candidate " << place << ": x " << to_string(c.x)
                 << ", weight " << to_string(c.weight));

        Tensor y(c.y, DType::f32);
        Conv conv = conv_of(c, t, y);
        if (adds) conv.added = added;
        planned(*queue, conv);
        CHECK(distance(y, o.y) < tolerance_of_sums(DType::f32));
        forward.merge(std::exchange(tuner->names, {}));

        Tensor dx(c.x, DType::f32);
        planned(
            *queue,
            ConvBackwardData{
                .dy = t.dy, .weight = t.weight, .dx = dx, .window = c.window, .groups = c.groups});
        CHECK(distance(dx, o.dx) < tolerance_of_sums(DType::f32));
        backward_data.merge(std::exchange(tuner->names, {}));

        Tensor dweight(c.weight, DType::f32), dbias({c.out}, DType::f32);
        planned(*queue, ConvBackwardWeights{.x = t.x,
                                            .dy = t.dy,
                                            .dweight = dweight,
                                            .dbias = dbias,
                                            .window = c.window,
                                            .groups = c.groups});
        CHECK(distance(dweight, o.dweight) < tolerance_of_sums(DType::f32));
        CHECK(distance(dbias, o.dbias) < tolerance_of_sums(DType::f32));
        backward_weights.merge(std::exchange(tuner->names, {}));
      }
    }
  });
  using Names = std::set<std::string>;
  CHECK(forward == Names{"conv_winograd", "conv_few_channels", "conv_direct", "conv_im2col"});
  CHECK(backward_data ==
        Names{"conv_winograd", "conv_few_channels", "conv_direct", "conv_phases", "conv_im2col"});
  CHECK(backward_weights ==
        Names{"conv_winograd", "conv_few_channels", "conv_direct", "conv_im2col"});
}

TEST_CASE("a choice depends on neither batch nor threads, and neither do its results") {
  Random random(22);
  const Case batch = three_by_three(5);
  const Tensors t = random_tensors(batch, DType::f32, random);
  for (std::size_t place = 0; place < 3; ++place) {
    Tensor whole(batch.y, DType::f32);
    std::string problem;
    for (const int threads : {1, 3})
      for (const std::int64_t n : {5, 2, 1}) {
        const auto tuner = std::make_shared<ByPlace>(place);
        const QueueHandle queue = open_cpu(std::make_shared<ThreadPool>(threads), tuner);
        Tensor y(batch.y.with_first(n), DType::f32);
        Conv op = conv_of(batch, t, y);
        op.x = op.x.first(n);
        planned(*queue, op);
        planned(*queue, op);  // it need not ask again
        REQUIRE(tuner->asked.size() == 1);
        if (problem.empty()) problem = tuner->asked[0];
        CHECK(tuner->asked[0] == problem);
        if (n == 5 && threads == 1)
          whole = y.clone();
        else
          CHECK(same_bits(y, Tensor::copy_of(ConstView(whole).first(n))));
      }
    CHECK(problem == instruction_set() +
                         " conv f32 x 13,10,16 weight 3,3,16,9 bias 9 y 13,10,9 stride 1,1 "
                         "dilation 1,1 before 1,1 after 1,1 groups 1 none");
  }
}

TEST_CASE("a plan says what was chosen, and only plans ask") {
  Random random(23);
  const Case c = three_by_three(1);
  const Tensors t = random_tensors(c, DType::f32, random);
  const auto tuner = std::make_shared<ByPlace>(1);
  const QueueHandle queue = open_cpu(std::make_shared<ThreadPool>(1), tuner);
  Tensor by_rule(c.y, DType::f32), y(c.y, DType::f32), untuned(c.y, DType::f32);
  submit(*open_cpu(1), conv_of(c, t, untuned));

  submit(*queue, conv_of(c, t, by_rule));
  CHECK(tuner->asked.empty());
  CHECK(same_bits(by_rule, untuned));

  Survey survey;
  queue->survey = &survey;
  submit(*queue, conv_of(c, t, y));
  queue->survey = nullptr;
  CHECK(same_bits(y, Tensor(c.y, DType::f32)));  // trials have memory of their own
  CHECK(survey.steps.at(0).algorithm ==
        "conv_direct; measured, 1.25 times as fast as the rule's conv_winograd; not "
        "conv_few_channels: works for up to 4 channels out only");
  submit(*queue, conv_of(c, t, y));
  CHECK_FALSE(same_bits(y, untuned));

  const auto keeping = std::make_shared<ByPlace>(0);
  CHECK(planned(*open_cpu(std::make_shared<ThreadPool>(1), keeping), conv_of(c, t, y)) ==
        "conv_winograd; measured, as the rule has it");
  CHECK(same_bits(y, untuned));
}

TEST_CASE("where one algorithm is left there is nothing to choose") {
  Random random(24);
  const auto tuner = std::make_shared<ByPlace>(0);
  const QueueHandle queue = open_cpu(std::make_shared<ThreadPool>(1), tuner);
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = random_tensor({3, 5}, dtype, random), w = random_tensor({5, 7}, dtype, random);
    Tensor y({3, 7}, dtype), dx({3, 5}, dtype), dw({5, 7}, dtype);
    planned(*queue, Dense{.x = x, .weight = w, .y = y});
    planned(*queue, DenseBackwardData{.dy = y, .weight = w, .dx = dx});
    planned(*queue, DenseBackwardWeights{.x = x, .dy = y, .dweight = dw});
  }
  const Case c = three_by_three(1);
  const Tensors t = random_tensors(c, DType::f64, random);
  Tensor y(c.y, DType::f64);
  planned(*queue, conv_of(c, t, y));
  CHECK(tuner->asked.empty());
}

TEST_CASE("a tuner of a GPU is refused") {
  const auto open = [](DeviceKind kind) {
    return open_queue({.device = {kind, 0},
                       .threads = 1,
                       .executor = nullptr,
                       .tuner = std::make_shared<ByPlace>(0)});
  };
  for (const DeviceKind kind : {DeviceKind::cuda, DeviceKind::cuda_emulated}) try {
      open(kind);
      FAIL("not refused");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
    }
  CHECK(open(DeviceKind::any)->device.kind == DeviceKind::cpu);
}
