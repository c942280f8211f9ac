#include "recorded_convolutions.h"

#include <type_traits>

#include "../../kernels/all_ops.h"
#include "../../kernels/open.h"

namespace ratnet::testing {
namespace {

// Where operations are written down; queues have no room for data of others.
std::vector<AnyConvolution>* record = nullptr;

template <class Op>
OpEntry recording_entry() {
  OpEntry entry;
  entry.run = [](Queue&, const void*, char*, std::size_t) {
    return static_cast<Status>(ErrorKind::internal);  // a plan surveys, it runs nothing
  };
  entry.plan = [](Queue&, const void* op, OpNote&, char*, std::size_t) -> Status {
    if constexpr (std::is_constructible_v<AnyConvolution, Op>)
      record->emplace_back(*static_cast<const Op*>(op));
    return 0;
  };
  return entry;
}

template <class... Ops>
const OpEntry* recording_table(OpList<Ops...>) {
  static const OpEntry entries[] = {recording_entry<Ops>()...};
  return entries;
}

}  // namespace

std::vector<AnyConvolution> recorded_convolutions(const Graph& graph, std::int64_t batch,
                                                  Precision precision) {
  const QueueHandle queue =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  queue->entries = recording_table(AllOps{});
  queue->multiplies_rounded = true;
  std::vector<AnyConvolution> convolutions;
  record = &convolutions;
  const auto parameters = std::make_shared<Parameters>(queue, Weights::initialised(graph, 1));
  Plan(graph, parameters,
       {.batch = batch, .mode = Mode::train, .input_gradients = true, .precision = precision});
  record = nullptr;
  return convolutions;
}

}  // namespace ratnet::testing
