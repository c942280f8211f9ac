// Chains of convolutions against their stages in double, one after the other.
#include "../../kernels/conv_chain.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string>

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

double as_bf16(double value) {
  return static_cast<double>(bf16_to_float(float_to_bf16(static_cast<float>(value))));
}
double as_it_is(double value) { return value; }

// A chain with its tensors.
struct Chain {
  Tensor x, scale, y;
  std::vector<Tensor> weights, biases;
  ConvChain op;

  void add(const ConvChain::Stage& stage, Tensor weight, Tensor bias) {
    ConvChain::Stage& added = op.stages[op.count++];
    added = stage;
    added.weight = weight;
    added.bias = bias;
    weights.push_back(std::move(weight));
    biases.push_back(std::move(bias));
  }
  // No result of an earlier run stays.
  void forget() {
    for (float& value : y.values<float>()) value = -1234;
  }
  // Makes y for what the stages give.
  void finish(Tensor pixels, Tensor scales) {
    x = std::move(pixels);
    scale = std::move(scales);
    Shape shape = x.shape();
    for (int i = 0; i < op.count; ++i) {
      const ConvChain::Stage& stage = op.stages[i];
      shape = stage.window.output(shape, stage.weight.shape.back(), "test");
      if (stage.pool.rank) shape = stage.pool.output(shape, shape.back(), "test");
    }
    y = Tensor(shape, DType::f32);
    forget();
    op.x = x;
    if (scale.data()) op.scale = scale;
    op.y = y;
  }
};

// The stages in double; `rounded` is applied to what a kernel multiplies: numbers, weights and what
// lies between the stages.
Doubles oracle(const Chain& chain, const std::function<double(double)>& rounded = as_it_is) {
  Doubles values = doubles(chain.x);
  for (double& value : values) value = rounded(value);
  Shape shape = chain.x.shape();
  for (std::size_t i = 0; i < chain.weights.size(); ++i) {
    const ConvChain::Stage& stage = chain.op.stages[i];
    Doubles weight = doubles(chain.weights[i]);
    for (double& value : weight) value = rounded(value);
    const auto in = static_cast<std::size_t>(shape.back());
    const auto out = static_cast<std::size_t>(stage.weight.shape.back());
    Shape pixels = shape;
    pixels[pixels.rank() - 1] = 1;
    shape = stage.window.output(shape, stage.weight.shape.back(), "oracle");
    Doubles sums(static_cast<std::size_t>(shape.count()));
    for_each_tap(pixels, stage.window, [&](std::size_t to, std::int64_t from, std::int64_t tap) {
      if (from < 0) return;
      for (std::size_t c = 0; c < in; ++c)
        for (std::size_t k = 0; k < out; ++k)
          sums[to * out + k] += values[static_cast<std::size_t>(from) * in + c] *
                                weight[(static_cast<std::size_t>(tap) * in + c) * out + k];
    });
    const std::size_t sample = sums.size() / static_cast<std::size_t>(shape[0]);
    for (std::size_t k = 0; k < sums.size(); ++k) {
      if (i == 0 && chain.scale.data()) sums[k] *= doubles(chain.scale)[k / sample];
      if (chain.biases[i].data()) sums[k] += doubles(chain.biases[i])[k % out];
      if (sums[k] < 0 && stage.activation == Activation::relu) sums[k] = 0;
      if (sums[k] < 0 && stage.activation == Activation::leaky_relu) sums[k] *= stage.slope;
    }
    values = sums;
    if (stage.pool.rank) {
      const Shape pooled = stage.pool.output(shape, shape.back(), "oracle");
      values.assign(static_cast<std::size_t>(pooled.count()),
                    -std::numeric_limits<double>::infinity());
      for_each_tap(shape, stage.pool, [&](std::size_t to, std::int64_t from, std::int64_t) {
        const double value = sums[static_cast<std::size_t>(from)];
        if (value > values[to] || std::isnan(value)) values[to] = value;
      });
      shape = pooled;
    }
    if (i + 1 < chain.weights.size())
      for (double& value : values) value = rounded(value);
  }
  return values;
}

