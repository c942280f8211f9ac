// The dense products of kernels_bench.cpp by Eigen with AVX2 and FMA, to set beside dense_forward,
// dense_backward_data and dense_backward_weights; those use the best that the processor has, which
// ratnet_bench names in its first lines.
#if defined(__AVX2__) && defined(__FMA__)

// Under another name: the library's Eigen is compiled for any processor, and a linker keeps one of
// two functions of the same name.
#define Eigen eigen_avx2
#include <Eigen/Core>

#include <benchmark/benchmark.h>

namespace {

using Matrix =
    eigen_avx2::Matrix<float, eigen_avx2::Dynamic, eigen_avx2::Dynamic, eigen_avx2::RowMajor>;

constexpr std::int64_t kBatch = 32;

// Arguments: numbers in and out of a sample.
struct Product {
  Matrix x, weight, y;
  explicit Product(const benchmark::State& state)
      : x(Matrix::Random(kBatch, state.range(0))),
        weight(Matrix::Random(state.range(0), state.range(1))),
        y(Matrix::Random(kBatch, state.range(1))) {}
};

template <class Run>
void repeat(benchmark::State& state, const Run& run) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    state.SkipWithError("this processor has no AVX2");
    return;
  }
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const auto flop = 2.0 * static_cast<double>(kBatch * state.range(0) * state.range(1));
  state.counters["GFLOP/s"] =
      benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void eigen_dense_forward(benchmark::State& state) {
  Product p(state);
  repeat(state, [&] { p.y.noalias() = p.x * p.weight; });
}

void eigen_dense_backward_data(benchmark::State& state) {
  Product p(state);
  repeat(state, [&] { p.x.noalias() = p.y * p.weight.transpose(); });
}

void eigen_dense_backward_weights(benchmark::State& state) {
  Product p(state);
  repeat(state, [&] { p.weight.noalias() = p.x.transpose() * p.y; });
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out"})->Args({2048, 128})->Args({128, 2})->Args({3456, 1300});
}
BENCHMARK(eigen_dense_forward)->Apply(sizes);
BENCHMARK(eigen_dense_backward_data)->Apply(sizes);
BENCHMARK(eigen_dense_backward_weights)->Apply(sizes);

}  // namespace

#endif
