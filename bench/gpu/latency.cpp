// How long one slice takes from the host's memory to the result there.
#include <algorithm>
#include <chrono>

#include "../../network/plan.h"
#include "filled.h"
#include "measurement.h"

namespace ratnet::inline v1 {
namespace {

struct One {
  Plan plan;
  HostBuffer slice, result;

  One(const Subject& subject, Precision precision)
      : plan(subject.model.graph,
             std::make_shared<Parameters>(subject.queue, subject.model.weights),
             {.batch = 1, .precision = precision, .input_type = DType::u8}),
        slice(subject.queue, plan.input(0, 1).bytes()),
        result(subject.queue, plan.output(0, 1).bytes()) {
    fill_host(slice.data(), slice.bytes(), DType::u8);
  }

  void run() {
    const ConstView inputs[] = {{slice.data(), DType::u8, plan.input(0, 1).shape}};
    const View outputs[] = {{result.data(), DType::f32, plan.output(0, 1).shape}};
    plan.run(inputs, outputs);
  }
};

Prepared prepare(const Subject& subject, Precision precision) {
  const auto one = std::make_shared<One>(subject, precision);
  const std::size_t warm_ups = subject.quick ? 1 : 100;
  const std::size_t calls = subject.quick ? 1 : 2000;
  for (std::size_t i = 0; i < warm_ups; ++i) one->run();
  return {.round = [one, calls] {
    std::vector<double> us;
    for (std::size_t i = 0; i < calls; ++i) {
      const auto start = std::chrono::steady_clock::now();
      one->run();
      us.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
              .count());
    }
    std::sort(us.begin(), us.end());
    return Values{{"us", us[calls / 2]}, {"us_95th_percentile", us[calls * 95 / 100]}};
  }};
}

}  // namespace

void add_latency(Measurements& all, const Subject& subject) {
  for (const Precision precision : kPrecisions)
    all.push_back({text("latency/", name_of(precision), "/u8"),
                   [&subject, precision] { return prepare(subject, precision); }});
}

}  // namespace ratnet::inline v1
