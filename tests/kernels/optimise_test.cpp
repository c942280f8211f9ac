#include "../../kernels/optimise.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

const std::int64_t sizes[] = {1, 2, 3, 7, 8, 13, 70, 40009};
constexpr int kSteps = 10;

// Plain restatements, one element at a time.
struct Parameter {
  double weight = 0, velocity = 0, first = 0, second = 0;

  void step(const Sgd& o, double rate, double, int, double g) {
    g += o.weight_decay * weight;
    velocity = o.momentum * velocity + g;
    weight -= rate * (o.nesterov ? g + o.momentum * velocity : velocity);
  }

  void step(const Adam& o, double rate, double decoupled_decay, int t, double g) {
    weight *= 1 - rate * decoupled_decay;
    g += o.weight_decay * weight;
    first = o.beta1 * first + (1 - o.beta1) * g;
    second = o.beta2 * second + (1 - o.beta2) * g * g;
    weight -= rate / (1 - std::pow(o.beta1, t)) * first /
              (std::sqrt(second / (1 - std::pow(o.beta2, t))) + o.epsilon);
  }
};

// An operation and what is the same in all of its steps.
template <class Op>
struct Setting {
  Op op;
  double rate = 0.001;
  double decoupled_decay = 0;
};

Tensor rates_of(const Setting<Sgd>& s, int) { return tensor_of({1}, DType::f64, {s.rate}); }

Tensor rates_of(const Setting<Adam>& s, int step) {
  const auto rates = adam_rates(s.rate, s.op.beta1, s.op.beta2, s.decoupled_decay, step);
  return tensor_of({3}, DType::f64, {rates[0], rates[1], rates[2]});
}

void attach(Sgd& op, ConstView rates, View weight, ConstView gradient, View first, View) {
  op.rate = rates;
  op.weight = weight;
  op.gradient = gradient;
  op.velocity = op.momentum != 0 ? first : View();
}

void attach(Adam& op, ConstView rates, View weight, ConstView gradient, View first, View second) {
  op.rates = rates;
  op.weight = weight;
  op.gradient = gradient;
  op.first_moment = first;
  op.second_moment = second;
}

// Ten steps by the kernel and by the restatement; returns the weights.
template <class Op>
Tensor ten_steps(const QueueHandle& queue, const Setting<Op>& setting, DType dtype,
                 std::int64_t n) {
  Random random(7);
  Tensor weight = random_tensor({n}, dtype, random), first({n}, dtype), second({n}, dtype);
  std::vector<Parameter> expected(static_cast<std::size_t>(n));
  const Doubles start = doubles(weight);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i].weight = start[i];
  for (int step = 1; step <= kSteps; ++step) {
    const Tensor gradient = random_tensor({n}, dtype, random), rates = rates_of(setting, step);
    Op op = setting.op;
    attach(op, rates, weight, gradient, first, second);
    run_on(queue, op);
    const Doubles g = doubles(gradient);
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i].step(op, setting.rate, setting.decoupled_decay, step, g[i]);
  }
  Doubles weights(expected.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = expected[i].weight;
  CHECK(distance(weight, weights) < (dtype == DType::f64 ? 1e-12 : 3e-6));
  return weight;
}

const Setting<Sgd> sgd_options[] = {
    {{}, 0.1},
    {{.momentum = 0.9}, 0.1},
    {{.momentum = 0.9, .weight_decay = 0.01}, 0.1},
    {{.momentum = 0.8, .weight_decay = 0.01, .nesterov = true}, 0.05}};
const Setting<Adam> adam_options[] = {{},
                                      {{.beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6}, 0.01},
                                      {{.weight_decay = 0.1}, 0.01},
                                      {{}, 0.01, 0.1},
                                      {{.beta1 = 0, .beta2 = 0}, 0.01}};

}  // namespace

TEST_CASE("optimisers equal their formulas over ten steps, alike on every instruction set",
          "[device]") {
  const QueueHandle queue = test_queue(2);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t n : sizes) {
      if (!on_cpu() && n > 10000) continue;
      std::vector<Tensor> best;
      for_each_instruction_set([&](const std::string& set) {
        INFO(set << ", " << n);
        std::vector<Tensor> results;
        for (const auto& op : sgd_options) results.push_back(ten_steps(queue, op, dtype, n));
        for (const auto& op : adam_options) results.push_back(ten_steps(queue, op, dtype, n));
        if (best.empty()) best = std::move(results);
        for (std::size_t i = 0; i < results.size(); ++i) CHECK(same_bits(best[i], results[i]));
      });
    }
}

TEST_CASE("optimisers do not depend on the number of threads", "[device]") {
  const std::int64_t n = on_cpu() ? 70001 : 3001;
  for (const auto& op : sgd_options)
    CHECK(same_bits(ten_steps(test_queue(1), op, DType::f32, n),
                    ten_steps(test_queue(4), op, DType::f32, n)));
  for (const auto& op : adam_options)
    CHECK(same_bits(ten_steps(test_queue(1), op, DType::f32, n),
                    ten_steps(test_queue(4), op, DType::f32, n)));
}

