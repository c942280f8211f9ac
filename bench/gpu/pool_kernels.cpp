// RatNet's pools as operations of their own, forward and backward.
#include "../../kernels/pool.h"

#include "filled.h"
#include "kernel.h"
#include "ratnet_sizes.h"

namespace ratnet::inline v1 {
namespace {

struct Tensors {
  DeviceTensor x, y, argmax;

  Tensors(const QueueHandle& queue, std::int64_t n, std::int64_t size)
      : x(queue, {n, size, size, kChannels}),
        y(queue, {n, size / 2, size / 2, kChannels}),
        argmax(queue, {n, size / 2, size / 2, kChannels}, DType::u8) {
    argmax.clear();  // which is a tap that the window has
  }
  Cost cost() const { return {.bytes = x.bytes() + y.bytes() + argmax.bytes()}; }
};

}  // namespace

void add_pool_kernels(Measurements& all, const Subject& subject) {
  int number = 0;
  for (const ConvSize& s : kConvSizes) {
    const std::string name = text("pool", ++number);
    const auto add = [&](const char* what, auto make) {
      add_kernels(all, subject, name + what, {Precision::f32},
                  [&subject, s, make](std::int64_t n, Precision) {
                    return make(std::make_shared<Tensors>(subject.queue, n, s.size));
                  });
    };
    using Shared = std::shared_ptr<Tensors>;
    add("_forward", [&subject](const Shared& t) {
      return kernel(subject, t, MaxPool{.x = t->x, .y = t->y, .argmax = t->argmax, .window = kPool},
                    t->cost());
    });
    add("_backward", [&subject](const Shared& t) {
      return kernel(subject, t,
                    MaxPoolBackward{.dy = t->y, .argmax = t->argmax, .dx = t->x, .window = kPool},
                    t->cost());
    });
  }
}

}  // namespace ratnet::inline v1
