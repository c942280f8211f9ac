#include "shape.h"

#include <ostream>

#include "error.h"

namespace ratnet::inline v1 {

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) {
  for (const std::int64_t size : sizes) push_back(size);
}

std::int64_t Shape::count() const {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes())
    require(!__builtin_mul_overflow(product, size, &product), "shape ", *this,
            " has more elements than memory can address");
  return product;
}

void Shape::push_back(std::int64_t size) {
  require(rank_ < kMaxRank, "a tensor has at most ", kMaxRank, " dimensions");
  require(size >= 0, "a dimension cannot have size ", size);
  sizes_[static_cast<std::size_t>(rank_++)] = size;
}

Shape Shape::with_first(std::int64_t size) const {
  Shape other = *this;
  other[0] = size;
  return other;
}

Shape Shape::batch_of(std::int64_t n) const {
  Shape batch{n};
  for (const std::int64_t size : sizes()) batch.push_back(size);
  return batch;
}

Shape Shape::without_last() const {
  require(rank_ > 0, "a shape of rank 0 has no last size");
  return Shape(sizes().first(static_cast<std::size_t>(rank_ - 1)));
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (int i = 0; i < shape.rank(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

}  // namespace ratnet::inline v1