ConvChain::Stage ratnet_stage() {
  return {
      .window = {.rank = 2, .kernel = {3, 3, 1}, .pad_before = {1, 1, 0}, .pad_after = {1, 1, 0}},
      .activation = Activation::relu,
      .pool = {.rank = 2, .kernel = {2, 2, 1}, .stride = {2, 2, 1}}};
}

struct Numbers {
  DType pixels;
  Precision precision;
};

// RatNet's convolutions. whole: every sum is a whole number that f32 has, in whatever order, so
// that nothing but rounding to bf16 rounds.
Chain ratnet_chain(const Numbers& numbers, std::int64_t slices, bool whole, Random& random) {
  Chain chain;
  for (int i = 0; i < 3; ++i) {
    const Shape shape{3, 3, i == 0 ? 1 : 32, 32};
    const double size = whole ? 1.5 : i == 0 ? 0.7 : 0.15;
    Tensor weight = random_tensor(shape, DType::f32, random, -size, size);
    Tensor bias = random_tensor({32}, DType::f32, random, whole ? -30 : -0.3, whole ? 30 : 0.3);
    if (whole)
      for (Tensor* tensor : {&weight, &bias})
        for (float& value : tensor->values<float>()) value = std::round(value);
    chain.add(ratnet_stage(), std::move(weight), std::move(bias));
  }
  Tensor x = random_tensor({slices, 64, 64, 1}, numbers.pixels, random, whole ? -20 : 0,
                           numbers.pixels == DType::u8 ? 256
                           : whole                     ? 20
                                                       : 1);
  if (whole)
    visit(x, [](auto values) {
      for (auto& value : values)
        value = static_cast<std::decay_t<decltype(value)>>(
            static_cast<int>(std::round(static_cast<double>(value))) % 20);
    });
  Doubles scales;
  for (std::int64_t i = 0; i < slices; ++i)
    scales.push_back(whole ? std::vector<double>{2, -1, 0.5, -4, 1}[static_cast<std::size_t>(i % 5)]
                           : random.uniform(-1, 1) / (numbers.pixels == DType::u8 ? 255 : 1));
  chain.finish(std::move(x), tensor_of({slices}, DType::f32, scales));
  chain.op.precision = numbers.precision;
  return chain;
}

std::vector<Numbers> ratnet_numbers(const Queue& queue) {
  std::vector<Numbers> all;
  for (const DType pixels : {DType::u8, DType::f32}) {
    all.push_back({pixels, Precision::f32});
    if (queue.multiplies_rounded) all.push_back({pixels, Precision::bf16});
  }
  return all;
}

OpNote note_of(const QueueHandle& queue, const ConvChain& op) {
  OpNote note;
  checked([&](char* why, std::size_t room) {
    return queue->entries[index_of<ConvChain>(AllOps{})].plan(*queue, &op, note, why, room);
  });
  return note;
}

// One sample of a chain as a chain.
ConvChain sample_of(const Chain& chain, std::int64_t i, Tensor& y) {
  ConvChain op = chain.op;
  const Shape one = chain.x.shape().with_first(1);
  op.x = ConstView(static_cast<const char*>(chain.op.x.data) +
                       static_cast<std::size_t>(i * one.count()) * size_of(chain.x.dtype()),
                   chain.x.dtype(), one);
  if (op.scale) op.scale = ConstView(static_cast<const float*>(op.scale.data) + i, DType::f32, {1});
  op.y = y;
  return op;
}

