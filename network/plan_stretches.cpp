// Inference on a CPU in shares of the batch: neighbouring nodes compute a few samples, then the
// next few, so that what lies between the nodes stays in the cache and needs memory for those few
// only. Samples do not depend on each other there, so the results are the same bits.
#include <algorithm>

#include "plan_state.h"

namespace ratnet::inline v1 {
namespace {

// Nodes whose tensors are smaller than those of their neighbours by more than this factor are
// computed for more samples at a time.
constexpr std::int64_t kMostAlike = 4;

std::int64_t sample_bytes(const Shape& shape, DType dtype) {
  return shape.count() / shape[0] * static_cast<std::int64_t>(size_of(dtype));
}

}  // namespace

// Bytes that a node reads and writes for one sample; of a row in one pass, its last layer.
std::int64_t Plan::State::bytes_per_sample(std::size_t node) const {
  const PlannedNode& c = nodes[node];
  std::int64_t bytes = sample_bytes(c.shapes.output, parameters->dtype());
  for (const int input : c.node->inputs)
    bytes += sample_bytes(at(input).shapes.output, parameters->dtype());
  return bytes;
}

// Cuts the nodes into stretches.
void Plan::State::find_stretches() {
  stretches = {{0, nodes.size(), options.batch}};
  const auto close = static_cast<std::int64_t>(queue().close_bytes);
  if (training() || close == 0 || chain_end >= 0 || !options.keep_prepared || options.batch == 1 ||
      options.samples_at_once >= options.batch)
    return;
  stretches.clear();
  std::int64_t largest = 0;  // bytes per sample, of the nodes of the last stretch
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].absorbed) {
      stretches.back().last = i + 1;
      continue;
    }
    std::int64_t weights = 0;
    for (const WeightSpec& spec : nodes[i].shapes.weights)
      weights += spec.shape.count() * static_cast<std::int64_t>(size_of(parameters->dtype()));
    const std::int64_t bytes = bytes_per_sample(i);
    // The caller writes inputs for the whole batch; large weights should be read once for it.
    const bool whole =
        is_input(nodes[i]) || (options.samples_at_once == 0 && weights > std::max(bytes, close));
    const bool alike = kMostAlike * bytes >= largest && kMostAlike * largest >= bytes;
    const bool goes_on = !stretches.empty() && !whole && largest > 0 &&
                         (alike || options.samples_at_once > 0 || nodes[i].shapes.same_memory);
    if (!goes_on) {
      stretches.push_back({i, i, options.batch});
      largest = 0;
    }
    Stretch& stretch = stretches.back();
    stretch.last = i + 1;
    if (whole) continue;
    largest = std::max(largest, bytes);
    stretch.samples = options.samples_at_once > 0
                          ? options.samples_at_once
                          : std::clamp<std::int64_t>(close / largest, 1, options.batch);
  }
}

// Lets values that nobody reads outside of their stretch be as large as its shares only, and all
// others hold for as long as a stretch comes back to them.
void Plan::State::place_stretches() {
  constexpr int kNone = -1, kSeveral = -2;
  std::vector<int> owners(slots.size(), kNone);
  const auto touch = [&](int value, std::size_t stretch) {
    int& owner = owners[static_cast<std::size_t>(value)];
    const int here = static_cast<int>(stretch);
    owner = owner == kNone || owner == here ? here : kSeveral;
  };
  const auto keep = [&](int node) {
    owners[static_cast<std::size_t>(at(node).forward.value)] = kSeveral;
  };
  const auto for_values = [&](const auto& body) {
    for (std::size_t s = 0; s < stretches.size(); ++s)
      for (std::size_t i = stretches[s].first; i < stretches[s].last; ++i) {
        body(nodes[i].forward.value, s);
        for (const int input : nodes[i].reads) body(at(input).forward.value, s);
      }
  };
  for_values(touch);
  for (const int input : graph.inputs()) keep(input);
  for (const int output : graph.outputs()) keep(output);
  for (const std::string& name : options.watch) keep(graph.find(name));
  for_values([&](int value, std::size_t s) {
    PlannedTensor& tensor = slot(value);
    const Stretch& stretch = stretches[s];
    if (!tensor.used() || stretch.samples >= options.batch) return;
    if (owners[static_cast<std::size_t>(value)] == kSeveral) {
      tensor.need(forward_step(stretch.first));
      tensor.need(forward_step(stretch.last - 1));
    } else {
      tensor.samples = stretch.samples;
    }
  });
}

// Lets the views of a stretch's nodes show n samples from `first` on.
void Plan::State::set_share(const Stretch& stretch, std::int64_t first, std::int64_t n) {
  const auto show = [&](auto& view, int value) {
    const PlannedTensor& tensor = slot(value);
    view.shape[0] = n;
    const std::int64_t skipped =
        tensor.samples > 0 ? 0 : first * sample_bytes(view.shape, view.dtype);
    view.data = static_cast<char*>(tensor.view.data) + skipped;
  };
  for (std::size_t i = stretch.first; i < stretch.last; ++i) {
    PlannedNode& c = nodes[i];
    if (c.absorbed) continue;
    show(c.forward.output, c.forward.value);
    for (std::size_t k = 0; k < c.forward.inputs.size(); ++k)
      show(c.forward.inputs[k], at(c.reads[k]).forward.value);
  }
}

void Plan::State::run_stretches(std::int64_t n, const std::function<void(std::size_t)>& done) {
  set_batch_to(n);
  for (const Stretch& stretch : stretches) {
    const bool whole = stretch.samples >= options.batch;
    const std::int64_t shares = whole ? 1 : (n + stretch.samples - 1) / stretch.samples;
    for (std::int64_t share = 0; share < shares; ++share) {
      const std::int64_t first = n * share / shares;
      if (!whole) set_share(stretch, first, n * (share + 1) / shares - first);
      for (std::size_t i = stretch.first; i < stretch.last; ++i) {
        run(schedule[i]);
        if (done) done(i);
      }
    }
    if (!whole) set_share(stretch, 0, n);
  }
}

}  // namespace ratnet::inline v1
