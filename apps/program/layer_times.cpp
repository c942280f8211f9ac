#include "layer_times.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "../../core/quantile.h"

namespace ratnet::inline v1 {
namespace {

using Clock = std::chrono::steady_clock;

// By node: what its operations are computed by; "" where it has none.
std::vector<std::string> algorithms_of(const Plan& plan) {
  std::vector<std::string> found(plan.graph().nodes().size());
  for (const Plan::Step& step : plan.steps()) {
    if (step.backward) continue;
    std::string& words = found[static_cast<std::size_t>(plan.graph().find(step.node))];
    words +=
        (words.empty() ? "" : " + ") + (step.algorithm.empty() ? step.operation : step.algorithm);
  }
  return found;
}

// By node, what it computes and moves; one that computes several moves nothing between these.
std::vector<LayerWork> works_of(const Plan& plan, std::int64_t batch) {
  const DType dtype = plan.output(0, 1).dtype;
  std::vector<LayerWork> works = layer_work(plan.graph(), batch, dtype, plan.input(0, 1).dtype);
  const std::vector<LayerShapes> shapes = plan.graph().infer(batch, false);
  for (const Plan::Step& step : plan.steps()) {
    const auto last = static_cast<std::size_t>(plan.graph().find(step.node));
    for (const std::string& name : step.nodes) {
      const auto node = static_cast<std::size_t>(plan.graph().find(name));
      if (node == last || shapes[node].same_memory) continue;
      works[last].flops += works[node].flops;
      works[last].bytes +=
          works[node].bytes - 2 * static_cast<double>(shapes[node].output.count()) *
                                  static_cast<double>(size_of(dtype));
    }
  }
  return works;
}

}  // namespace

double LayerTimes::sum() const {
  double seconds = 0;
  for (const LayerTime& layer : layers) seconds += layer.seconds;
  return seconds;
}

double LayerTimes::flops() const {
  double flops = 0;
  for (const LayerTime& layer : layers) flops += layer.work.flops;
  return flops;
}

LayerTimes time_layers(Plan& plan, std::int64_t batch, int rounds) {
  require(rounds >= 1, "layers are timed in 1 round or more, not ", rounds);
  LayerTimes times{.layers = {}, .peaks = measure_peaks(plan.queue())};
  const std::size_t count = plan.graph().nodes().size();
  // A run gives the inputs' memory to later values.
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < plan.graph().inputs().size(); ++i)
    inputs.push_back(Tensor::copy_of(plan.input(i, batch)));
  const auto write_inputs = [&] {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      std::memcpy(plan.input(i, batch).data, inputs[i].view().data, inputs[i].view().bytes());
  };
  std::vector<std::vector<double>> seconds(count);
  std::vector<double> whole;
  for (int round = 0; round <= rounds; ++round) {
    write_inputs();
    Clock::time_point last = Clock::now();
    const auto lap = [&] {
      const Clock::time_point now = Clock::now();
      return std::chrono::duration<double>(now - std::exchange(last, now)).count();
    };
    std::vector<double> passed_in(count);
    plan.forward(batch, [&](std::size_t node) { passed_in[node] += lap(); });
    for (std::size_t node = 0; round > 0 && node < count; ++node)
      seconds[node].push_back(passed_in[node]);
    write_inputs();
    lap();
    plan.forward(batch);
    const double passed = lap();
    if (round > 0) whole.push_back(passed);
  }
  times.pass_seconds = quantile(whole, 0.5);
  // Once more, lest the machine was busy with something else then.
  const MachinePeaks again = measure_peaks(plan.queue());
  for (double MachinePeaks::*peak : {&MachinePeaks::flops_per_s, &MachinePeaks::memory_bytes_per_s,
                                     &MachinePeaks::cache_bytes_per_s})
    times.peaks.*peak = std::max(times.peaks.*peak, again.*peak);

  const std::vector<LayerWork> works = works_of(plan, batch);
  const std::vector<std::string> algorithms = algorithms_of(plan);
  for (std::size_t i = 0; i < count; ++i) {
    if (algorithms[i].empty()) continue;
    const Node& node = plan.graph().nodes()[i];
    const double least = *std::min_element(seconds[i].begin(), seconds[i].end());
    const double most = *std::max_element(seconds[i].begin(), seconds[i].end());
    times.layers.push_back({.name = node.name,
                            .kind = kind_of(node.layer),
                            .algorithm = algorithms[i],
                            .work = works[i],
                            .seconds = quantile(seconds[i], 0.5),
                            .least = least,
                            .most = most});
  }
  return times;
}

}  // namespace ratnet::inline v1