// Any stages over 1 to 3 dimensions that fit a small image.
Chain random_chain(Random& random) {
  for (;;) {
    Chain chain;
    const int rank = 1 + static_cast<int>(random.integer(3));
    const std::int64_t most = rank == 1 ? 60 : rank == 2 ? 17 : 9;
    Shape shape{1 + random.integer(3)};
    for (int d = 0; d < rank; ++d) shape.push_back(2 + random.integer(most));
    shape.push_back(1 + random.integer(4));
    const Shape x = shape;
    const auto stages = 1 + random.integer(ConvChain::kMostStages);
    try {
      for (std::int64_t i = 0; i < stages; ++i) {
        ConvChain::Stage stage{.activation = static_cast<Activation>(random.integer(3)),
                               .slope = 0.1};
        stage.window.rank = rank;
        Shape weight;
        const bool pools = random.chance(0.5);
        for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
          stage.window.kernel[d] = 1 + random.integer(3);
          stage.window.stride[d] = random.chance(0.8) ? 1 : 2;
          stage.window.pad_before[d] = random.integer(2);
          stage.window.pad_after[d] = random.integer(2);
          weight.push_back(stage.window.kernel[d]);
          if (pools) stage.pool.kernel[d] = stage.pool.stride[d] = 1 + random.integer(2);
        }
        if (pools) stage.pool.rank = rank;
        const std::int64_t out = 1 + random.integer(12);
        weight.push_back(shape.back());
        weight.push_back(out);
        shape = stage.window.output(shape, out, "test");
        if (pools) shape = stage.pool.output(shape, out, "test");
        chain.add(stage, random_tensor(weight, DType::f32, random),
                  random.chance(0.7) ? random_tensor({out}, DType::f32, random) : Tensor());
      }
    } catch (const Error&) {
      continue;  // a window does not fit: draw again
    }
    const bool bytes = random.chance(0.5);
    Tensor pixels =
        random_tensor(x, bytes ? DType::u8 : DType::f32, random, bytes ? 0 : -1, bytes ? 256 : 1);
    Tensor scale = random_tensor({x[0]}, DType::f32, random);
    for (float& value : scale.values<float>()) value /= bytes ? 255.0f : 1.0f;
    chain.finish(std::move(pixels), bytes || random.chance(0.5) ? std::move(scale) : Tensor());
    return chain;
  }
}

}  // namespace

TEST_CASE("RatNet's convolutions in one operation are exact where no sum rounds", "[device]") {
  const QueueHandle queue = test_queue(2);
  // Winograd's method divides: its sums round.
  const bool divides = queue->device.kind == DeviceKind::cpu;
  Random random(31);
  for (const Numbers& numbers : ratnet_numbers(*queue)) {
    const bool rounds = numbers.precision == Precision::bf16;
    const std::int64_t slices = rounds ? 5 : 1;  // with other scales
    Chain chain = ratnet_chain(numbers, slices, true, random);
    const Doubles expected = oracle(chain, rounds ? as_bf16 : as_it_is);
    const double largest = *std::max_element(expected.begin(), expected.end());
    for_each_instruction_set([&](const std::string& name) {
      INFO(name << ": " << name_of(numbers.pixels) << ", " << name_of(numbers.precision));
      chain.forget();
      run_on(queue, chain.op);
      CHECK(distance(chain.y, expected) <= (divides ? 1e-6 * largest : 0));
    });
  }
}

TEST_CASE("RatNet's convolutions in one operation round as their precision says", "[device]") {
  const QueueHandle queue = test_queue(2);
  Random random(32);
  for (const Numbers& numbers : ratnet_numbers(*queue)) {
    const bool rounds = numbers.precision == Precision::bf16;
    Chain chain = ratnet_chain(numbers, 1, false, random);
    const Doubles exact = oracle(chain), rounded = oracle(chain, as_bf16);
    for_each_instruction_set([&](const std::string& name) {
      INFO(name << ": " << name_of(numbers.pixels) << ", " << name_of(numbers.precision));
      chain.forget();
      run_on(queue, chain.op);
      CHECK(distance(chain.y, exact) < (rounds ? 0.02 : 1e-5));
      // A sum that is rounded to bf16 the other way is 2^-8 of it away, times one weight.
      if (rounds) CHECK(distance(chain.y, rounded) < 0.002);
    });
  }
}

