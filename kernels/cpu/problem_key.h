// What an algorithm is chosen by: all of an operation but its batch and its numbers.
#pragma once

#include <charconv>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../conv.h"
#include "../dense.h"

namespace ratnet::inline v1 {

// visit(name, view, whether it has a batch) for every tensor of an operation.
template <class Op, class Visit>
void for_tensors(Op& op, Visit&& visit) {
  using O = std::remove_const_t<Op>;
  if constexpr (std::is_same_v<O, Conv> || std::is_same_v<O, Dense>) {
    visit("x", op.x, true);
    visit("weight", op.weight, false);
    visit("bias", op.bias, false);
    if constexpr (std::is_same_v<O, Conv>) visit("added", op.added, true);
    visit("y", op.y, true);
    if constexpr (std::is_same_v<O, Conv>) visit("argmax", op.argmax, true);
  } else if constexpr (std::is_same_v<O, ConvBackwardData> ||
                       std::is_same_v<O, DenseBackwardData>) {
    visit("dy", op.dy, true);
    visit("weight", op.weight, false);
    visit("dx", op.dx, true);
  } else {
    static_assert(std::is_same_v<O, ConvBackwardWeights> ||
                  std::is_same_v<O, DenseBackwardWeights>);
    visit("x", op.x, true);
    visit("dy", op.dy, true);
    visit("dweight", op.dweight, false);
    visit("dbias", op.dbias, false);
  }
}

// In words, made without allocating, because it is looked up in every run:
// "conv f32 x 64,64,1 weight 3,3,1,32 bias 32 y 32,32,32 stride 1,1 ...".
class ProblemKey {
 public:
  template <class Op>
  explicit ProblemKey(const Op& op) {
    add(Op::kName);
    bool first = true;
    for_tensors(op, [&](const char* name, const auto& view, bool has_batch) {
      if (std::exchange(first, false)) add(" "), add(name_of(view.dtype));
      if (!view) return;
      add(" "), add(name);
      list(view.shape.sizes().subspan(has_batch ? 1 : 0));
    });
    if constexpr (requires { op.window; }) {
      const auto rank = static_cast<std::size_t>(op.window.rank);
      for (const auto& [name, sizes] : {std::pair{" stride", &op.window.stride},
                                        {" dilation", &op.window.dilation},
                                        {" before", &op.window.pad_before},
                                        {" after", &op.window.pad_after}})
        add(name), list(std::span(*sizes).first(rank));
      add(" groups"), list(std::span(&op.groups, 1));
    }
    if constexpr (requires { op.pool; })
      if (op.pool.rank > 0)
        add(" pool"), list(std::span(op.pool.kernel).first(static_cast<std::size_t>(op.pool.rank)));
    if constexpr (requires { op.activation; })
      add(" "), add(kActivationNames[static_cast<std::size_t>(op.activation)]);
  }

  // Empty where it would be unreasonably long: nothing is chosen for such a problem.
  std::string_view words() const { return {words_, whole_ ? size_ : 0}; }

 private:
  void add(std::string_view word) {
    whole_ = whole_ && word.size() <= sizeof words_ - size_;
    if (!whole_) return;
    word.copy(words_ + size_, word.size());
    size_ += word.size();
  }
  void list(std::span<const std::int64_t> numbers) {
    char separator = ' ';
    for (const std::int64_t number : numbers) {
      char digits[24];
      digits[0] = std::exchange(separator, ',');
      const auto end = std::to_chars(digits + 1, digits + sizeof digits, number).ptr;
      add({digits, static_cast<std::size_t>(end - digits)});
    }
  }

  char words_[480];
  std::size_t size_ = 0;
  bool whole_ = true;
};

}  // namespace ratnet::inline v1
