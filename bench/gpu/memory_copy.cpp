// The device's own memory: a copy by a kernel of ours, what it reads and writes counted.
#include "../../kernels/pointwise.h"
#include "filled.h"
#include "kernel.h"

namespace ratnet::inline v1 {

void add_memory_copy(Measurements& all, const Subject& subject) {
  all.push_back({"memory/copy", [&subject] {
                   const std::int64_t numbers = subject.quick ? 1024 : std::int64_t{256} << 20;
                   struct Tensors {
                     DeviceTensor x, y;
                   };
                   const auto t = std::make_shared<Tensors>(
                       Tensors{{subject.queue, {numbers}}, {subject.queue, {numbers}}});
                   return kernel(subject, t, Convert{.x = t->x, .y = t->y},
                                 {.bytes = t->x.bytes() + t->y.bytes()});
                 }});
}

}  // namespace ratnet::inline v1
