// Sizes of a tensor, slowest dimension first.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

namespace ratnet::inline v1 {

// Up to kMaxRank sizes, each >= 0. Activations are [N, spatial..., C] (channels last).
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t operator[](int i) const { return sizes_[static_cast<std::size_t>(i)]; }
  std::int64_t& operator[](int i) { return sizes_[static_cast<std::size_t>(i)]; }
  std::int64_t back() const { return (*this)[rank_ - 1]; }
  std::span<const std::int64_t> sizes() const {
    return {sizes_.data(), static_cast<std::size_t>(rank_)};
  }

  // Product of all sizes (1 for rank 0). Throws Error (usage) if it does not fit in 63 bits.
  std::int64_t count() const;

  // Adds a dimension at the end. Throws Error (usage) past kMaxRank.
  void push_back(std::int64_t size);

  // The same shape with another first size.
  Shape with_first(std::int64_t size) const;
  // Of n such things: [n, sizes...]. Throws Error (usage) past kMaxRank.
  Shape batch_of(std::int64_t n) const;
  // Without its last size. Throws Error (usage) for rank 0.
  Shape without_last() const;

  bool operator==(const Shape&) const = default;

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

// "[32, 64, 64, 1]". In the parts of require() pass the shape itself: it becomes text only where
// the condition fails.
std::string to_string(const Shape& shape);
std::ostream& operator<<(std::ostream& out, const Shape& shape);

}  // namespace ratnet::inline v1