TEST_CASE("a slice's convolutions have the same bits alone and in a batch", "[device]") {
  const QueueHandle queue = test_queue(2);
  for (const Numbers& numbers : ratnet_numbers(*queue)) {
    if (numbers.pixels == DType::f32) continue;
    INFO(name_of(numbers.precision));
    // Three that differ, again and again, so that every block of a device takes several: a block's
    // third slice comes round to the memory of its first. The emulated device has two processors,
    // with bf16 of two blocks each.
    const std::int64_t slices = queue->device.kind == DeviceKind::cuda ? 1500
                                : numbers.precision == Precision::bf16 ? 9
                                                                       : 5;
    Random random(33);
    Chain chain = ratnet_chain(numbers, 3, false, random);
    const auto repeated = [&](const Tensor& three) {
      Tensor many(three.shape().with_first(slices), three.dtype());
      const std::size_t bytes = three.bytes() / 3;
      for (std::size_t i = 0; i < static_cast<std::size_t>(slices); ++i)
        std::memcpy(static_cast<char*>(many.data()) + i * bytes,
                    static_cast<const char*>(three.data()) + i % 3 * bytes, bytes);
      return many;
    };
    chain.finish(repeated(chain.x), repeated(chain.scale));
    run_on(queue, chain.op);
    const std::size_t bytes = chain.y.bytes() / static_cast<std::size_t>(slices);
    const auto in_batch = [&](std::size_t i) {
      return static_cast<const char*>(chain.y.data()) + i * bytes;
    };
    for (std::size_t i = 3; i < static_cast<std::size_t>(slices); ++i)
      CHECK(std::memcmp(in_batch(i), in_batch(i % 3), bytes) == 0);
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      Tensor alone(chain.y.shape().with_first(1), DType::f32);
      run_on(queue, sample_of(chain, static_cast<std::int64_t>(i), alone));
      CHECK(std::memcmp(alone.data(), in_batch(i), bytes) == 0);
      CHECK(std::memcmp(alone.data(), in_batch(0), bytes) != 0);
    }

    chain.op.x = chain.op.x.first(0);
    chain.op.scale = chain.op.scale.first(0);
    chain.op.y = chain.op.y.first(0);
    run_on(queue, chain.op);
  }
}

TEST_CASE("what is not a number or infinite comes out of a chain where it belongs", "[device]") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const QueueHandle queue = test_queue(1);
  Random random(34);
  for (const Numbers& numbers : ratnet_numbers(*queue))
    for (const bool positive : {false, true}) {
      if (numbers.pixels == DType::u8) continue;
      Chain chain = ratnet_chain(numbers, 1, true, random);
      const auto x = chain.x.values<float>();
      if (positive) {  // infinity comes through, where else it soon meets 0 or its opposite
        std::fill(x.begin(), x.end(), 0.0f);
        for (Tensor& weight : chain.weights)
          for (float& w : weight.values<float>()) w = std::max(1.0f, std::abs(w));
      }
      x[3 * 64 + 5] = std::numeric_limits<float>::quiet_NaN();
      x[40 * 64 + 63] = std::numeric_limits<float>::infinity();
      x[63 * 64] = -std::numeric_limits<float>::infinity();
      const Doubles expected =
          oracle(chain, numbers.precision == Precision::bf16 ? as_bf16 : as_it_is);
      CHECK(std::count_if(expected.begin(), expected.end(), [](double v) { return v != v; }) > 64);
      CHECK((std::count(expected.begin(), expected.end(), kInfinity) >= 64) == positive);
      for_each_instruction_set([&](const std::string& name) {
        INFO(name << ": " << name_of(numbers.precision) << ", positive weights: " << positive);
        chain.forget();
        run_on(queue, chain.op);
        if (queue->device.kind != DeviceKind::cpu) {
          CHECK(distance(chain.y, expected) == 0);
          return;
        }
        // Winograd's method spoils the whole tile that such a number lies under.
        const auto y = chain.y.values<float>();
        for (std::size_t i = 0; i < expected.size(); ++i)
          if (!std::isfinite(expected[i])) CHECK(!std::isfinite(y[i]));
      });
    }
}

