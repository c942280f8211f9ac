// Weights on a device: one contiguous block, so that an optimiser is one pass over it.
#pragma once

#include <memory>

#include "../core/buffer.h"
#include "weights.h"

namespace ratnet::inline v1 {

// Shared by all plans that compute with the same values (training and evaluation, say).
class Parameters {
 public:
  // Uploads the weights. Frozen ones and statistics stand at the end, so that the trainable ones
  // are one block; in it those of rank 2 and more come first, then biases, scales and shifts, which
  // optimisers often treat otherwise.
  Parameters(QueueHandle queue, const Weights& weights);

  const QueueHandle& queue() const { return queue_; }
  DType dtype() const { return dtype_; }
  std::int64_t trainable() const { return trainable_; }  // how many numbers training may change
  std::size_t bytes() const { return memory_.bytes(); }  // of all of them

  struct Place {
    std::string name;
    Shape shape;
    std::int64_t offset;  // in numbers, into the block
    bool frozen;
    bool statistic;

    bool trainable() const { return !frozen && !statistic; }
  };
  // In the order of the weights.
  const std::vector<Place>& places() const { return places_; }
  const Place& find(std::string_view name) const;
  View view(const Place& place) const;
  // The trainable numbers as one vector.
  View block() const;

  // Differs after every change of the values: whoever changes them in place says so by changed().
  std::uint64_t version() const { return version_; }
  void changed() { ++version_; }

  // The values now, in the order and with the flags of the weights this was made from.
  Weights download() const;
  // Takes over values of the same names and shapes.
  void upload(const Weights& weights);

 private:
  QueueHandle queue_;
  DType dtype_ = DType::f32;
  std::int64_t trainable_ = 0;
  std::uint64_t version_ = 1;
  std::vector<Place> places_;
  Buffer memory_;
};

}  // namespace ratnet::inline v1
