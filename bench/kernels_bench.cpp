// The kernels of RatNet's training step, one by one, at its sizes and others, a batch of 32, on one
// thread.
#include <benchmark/benchmark.h>

#include "../kernels/conv.h"
#include "../kernels/dense.h"
#include "../kernels/optimise.h"
#include "../kernels/pool.h"
#include "../kernels/submit.h"
#include "setting.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kBatch = 32;
const Window kThree{.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}};
const Window kPool{.rank = 2, .kernel = {2, 2}, .stride = {2, 2}};

// Runs the operation again and again. work: floating-point operations, or bytes, of one run.
template <class Op>
void repeat(benchmark::State& state, const Op& op, const char* unit, double work) {
  const QueueHandle queue = bench_queue();
  for (auto _ : state) {
    submit(*queue, op);
    benchmark::ClobberMemory();
  }
  state.counters[unit] =
      benchmark::Counter(work * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

// Arguments: size of the image, channels in; as many out, or 32 of 1.
struct ConvCase {
  std::int64_t size, in, out;
  Tensor x = bench_tensor({kBatch, size, size, in});
  Tensor weight = bench_tensor({3, 3, in, out});
  Tensor bias = bench_tensor({out});
  Tensor y = bench_tensor({kBatch, size, size, out});

  explicit ConvCase(const benchmark::State& state)
      : size(state.range(0)), in(state.range(1)), out(in == 1 ? 32 : in) {}
  double flop() const { return 2.0 * 9 * static_cast<double>(y.count() * in); }
};

void conv_forward(benchmark::State& state) {
  ConvCase c(state);
  repeat(state, Conv{.x = c.x, .weight = c.weight, .bias = c.bias, .y = c.y, .window = kThree},
         "GFLOP/s", c.flop());
}

void conv_relu_pool(benchmark::State& state) {
  ConvCase c(state);
  Tensor pooled({kBatch, c.size / 2, c.size / 2, c.out}, DType::f32);
  Tensor argmax(pooled.shape(), DType::u8);
  const bool training = state.range(2) != 0;
  repeat(state,
         Conv{.x = c.x,
              .weight = c.weight,
              .bias = c.bias,
              .y = pooled,
              .argmax = training ? argmax.view() : View{},
              .window = kThree,
              .activation = Activation::relu,
              .pool = kPool},
         "GFLOP/s", c.flop());
}

void conv_backward_data(benchmark::State& state) {
  ConvCase c(state);
  repeat(state, ConvBackwardData{.dy = c.y, .weight = c.weight, .dx = c.x, .window = kThree},
         "GFLOP/s", c.flop());
}

void conv_backward_weights(benchmark::State& state) {
  ConvCase c(state);
  repeat(state,
         ConvBackwardWeights{
             .x = c.x, .dy = c.y, .dweight = c.weight, .dbias = c.bias, .window = kThree},
         "GFLOP/s", c.flop());
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"size", "in"})->Args({64, 1})->Args({32, 32})->Args({16, 32});
  // Levels of a U-Net.
  b->Args({64, 8})->Args({64, 16})->Args({16, 64})->Args({8, 128});
}
void fused_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"size", "in", "argmax"});
  for (const int argmax : {0, 1})
    b->Args({64, 1, argmax})->Args({32, 32, argmax})->Args({16, 32, argmax});
}
BENCHMARK(conv_forward)->Apply(sizes);
BENCHMARK(conv_relu_pool)->Apply(fused_sizes);
BENCHMARK(conv_backward_data)->Apply(sizes);
BENCHMARK(conv_backward_weights)->Apply(sizes);

// Arguments: size of the kernel, channels in, channels out: the last layers of an autoencoder and a
// U-Net. The gradient of x is that of the same layer turned round, from many channels to few.
struct FewCase {
  std::int64_t kernel, in, out;
  Window window{.rank = 2,
                .kernel = {kernel, kernel},
                .pad_before = {kernel / 2, kernel / 2},
                .pad_after = {kernel / 2, kernel / 2}};
  Tensor x = bench_tensor({kBatch, 64, 64, in});
  Tensor weight = bench_tensor({kernel, kernel, in, out});
  Tensor turned = bench_tensor({kernel, kernel, out, in});
  Tensor bias = bench_tensor({out});
  Tensor y = bench_tensor({kBatch, 64, 64, out});

  explicit FewCase(const benchmark::State& state)
      : kernel(state.range(0)), in(state.range(1)), out(state.range(2)) {}
  double flop() const { return 2.0 * static_cast<double>(kernel * kernel * y.count() * in); }
};

void conv_few_forward(benchmark::State& state) {
  FewCase c(state);
  repeat(state, Conv{.x = c.x, .weight = c.weight, .bias = c.bias, .y = c.y, .window = c.window},
         "GFLOP/s", c.flop());
}

void conv_few_backward_data(benchmark::State& state) {
  FewCase c(state);
  repeat(state, ConvBackwardData{.dy = c.x, .weight = c.turned, .dx = c.y, .window = c.window},
         "GFLOP/s", c.flop());
}

void conv_few_backward_weights(benchmark::State& state) {
  FewCase c(state);
  repeat(state,
         ConvBackwardWeights{
             .x = c.x, .dy = c.y, .dweight = c.weight, .dbias = c.bias, .window = c.window},
         "GFLOP/s", c.flop());
}

void few_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"kernel", "in", "out"});
  for (const int out : {1, 2, 3, 4})
    for (const int in : {8, 16, 32})
      for (const int kernel : {1, 3}) b->Args({kernel, in, out});
}
BENCHMARK(conv_few_forward)->Apply(few_sizes);
BENCHMARK(conv_few_backward_data)->Apply(few_sizes);
BENCHMARK(conv_few_backward_weights)->Apply(few_sizes);

