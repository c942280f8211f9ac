// RatNet's dense layers, forward and backward.
#include "../../kernels/dense.h"

#include "filled.h"
#include "kernel.h"
#include "ratnet_sizes.h"

namespace ratnet::inline v1 {
namespace {

struct Tensors {
  DeviceTensor x, weight, bias, y;

  Tensors(const QueueHandle& queue, std::int64_t n, const DenseSize& s)
      : x(queue, {n, s.in}),
        weight(queue, {s.in, s.out}),
        bias(queue, {s.out}),
        y(queue, {n, s.out}) {}

  double most_bytes() const { return x.bytes() + weight.bytes() + bias.bytes() + y.bytes(); }
};

}  // namespace

void add_dense_kernels(Measurements& all, const Subject& subject) {
  for (const DenseSize& s : kDenseSizes) {
    const auto add = [&](const char* what, auto make) {
      add_kernels(all, subject, text(s.name, "_", what), all_precisions(),
                  [&subject, s, make](std::int64_t n, Precision precision) {
                    const auto t = std::make_shared<Tensors>(subject.queue, n, s);
                    const Cost cost{2.0 * static_cast<double>(n * s.in * s.out), t->most_bytes(),
                                    precision};
                    return make(t, cost);
                  });
    };
    using Shared = std::shared_ptr<Tensors>;
    add("forward", [&subject](const Shared& t, const Cost& cost) {
      return kernel(subject, t,
                    Dense{.x = t->x,
                          .weight = t->weight,
                          .bias = t->bias,
                          .y = t->y,
                          .precision = cost.precision},
                    cost);
    });
    add("backward_data", [&subject](const Shared& t, Cost cost) {
      cost.bytes -= t->bias.bytes();
      return kernel(subject, t,
                    DenseBackwardData{
                        .dy = t->y, .weight = t->weight, .dx = t->x, .precision = cost.precision},
                    cost);
    });
    add("backward_weights", [&subject](const Shared& t, const Cost& cost) {
      return kernel(subject, t,
                    DenseBackwardWeights{.x = t->x,
                                         .dy = t->y,
                                         .dweight = t->weight,
                                         .dbias = t->bias,
                                         .precision = cost.precision},
                    cost);
    });
  }
}

}  // namespace ratnet::inline v1