TEST_CASE("any chain of convolutions is its stages one after the other", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& name) {
    Random random(35);
    for (int i = 0; i < 30; ++i) {
      Chain chain = random_chain(random);
      INFO(name << ", case " << i << ": x " << to_string(chain.x.shape()) << ", " << chain.op.count
                << " stages, y " << to_string(chain.y.shape()));
      run_on(queue, chain.op);
      const Doubles expected = oracle(chain);
      CHECK(distance(chain.y, expected) < 2e-5);
      const OpNote note = note_of(queue, chain.op);
      CHECK_FALSE(note.pays);

      // What it asks for is enough, and lent on to the stages.
      const Tensor before = chain.y.clone();
      Buffer lent(queue, note.scratch_bytes);
      queue->scratch = lent.data();
      queue->scratch_bytes = lent.bytes();
      chain.forget();
      run_on(queue, chain.op);
      CHECK(same_bits(chain.y, before));
      CHECK(queue->scratch == lent.data());
      CHECK(queue->scratch_bytes == lent.bytes());
      queue->scratch = nullptr;
      queue->scratch_bytes = 0;
      if (!queue->multiplies_rounded) continue;
      chain.op.precision = i % 2 ? Precision::tf32 : Precision::bf16;
      run_on(queue, chain.op);
      // Small results may be differences of large numbers, which are what is rounded.
      double largest = 1;
      for (const double value : expected) largest = std::max(largest, std::abs(value));
      const Doubles got = doubles(chain.y);
      bool close = true;
      for (std::size_t k = 0; k < got.size(); ++k)
        close &= std::abs(got[k] - expected[k]) < 0.05 * largest;
      CHECK(close);
    }
  });
}

TEST_CASE("a chain says whether it pays, and why not", "[device]") {
  const QueueHandle queue = test_queue(1);
  Random random(36);
  const bool on_gpu = !on_cpu();
  const Precision precision = queue->multiplies_rounded ? Precision::bf16 : Precision::f32;
  const Chain chain = ratnet_chain({DType::u8, precision}, 2, false, random);
  const OpNote taken = note_of(queue, chain.op);
  const std::string algorithm = taken.algorithm;
  INFO(algorithm);
  // Not every GPU has the shared memory; the emulated one does.
  const bool is_small = queue->device.kind == DeviceKind::cuda &&
                        algorithm.find("bytes of shared memory") != std::string::npos;
  CHECK(taken.pays == (on_gpu && !is_small));
  CHECK((algorithm.find("ratnet_convs") == 0) == taken.pays);
  CHECK((taken.scratch_bytes == 0) == taken.pays);

  const auto declined = [&](const ConvChain& op, const std::string& because) {
    const OpNote note = note_of(queue, op);
    INFO(note.algorithm);
    CHECK_FALSE(note.pays);
    CHECK(std::string(note.algorithm).find(on_gpu ? because : "a CPU has no") != std::string::npos);
  };
  ConvChain op = chain.op;
  op.stages[2].activation = Activation::leaky_relu;
  declined(op, "stage 3 is not");
  op = chain.op;
  op.stages[1].pool = {};
  declined(op, "stage 2 is not");
  op = chain.op;
  op.stages[0].window.pad_before[0] = 0;
  declined(op, "stage 1 is not");
  op = chain.op;
  op.count = 2;
  declined(op, "three stages");
  op = chain.op;
  op.x.shape = {2, 64, 32, 1};
  declined(op, "64 x 64");
  op = chain.op;
  op.precision = Precision::tf32;
  declined(op, "tf32");
  op = chain.op;
  op.x.data = static_cast<const char*>(op.x.data) + 8;
  declined(op, "16 bytes");
}