// Arguments: size of the kernel, channels in; twice as many out, or 32 of 1. Stride 2 from 64x64
// pixels to 32x32, as between levels of a U-Net; the gradient of x is the forward pass of a
// transposed convolution.
struct StridedCase {
  std::int64_t kernel, in, out;
  Window window{.rank = 2,
                .kernel = {kernel, kernel},
                .stride = {2, 2},
                .pad_before = {(kernel - 1) / 2, (kernel - 1) / 2},
                .pad_after = {(kernel - 1) / 2, (kernel - 1) / 2}};
  Tensor x = bench_tensor({kBatch, 64, 64, in});
  Tensor weight = bench_tensor({kernel, kernel, in, out});
  Tensor bias = bench_tensor({out});
  Tensor y = bench_tensor({kBatch, 32, 32, out});

  explicit StridedCase(const benchmark::State& state)
      : kernel(state.range(0)), in(state.range(1)), out(in == 1 ? 32 : 2 * in) {}
  double flop() const { return 2.0 * static_cast<double>(kernel * kernel * y.count() * in); }
};

void conv_strided_forward(benchmark::State& state) {
  StridedCase c(state);
  repeat(state, Conv{.x = c.x, .weight = c.weight, .bias = c.bias, .y = c.y, .window = c.window},
         "GFLOP/s", c.flop());
}

void conv_strided_backward_data(benchmark::State& state) {
  StridedCase c(state);
  repeat(state, ConvBackwardData{.dy = c.y, .weight = c.weight, .dx = c.x, .window = c.window},
         "GFLOP/s", c.flop());
}

void conv_strided_backward_weights(benchmark::State& state) {
  StridedCase c(state);
  repeat(state,
         ConvBackwardWeights{
             .x = c.x, .dy = c.y, .dweight = c.weight, .dbias = c.bias, .window = c.window},
         "GFLOP/s", c.flop());
}

void strided_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"kernel", "in"});
  for (const int in : {1, 8, 32})
    for (const int kernel : {2, 3, 5}) b->Args({kernel, in});
}
BENCHMARK(conv_strided_forward)->Apply(strided_sizes);
BENCHMARK(conv_strided_backward_data)->Apply(strided_sizes);
BENCHMARK(conv_strided_backward_weights)->Apply(strided_sizes);

// Arguments: size of the image before pooling; 32 channels.
struct PoolCase {
  Tensor x, y, argmax;
  explicit PoolCase(std::int64_t size)
      : x(bench_tensor({kBatch, size, size, 32})),
        y(bench_tensor({kBatch, size / 2, size / 2, 32})),
        argmax(y.shape(), DType::u8) {}
  double bytes() const { return static_cast<double>(x.bytes() + y.bytes() + argmax.bytes()); }
};

void max_pool(benchmark::State& state) {
  PoolCase c(state.range(0));
  repeat(state, MaxPool{.x = c.x, .y = c.y, .argmax = c.argmax, .window = kPool}, "GB/s",
         c.bytes());
}

void max_pool_backward(benchmark::State& state) {
  PoolCase c(state.range(0));
  repeat(state, MaxPoolBackward{.dy = c.y, .argmax = c.argmax, .dx = c.x, .window = kPool}, "GB/s",
         c.bytes());
}
BENCHMARK(max_pool)->ArgName("size")->Arg(64)->Arg(32)->Arg(16);
BENCHMARK(max_pool_backward)->ArgName("size")->Arg(64)->Arg(32)->Arg(16);

// Arguments: numbers in and out of a sample.
struct DenseCase {
  std::int64_t in, out;
  Tensor x = bench_tensor({kBatch, in});
  Tensor weight = bench_tensor({in, out});
  Tensor bias = bench_tensor({out});
  Tensor y = bench_tensor({kBatch, out});

  explicit DenseCase(const benchmark::State& state) : in(state.range(0)), out(state.range(1)) {}
  double flop() const { return 2.0 * static_cast<double>(kBatch * in * out); }
};

void dense_forward(benchmark::State& state) {
  DenseCase c(state);
  repeat(state, Dense{.x = c.x, .weight = c.weight, .bias = c.bias, .y = c.y}, "GFLOP/s", c.flop());
}

void dense_backward_data(benchmark::State& state) {
  DenseCase c(state);
  repeat(state, DenseBackwardData{.dy = c.y, .weight = c.weight, .dx = c.x}, "GFLOP/s", c.flop());
}

void dense_backward_weights(benchmark::State& state) {
  DenseCase c(state);
  repeat(state, DenseBackwardWeights{.x = c.x, .dy = c.y, .dweight = c.weight, .dbias = c.bias},
         "GFLOP/s", c.flop());
}

void dense_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out"})->Args({2048, 128})->Args({128, 2});
  b->Args({3456, 1300});  // the largest of Conv5_FC3
}
BENCHMARK(dense_forward)->Apply(dense_sizes);
BENCHMARK(dense_backward_data)->Apply(dense_sizes);
BENCHMARK(dense_backward_weights)->Apply(dense_sizes);

// Argument: how many parameters; RatNet has 281,346.
void adam(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  Tensor weight = bench_tensor({n});
  Tensor gradient = bench_tensor({n});
  Tensor first({n}, DType::f32);
  Tensor second({n}, DType::f32);
  const auto numbers = adam_rates(1e-9, 0.9, 0.999, 0, 1);
  const Tensor rates = Tensor::of<double>({3}, numbers);
  // Reads four numbers for each parameter and writes three.
  repeat(state,
         Adam{.weight = weight,
              .gradient = gradient,
              .first_moment = first,
              .second_moment = second,
              .rates = rates},
         "GB/s", 7.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(adam)->Arg(281'346);

}  // namespace
}  // namespace ratnet::inline v1
