#include "loader_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ratnet::inline v1 {
namespace {

// Enough for a thread to be worth waking.
constexpr std::size_t kUnitBytes = std::size_t{256} << 10;

std::size_t bytes_of_image(const Dataset& dataset) {
  return static_cast<std::size_t>(dataset.image_shape().count()) * size_of(dataset.dtype());
}

// How many consecutive images one thread reads at once: whole chunks, and no more than a block.
std::int64_t read_unit(const Dataset& dataset) {
  const std::int64_t chunk = std::max<std::int64_t>(1, dataset.chunk());
  const std::size_t chunk_bytes = static_cast<std::size_t>(chunk) * bytes_of_image(dataset);
  const auto chunks = static_cast<std::int64_t>(kUnitBytes / std::max<std::size_t>(1, chunk_bytes));
  return chunk * std::clamp<std::int64_t>(chunks, 1, loader_block(dataset) / chunk);
}

}  // namespace

std::int64_t loader_block(const Dataset& dataset) {
  const std::int64_t chunk = std::max<std::int64_t>(1, dataset.chunk());
  return (64 + chunk - 1) / chunk * chunk;
}

std::size_t loader_reader_bytes(const Dataset& dataset) {
  // Packed and unpacked chunks, images of a chunk of which some are wanted, and those aside.
  return 4 * static_cast<std::size_t>(read_unit(dataset)) * bytes_of_image(dataset);
}

LoadedRows::LoadedRows(Dataset& dataset, std::vector<std::int64_t> rows, Executor& readers)
    : rows_(std::move(rows)),
      image_shape_(dataset.image_shape()),
      image_bytes_(bytes_of_image(dataset)) {
  const auto shape_of = [&](std::int64_t n) { return image_shape_.batch_of(n); };
  owned_ = allocate_aligned(rows_.size() * image_bytes_);
  images_ = ConstView(owned_.get(), dataset.dtype(), shape_of(std::ssize(rows_)));

  const std::int64_t unit = read_unit(dataset);
  std::vector<std::size_t> begins;  // of the rows that are read at once
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (i == 0 || rows_[i] / unit != rows_[i - 1] / unit) begins.push_back(i);
  begins.push_back(rows_.size());

  std::vector<AlignedMemory> buffers(static_cast<std::size_t>(readers.workers()));
  parallel_for(readers, std::ssize(begins) - 1, [&](std::int64_t k, int worker) {
    const std::size_t begin = begins[static_cast<std::size_t>(k)];
    const std::size_t end = begins[static_cast<std::size_t>(k) + 1];
    std::byte* to = static_cast<std::byte*>(owned_.get()) + begin * image_bytes_;
    const std::int64_t first = rows_[begin], last = rows_[end - 1];
    if (last - first + 1 == static_cast<std::int64_t>(end - begin)) {
      dataset.read(first, View(to, dataset.dtype(), shape_of(last - first + 1)));
      return;
    }
    // Whole chunks, which are unpacked to where they are wanted.
    const std::int64_t chunk = std::max<std::int64_t>(1, dataset.chunk());
    const std::int64_t from = first / chunk * chunk;
    const std::int64_t until = std::min((last / chunk + 1) * chunk, dataset.size());
    AlignedMemory& buffer = buffers[static_cast<std::size_t>(worker)];
    if (!buffer) buffer = allocate_aligned(static_cast<std::size_t>(unit) * image_bytes_);
    dataset.read(from, View(buffer.get(), dataset.dtype(), shape_of(until - from)));
    for (std::size_t i = begin; i < end; ++i)
      std::memcpy(to + (i - begin) * image_bytes_,
                  static_cast<const std::byte*>(buffer.get()) +
                      static_cast<std::size_t>(rows_[i] - from) * image_bytes_,
                  image_bytes_);
  });
}

LoadedRows::LoadedRows(ConstView resident)
    : images_(resident),
      image_shape_(resident.shape.sizes().subspan(1)),
      image_bytes_(static_cast<std::size_t>(image_shape_.count()) * size_of(resident.dtype)) {}

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
