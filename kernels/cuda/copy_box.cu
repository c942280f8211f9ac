#include "../copy_box.h"

#include "../box_rows.h"
#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Copied {
  BoxRows box;
  const T* x;
  T* y;
  std::int64_t length;  // of a row that is written
  __device__ void operator()(std::int64_t i) const {
    const int run = box.rank - 1;
    const std::int64_t at = i % length + (box.clear ? 0 : box.to[run]);
    const BoxRows::Row row = box.row(i / length);
    const bool inside = row.inside && at >= box.to[run] && at < box.to[run] + box.size[run];
    y[row.y * box.y[run] + at] =
        inside ? x[row.x * box.x[run] + at - box.to[run] + box.from[run]] : T{0};
  }
};

}  // namespace

void run(CudaQueue& queue, const CopyBox& op) {
  const BoxRows box(op);
  const int run = box.rank - 1;
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.clear ? op.y.count() : op.size.count(),
        Copied<T>{box, op.x.as<T>(), op.y.as<T>(), op.clear ? box.y[run] : box.size[run]});
  });
}

}  // namespace ratnet::inline v1
