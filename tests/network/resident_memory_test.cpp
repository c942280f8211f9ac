// What a plan says it takes is what the process grows by.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "../../kernels/cpu/cpu_queue.h"
#include "../../network/plan.h"
#include "../catch.h"
#include "../sanitizer.h"

using namespace ratnet;

namespace {

double resident_bytes() {
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double most_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

struct Growth {
  double grown = 0, said = 0;
};

// Of a training step on a few large convolutions.
Growth train(bool recompute) {
  GraphBuilder b;
  int last = b.input("x", {256, 256, 8});
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i);
    last = b.add("conv" + n, layers::Conv{.out = 8, .kernel = {3, 3}}, {last});
    last = b.add("norm" + n, layers::BatchNorm{}, {last});
    last = b.add("tanh" + n, layers::Tanh{}, {last});
  }
  last = b.add("mean", layers::AvgPool{.kernel = {8, 8}}, {last});
  const Graph graph = b.build({last});
  const auto parameters = std::make_shared<Parameters>(open_cpu(2), Weights::initialised(graph, 1));
  const double before = resident_bytes();
  Plan plan(graph, parameters, {.batch = 8, .mode = Mode::train, .recompute = recompute});
  plan.forward(8);
  plan.backward(8);
  const Plan::Memory memory = plan.memory();
  return {most_resident_bytes() - before, static_cast<double>(memory.beside_parameters())};
}

// In a process of its own, whose memory nobody has used before.
Growth train_in_child(bool recompute) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Growth growth;
    try {
      growth = train(recompute);
    } catch (...) {
      growth = {};
    }
    const bool whole = write(ends[1], &growth, sizeof growth) == sizeof growth;
    _exit(whole ? 0 : 1);
  }
  close(ends[1]);
  Growth growth;
  const auto got = read(ends[0], &growth, sizeof growth);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(got == sizeof growth);
  REQUIRE(status == 0);
  return growth;
}

}  // namespace

TEST_CASE("a process grows by what its plan says") {
  if (has_sanitizer_memory()) {
    WARN("skipped: a sanitizer has memory of its own");
    return;
  }
  for (const bool recompute : {false, true}) {
    const Growth growth = train_in_child(recompute);
    INFO(growth.grown / (1 << 20) << " MiB, said " << growth.said / (1 << 20));
    REQUIRE(growth.said > 100e6);
    CHECK(growth.grown > 0.95 * growth.said);
    CHECK(growth.grown < 1.05 * growth.said);
  }
}