TEST_CASE("a device with little shared memory goes through a chain stage by stage", "[device]") {
  if (test_device().kind != DeviceKind::cuda_emulated) return;
  setenv("RATNET_EMULATION_SHARED_MEMORY", "101376", 1);  // what compute capability 8.6 has
  const QueueHandle queue = test_queue(1);
  unsetenv("RATNET_EMULATION_SHARED_MEMORY");
  Random random(37);
  const Chain chain = ratnet_chain({DType::u8, Precision::f32}, 1, true, random);
  const OpNote note = note_of(queue, chain.op);
  CHECK_FALSE(note.pays);
  CHECK(std::string(note.algorithm).find("shared memory") != std::string::npos);
  run_on(queue, chain.op);
  CHECK(distance(chain.y, oracle(chain)) == 0);
}

TEST_CASE("a chain refuses arguments that do not fit together", "[device]") {
  const QueueHandle queue = test_queue(1);
  const Window window{.rank = 2, .kernel = {3, 3, 1}};
  Tensor x({2, 7, 6, 3}, DType::f32), first({3, 3, 3, 4}, DType::f32), y({2, 3, 2, 5}, DType::f32);
  Tensor second({3, 3, 4, 5}, DType::f32), bias({5}, DType::f32), scale({2}, DType::f32);
  ConvChain good{.x = x, .scale = scale, .count = 2, .y = y};
  good.stages[0] = {.weight = first, .window = window};
  good.stages[1] = {.weight = second, .bias = bias, .window = window};
  CHECK_FALSE(refused(queue, good));

  const auto refuses = [&](auto&& change) {
    ConvChain op = good;
    change(op);
    return refused(queue, op);
  };
  Tensor wide({2, 7, 6, 3}, DType::f64), three({3}, DType::f32), whole({2}, DType::i32);
  Tensor flat({2, 7}, DType::f32), wide_y({2, 3, 2, 5}, DType::f64),
      small({2, 3, 2, 4}, DType::f32);
  CHECK(refuses([&](ConvChain& op) { op.count = 0; }));
  CHECK(refuses([&](ConvChain& op) { op.count = ConvChain::kMostStages + 1; }));
  CHECK(refuses([&](ConvChain& op) { op.count = 3; }));
  CHECK(refuses([&](ConvChain& op) { op.x = wide; }));
  CHECK(refuses([&](ConvChain& op) { op.x = flat; }));
  CHECK(refuses([&](ConvChain& op) { op.x = {}; }));
  CHECK(refuses([&](ConvChain& op) { op.scale = three; }));
  CHECK(refuses([&](ConvChain& op) { op.scale = whole; }));
  CHECK(refuses([&](ConvChain& op) { op.y = wide_y; }));
  CHECK(refuses([&](ConvChain& op) { op.y = small; }));
  CHECK(refuses([&](ConvChain& op) { op.y = {}; }));
  CHECK(refuses([&](ConvChain& op) { op.stages[1].weight = first; }));
  CHECK(refuses([&](ConvChain& op) { op.stages[1].bias = three; }));
  CHECK(refuses([&](ConvChain& op) { op.stages[0].window.kernel[0] = 8; }));
  CHECK(refuses([&](ConvChain& op) {
    op.stages[0].activation = Activation::leaky_relu;
    op.stages[0].slope = -1;
  }));
  CHECK(refuses([&](ConvChain& op) { op.stages[1].pool = {.rank = 2, .kernel = {2, 2, 1}}; }));
  good.stages[1].weight = first;
  std::string said;
  try {
    good.check();
  } catch (const Error& error) {
    said = error.what();
  }
  CHECK(said.find("conv_chain: stage 2: ") == 0);
}
