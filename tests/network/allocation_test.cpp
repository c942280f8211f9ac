// A run of a plan allocates nothing. Replaces the C library's allocation functions (which operator
// new, Eigen and aligned memory all end in) for this test program.
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "../../apps/dark_slices/ratnet.h"
#include "../../kernels/cpu/cpu_queue.h"
#include "../../train/optimiser.h"
#include "../catch.h"
#include "allocation_watch.h"
#include "plan_runs.h"

#if defined(__has_feature)
#define RATNET_CLANG_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define RATNET_CLANG_SANITIZER 0
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !RATNET_CLANG_SANITIZER
#define RATNET_WATCH 1
#else
#define RATNET_WATCH 0
#endif

namespace {

std::atomic<bool> watching{false};
std::atomic<std::size_t> count{0}, largest{0};

[[maybe_unused]] void note(std::size_t bytes) {
  if (!watching.load(std::memory_order_relaxed)) return;
  count.fetch_add(1, std::memory_order_relaxed);
  std::size_t before = largest.load(std::memory_order_relaxed);
  while (bytes > before && !largest.compare_exchange_weak(before, bytes)) continue;
}

}  // namespace

#if RATNET_WATCH
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) noexcept {
  note(bytes);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  note(n * bytes);
  return __libc_calloc(n, bytes);
}
void* realloc(void* memory, std::size_t bytes) noexcept {
  note(bytes);
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  note(bytes);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  note(bytes);
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}
}
#endif

namespace ratnet::testing {

bool can_watch_allocations() { return RATNET_WATCH; }

void watch_allocations() {
  count = largest = 0;
  watching = true;
}

Allocations end_watching() {
  watching = false;
  return {count, largest};
}

}  // namespace ratnet::testing

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("the watch sees allocations") {
  if (!can_watch_allocations()) {
    WARN("skipped: a sanitizer has a heap of its own");
    return;
  }
  watch_allocations();
  const Tensor tensor({1000}, DType::f32);
  const auto text = std::make_unique<std::string>(100, 'x');
  const Allocations seen = end_watching();
  CHECK(seen.count == 3);
  CHECK(seen.largest >= 4000);
}

TEST_CASE("a run of a plan allocates nothing") {
  if (!can_watch_allocations()) {
    WARN("skipped: a sanitizer has a heap of its own");
    return;
  }
  GraphBuilder builder;
  const int x = builder.input("x", {12, 10, 8, 2});
  int last = builder.add("conv", layers::Conv{.out = 3, .kernel = {3, 3, 3}}, {x});
  const int skip = last;
  last = builder.add("leaky", layers::LeakyRelu{}, {last});
  last = builder.add("sum", layers::Add{}, {last, skip});
  last = builder.add("up", layers::ConvTranspose{.out = 2, .kernel = {2}, .stride = {2}}, {last});
  last = builder.add("max", layers::MaxPool{.kernel = {3}, .stride = {2}}, {last});
  last = builder.add("mean", layers::AvgPool{.kernel = {2}}, {last});
  last = builder.add("dropout", layers::Dropout{}, {last});
  last = builder.add("flat", layers::Flatten{}, {last});
  last = builder.add("dense", layers::Dense{.out = 4}, {last});
  last = builder.add("softmax", layers::Softmax{}, {last});
  const Graph all_layers = builder.build({last});
  // Whose gradients are added up; a longer name than a string holds without memory.
  const std::string name = "a layer whose weights another has too";
  GraphBuilder twice;
  last = twice.add(name, layers::Dense{.out = 6}, {twice.input("x", {6})});
  const Graph shared = twice.build({twice.add("again", layers::Dense{.out = 6}, {last}, name)});

  for (const DType dtype : {DType::f32, DType::f64})
    for (const int threads : {1, 3})
      for (const Graph& graph : {ratnet_graph(), all_layers, shared})
        for (const bool fuse : {true, false}) {
          // In f64 Eigen multiplies large matrices, with memory of its own.
          if (dtype == DType::f64 && graph.nodes().size() > 11) continue;
          INFO(name_of(dtype) << ", " << threads << " threads, " << graph.nodes().size()
                              << " nodes, fused: " << fuse);
          const auto parameters = std::make_shared<Parameters>(
              open_cpu(threads), Weights::initialised(graph, 1, dtype));
          Plan infer(graph, parameters, {.batch = 5, .fuse = fuse});
          Plan train(graph, parameters,
                     {.batch = 5, .mode = Mode::train, .fuse = fuse, .input_gradients = true});
          Optimiser optimiser(parameters, {.clip_norm = 1});
          Tensor in(infer.input(0, 3).shape, dtype), out(infer.output(0, 3).shape, dtype);

          watch_allocations();
          for (const std::int64_t n : {5, 3, 1}) {
            infer.forward(n);
            train.set_random({1, 2});
            train.forward(n);
            (void)train.output_gradient(0, n);
            train.backward(n);
            optimiser.step(train.gradients(), 1e-3);
          }
          const ConstView inputs[] = {in};
          const View outputs[] = {out};
          infer.run(inputs, outputs);
          const Allocations seen = end_watching();
          CHECK(seen.count == 0);
          CHECK(seen.largest == 0);
        }
}
