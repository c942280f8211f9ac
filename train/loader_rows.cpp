#include "loader_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ratnet::inline v1 {

std::int64_t loader_block(const Dataset& dataset) {
  const std::int64_t chunk = std::max<std::int64_t>(1, dataset.chunk());
  return (64 + chunk - 1) / chunk * chunk;
}

LoadedRows::LoadedRows(Dataset& dataset, std::vector<std::int64_t> rows)
    : rows_(std::move(rows)), image_shape_(dataset.image_shape()) {
  image_bytes_ = static_cast<std::size_t>(image_shape_.count()) * size_of(dataset.dtype());
  const auto shape_of = [&](std::int64_t n) { return image_shape_.batch_of(n); };
  owned_ = Tensor(shape_of(static_cast<std::int64_t>(rows_.size())), dataset.dtype());
  images_ = owned_.view();
  const std::int64_t block = loader_block(dataset);
  Tensor buffer;
  for (std::size_t i = 0; i < rows_.size();) {
    std::size_t end = i + 1;
    while (end < rows_.size() && rows_[end] / block == rows_[i] / block) ++end;
    const std::int64_t first = rows_[i];
    const std::int64_t span = rows_[end - 1] - first + 1;
    std::byte* to = static_cast<std::byte*>(owned_.data()) + i * image_bytes_;
    if (span == static_cast<std::int64_t>(end - i)) {
      dataset.read(first, View(to, dataset.dtype(), shape_of(span)));
    } else {
      if (!buffer) buffer = Tensor(shape_of(block), dataset.dtype());
      dataset.read(first, buffer.view().first(span));
      for (std::size_t k = i; k < end; ++k)
        std::memcpy(to + (k - i) * image_bytes_,
                    static_cast<const std::byte*>(buffer.data()) +
                        static_cast<std::size_t>(rows_[k] - first) * image_bytes_,
                    image_bytes_);
    }
    i = end;
  }
}

LoadedRows::LoadedRows(ConstView resident)
    : images_(resident), image_shape_(resident.shape.sizes().subspan(1)) {
  image_bytes_ = static_cast<std::size_t>(image_shape_.count()) * size_of(resident.dtype);
}

ConstView LoadedRows::image(std::int64_t row) const {
  auto at = static_cast<std::size_t>(row);
  if (!rows_.empty()) {
    const auto found = std::lower_bound(rows_.begin(), rows_.end(), row);
    if (found == rows_.end() || *found != row)
      fail(ErrorKind::internal, "loader: image ", row, " was not read");
    at = static_cast<std::size_t>(found - rows_.begin());
  }
  return {static_cast<const std::byte*>(images_.data) + at * image_bytes_, images_.dtype,
          image_shape_};
}

}  // namespace ratnet::inline v1
