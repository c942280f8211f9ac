#include <algorithm>

#include "../dice_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {
namespace {

// A sample in pieces of pixels.
struct Pieces {
  std::int64_t pixels, of_sample;
  explicit Pieces(const DiceLoss& op)
      : pixels(std::max<std::int64_t>(1, kPiece / op.probabilities.shape.back())),
        of_sample((rows(op) + pixels - 1) / pixels) {}

 private:
  static std::int64_t rows(const DiceLoss& op) {
    return op.labels.count() / std::max<std::int64_t>(1, op.labels.shape[0]);
  }
};

// memory: the sums of every piece, then those of every group, all [..., classes].
template <class T>
void dice(CpuQueue& queue, const DiceTerms<T>& terms, const Pieces& pieces, DiceSums* of_pieces,
          const LossResult<T>& result) {
  const std::int64_t k = terms.classes;
  // function(first, last, piece) over the pixels of all pieces.
  const auto for_pixels = [&](const auto& function) {
    parallel_for(*queue.executor, terms.samples * pieces.of_sample, [&](std::int64_t p, int) {
      const std::int64_t sample = p / pieces.of_sample, at = p % pieces.of_sample * pieces.pixels;
      function(sample * terms.rows + at,
               sample * terms.rows + std::min(terms.rows, at + pieces.pixels), p);
    });
  };
  for_pixels([&](std::int64_t first, std::int64_t last, std::int64_t piece) {
    DiceSums* sums = of_pieces + piece * k;
    std::fill(sums, sums + k, DiceSums{});
    for (std::int64_t pixel = first; pixel < last; ++pixel)
      for (std::int64_t c = 0; c < k; ++c) terms.add_pixel(pixel, c, sums[c]);
  });
  const std::int64_t count = terms.samples * pieces.of_sample;
  DiceSums* of_groups = of_pieces + count * k;
  std::fill(of_groups, of_groups + terms.groups() * k, DiceSums{});
  for (std::int64_t piece = 0; piece < count; ++piece) {
    DiceSums* sums = of_groups + (terms.per_sample ? piece / pieces.of_sample : 0) * k;
    for (std::int64_t c = 0; c < k; ++c) sums[c].add(of_pieces[piece * k + c]);
  }
  double loss = 0;
  for (std::int64_t group = 0; group < terms.groups(); ++group)
    for (std::int64_t c = terms.first_class; c < k; ++c)
      loss += terms.loss(of_groups[group * k + c]);
  result.put(terms.scores() ? loss / static_cast<double>(terms.scores()) : 0);
  if (!terms.gradient.data) return;
  for_pixels([&](std::int64_t first, std::int64_t last, std::int64_t) {
    for (std::int64_t pixel = first; pixel < last; ++pixel)
      for (std::int64_t c = 0; c < k; ++c) terms.put_gradient(pixel, c, of_groups);
  });
}

}  // namespace

OpNote plan(CpuQueue&, const DiceLoss& op) {
  const std::int64_t samples = op.labels.shape[0];
  const std::int64_t sums = samples * Pieces(op).of_sample + std::max<std::int64_t>(1, samples);
  OpNote note;
  note.scratch_bytes =
      static_cast<std::size_t>(sums * op.probabilities.shape.back()) * sizeof(DiceSums);
  return note;
}

void run(CpuQueue& queue, const DiceLoss& op) {
  auto* sums = static_cast<DiceSums*>(queue.working_memory(plan(queue, op).scratch_bytes));
  for_type(op.probabilities.dtype,
           [&]<class T>(T) { dice(queue, terms_of<T>(op), Pieces(op), sums, result_of<T>(op)); });
}

}  // namespace ratnet::inline v1