TEST_CASE("clipping measures the norm and shortens what is longer than the limit",
          "[device][small]") {
  for_each_instruction_set([&](const std::string& set) {
    Random random(3);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t n : {1, 2, 7, 8, 9, 70, 32768, 100003}) {
        INFO(set << ", " << n);
        Tensor gradient = random_tensor({n}, dtype, random), norm({1}, dtype);
        const Doubles before = doubles(gradient);
        const double expected = std::sqrt(dot(before, before));
        run_on(test_queue(2), ClipNorm{gradient, norm, 0});
        CHECK(distance(norm, {expected}) < tolerance(dtype));
        CHECK(doubles(gradient) == before);
        run_on(test_queue(2), ClipNorm{gradient, norm, expected * 1.01});
        CHECK(doubles(gradient) == before);
        Tensor again = gradient.clone(), norm1({1}, dtype);
        run_on(test_queue(1), ClipNorm{again, norm1, expected / 3});
        run_on(test_queue(4), ClipNorm{gradient, norm, expected / 3});
        CHECK(same_bits(gradient, again));
        CHECK(same_bits(norm, norm1));
        CHECK(distance(norm, {expected}) < tolerance(dtype));
        Doubles clipped = before;
        for (double& value : clipped) value *= expected / 3 / (expected + 1e-6);
        CHECK(distance(gradient, clipped) < tolerance(dtype));
      }
  });
}

TEST_CASE("the norm of many blocks is summed without loss", "[device]") {
  const std::int64_t n = 9000001;  // more than 256 blocks
  Tensor gradient({n}, DType::f32), norm({1}, DType::f32);
  for (float& value : gradient.values<float>()) value = 0.5f;
  run_on(test_queue(2), ClipNorm{gradient, norm, 0});
  CHECK(distance(norm, {0.5 * std::sqrt(static_cast<double>(n))}) < 1e-7);
}

TEST_CASE("a blend moves a tensor its share of the way to another, alike on every instruction set",
          "[device][small]") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t n : {1, 2, 7, 8, 13, 70, 3001})
      for (const double share : {0.0, 0.001, 0.3, 1.0}) {
        std::vector<Tensor> best;
        for_each_instruction_set([&](const std::string& set) {
          INFO(set << ", " << n << ", " << share);
          Random random(5);
          const Tensor x = random_tensor({n}, dtype, random);
          Tensor y = random_tensor({n}, dtype, random);
          const Tensor factor = tensor_of({1}, DType::f64, {share});
          Doubles expected = doubles(y);
          const Doubles to = doubles(x);
          for (std::size_t i = 0; i < expected.size(); ++i)
            expected[i] += share * (to[i] - expected[i]);
          Tensor other = y.clone();
          run_on(test_queue(2), Blend{x, y, factor});
          CHECK(distance(y, expected) < (dtype == DType::f64 ? 1e-15 : 2e-7));
          run_on(test_queue(1), Blend{x, other, factor});
          CHECK(same_bits(y, other));
          if (best.empty()) best.push_back(y.clone());
          CHECK(same_bits(y, best[0]));
        });
      }
}

TEST_CASE("optimisers refuse arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor w({4}, DType::f32), g({4}, DType::f32), m({4}, DType::f32), v({4}, DType::f32);
  Tensor longer({5}, DType::f32), wide({4}, DType::f64), square({2, 2}, DType::f32);
  Tensor norm({1}, DType::f32), rate({1}, DType::f64), rates({3}, DType::f64);
  const auto sgd_refused = [&](View weight, ConstView gradient, const auto& change) {
    Sgd op;
    op.rate = rate;
    op.weight = weight;
    op.gradient = gradient;
    change(op);
    return refused(queue, op);
  };
  const auto nothing = [](auto&) {};
  CHECK_FALSE(sgd_refused(w, g, nothing));
  CHECK(sgd_refused(w, longer, nothing));
  CHECK(sgd_refused(w, wide, nothing));
  CHECK(sgd_refused(w, {}, nothing));
  CHECK(sgd_refused(square, square, nothing));
  CHECK(sgd_refused(w, g, [](Sgd& op) { op.momentum = 0.9; }));  // without a velocity
  CHECK(sgd_refused(w, g, [](Sgd& op) { op.nesterov = true; }));
  CHECK(sgd_refused(w, g, [](Sgd& op) { op.rate = {}; }));
  CHECK(sgd_refused(w, g, [&](Sgd& op) { op.rate = norm; }));  // f32
  CHECK(sgd_refused(w, g, [](Sgd& op) { op.weight_decay = INFINITY; }));
  const auto adam_refused = [&](const auto& change) {
    Adam op;
    op.rates = rates;
    op.weight = w;
    op.gradient = g;
    op.first_moment = m;
    op.second_moment = v;
    change(op);
    return refused(queue, op);
  };
  CHECK_FALSE(adam_refused(nothing));
  CHECK(adam_refused([](Adam& op) { op.first_moment = {}; }));
  CHECK(adam_refused([&](Adam& op) { op.second_moment = longer; }));
  CHECK(adam_refused([&](Adam& op) { op.gradient = wide; }));
  CHECK(adam_refused([](Adam& op) { op.beta1 = 1; }));
  CHECK(adam_refused([](Adam& op) { op.beta2 = -0.1; }));
  CHECK(adam_refused([](Adam& op) { op.epsilon = -1; }));
  CHECK(adam_refused([&](Adam& op) { op.rates = rate; }));
  CHECK(refused(queue, ClipNorm{g, w}));
  CHECK(refused(queue, ClipNorm{g, norm, -1}));
  CHECK(refused(queue, ClipNorm{square, norm}));
  CHECK(refused(queue, ClipNorm{g, {}}));
  CHECK_FALSE(refused(queue, Blend{g, w, rate}));
  CHECK(refused(queue, Blend{longer, w, rate}));
  CHECK(refused(queue, Blend{wide, w, rate}));
  CHECK(refused(queue, Blend{g, {}, rate}));
  CHECK(refused(queue, Blend{g, w, norm}));  // f32
  CHECK(refused(queue, Blend{g, w, rates}));
}
