#include "../copy_box.h"

#include <algorithm>

#include "../box_rows.h"
#include "cpu_queue.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
void copy_rows(const CopyBox& op, const BoxRows& box, std::int64_t first, std::int64_t last) {
  const int run = box.rank - 1;
  const std::int64_t size = box.size[run], to = box.to[run];
  for (std::int64_t i = first, n = 0; i < last; i += n) {
    const BoxRows::Row row = box.row(i);
    n = std::min(box.neighbours(i), last - i);
    T* y = op.y.as<T>() + row.y * box.y[run];
    T* const end = y + box.y[run];
    if (!row.inside) {
      std::fill(y, end, T{0});
      continue;
    }
    if (box.clear) {
      std::fill(y, y + to, T{0});
      std::fill(y + to + size, end, T{0});
    }
    const T* x = op.x.as<T>() + row.x * box.x[run] + box.from[run];
    for (std::int64_t k = 0; k < n; ++k, x += box.x[run], y += box.y[run])
      std::copy_n(x, size, y + to);
  }
}

}  // namespace

void run(CpuQueue& queue, const CopyBox& op) {
  if ((op.clear ? op.y.count() : op.size.count()) == 0) return;
  const BoxRows box(op);
  const int run = box.rank - 1;
  for_pieces_of(queue, box.rows(), box.clear ? box.y[run] : box.size[run],
                [&](std::int64_t first, std::int64_t last) {
                  for_type(op.x.dtype, [&]<class T>(T) { copy_rows<T>(op, box, first, last); });
                });
}

}  // namespace ratnet::inline v1
