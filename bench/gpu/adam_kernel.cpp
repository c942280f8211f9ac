// The optimiser's pass over all of RatNet's parameters.
#include "../../kernels/optimise.h"
#include "../../kernels/pointwise.h"
#include "filled.h"
#include "kernel.h"
#include "ratnet_sizes.h"

namespace ratnet::inline v1 {
namespace {

struct Tensors {
  DeviceTensor weight, gradient, first_moment, second_moment;
  Buffer rates;

  explicit Tensors(const QueueHandle& queue)
      : weight(queue, {kParameters}),
        gradient(queue, {kParameters}),
        first_moment(queue, {kParameters}),
        second_moment(queue, {kParameters}),
        rates(queue, 3 * sizeof(double)) {
    second_moment.clear();  // it is never negative
    const auto numbers = adam_rates(1e-9, 0.9, 0.999, 0, 1);
    rates.upload(numbers.data(), rates.bytes());
    wait(*queue);
  }
};

}  // namespace

void add_adam_kernel(Measurements& all, const Subject& subject) {
  all.push_back({"kernel/adam", [&subject] {
                   const auto t = std::make_shared<Tensors>(subject.queue);
                   // Reads four numbers for each parameter and writes three.
                   return kernel(subject, t,
                                 Adam{.weight = t->weight,
                                      .gradient = t->gradient,
                                      .first_moment = t->first_moment,
                                      .second_moment = t->second_moment,
                                      .rates = ConstView(t->rates.data(), DType::f64, {3})},
                                 {.bytes = 7 * t->weight.bytes()});
                 }});
}

}  // namespace ratnet::inline v1
