// Batches for training, prepared ahead of the trainer by threads of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../core/queue.h"
#include "../core/tensor.h"
#include "augment.h"
#include "dataset.h"
#include "patches.h"

namespace ratnet::inline v1 {

// A sample on its way into a batch: image f32 [..., C] and mask u8 [..., 1] (no memory without
// masks), to be changed in place; target f32 [..., C] and weight f32 [..., 1] (no memory unless the
// change makes them): what LossTarget::image compares with, and what its pixels weigh.
struct Sample {
  View image, mask, target, weight;
};

// A change to training samples of the caller's own.
struct SampleChange {
  // Tells it from others, with all its numbers: part of a training's fingerprint.
  std::string name;
  // Called from several threads at once; draws from `random` alone.
  std::function<void(const Sample& sample, Random& random)> apply;
  bool makes_targets = false;  // writes all of target and weight

  explicit operator bool() const { return apply != nullptr; }
};

struct LoaderOptions {
  std::int64_t batch = 32;
  std::uint64_t seed = 0;
  bool shuffle = true;   // otherwise in the order of the indices
  bool balance = false;  // every class equally often in an epoch (needs labels; see loader_order.h)
  // Where they have a size, samples are patches of the images, and an epoch has `per_image` of each
  // (balanced classes: so many times as there are images). About an image smaller than a patch lie
  // zeros, with 255 in its mask.
  Patches patches;
  Augmentation augmentation;
  SampleChange change;  // after it
  // What pixels are multiplied by: one factor for all, or one for every sample of the dataset;
  // empty is 1.
  std::vector<float> scales;
  // The weight of every sample of the dataset in the loss; empty is 1.
  std::vector<float> weights;
  // A mask for every sample of the dataset, u8 [H, W, 1] or [D, H, W, 1], that moves and is
  // mirrored with its image; has to outlive the loader.
  Dataset* masks = nullptr;
  int threads = 1;  // workers that convert and augment
  // Threads that read and unpack chunks, where images are not in memory anyway; 0: one for every
  // processor this process may use, in training as many as it computes with.
  int readers = 0;
  int ahead = 4;  // batches kept ready
  // Images that fit this budget in their stored type are read once and kept; otherwise windows of
  // whole chunks are read in shuffled order, two of `window_bytes` at a time. Which one decides
  // the order of the samples, so both belong to a run that is to be repeated. Unpacking takes as
  // much again as one window at most: there are as few readers as that asks for, but one.
  std::size_t memory_budget = std::size_t{512} << 20;
  std::size_t window_bytes = std::size_t{64} << 20;
  // Batches lie in host memory of this queue, from which its device copies fastest; by default in
  // ordinary memory.
  QueueHandle queue = nullptr;
};

struct Batch {
  std::int64_t epoch = 0;
  std::int64_t number = 0;            // within the epoch
  std::int64_t count = 0;             // B: the last batch of an epoch may be smaller
  ConstView images;                   // [B, H, W, C] or [B, D, H, W, C] f32
  ConstView labels;                   // [B] i32, -1 where unlabelled
  ConstView masks;                    // [B, H, W] or [B, D, H, W] u8, absent without masks
  ConstView targets;                  // as images, absent unless the change makes them
  ConstView target_weights;           // [B, H, W, 1] or [B, D, H, W, 1] f32, absent likewise
  ConstView weights;                  // [B] f32
  std::vector<std::int64_t> indices;  // [B] positions in the dataset
};

// An endless stream of batches, epoch after epoch. Their order and content depend on (seed, epoch,
// index) and the options, never on the number of threads.
class Loader {
 public:
  // indices: the samples to use, such as one split. The dataset must outlive the loader. Throws
  // Error (usage) for options or indices that make no sense; Error (input) when balance is asked
  // of samples without labels.
  Loader(Dataset& dataset, std::vector<std::int64_t> indices, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t samples_per_epoch() const;
  std::int64_t batches_per_epoch() const;
  // Host memory of the batches and of the images and masks that it keeps; none of those that are in
  // memory anyway.
  std::size_t bytes() const;
  // The part of the batches, before there is a loader.
  static std::size_t slot_bytes(const Dataset& dataset, const LoaderOptions& options);

  // Continues with this batch of this epoch. A new loader stands at (0, 0).
  void seek(std::int64_t epoch, std::int64_t batch);

  // The next batch; valid until the next call. Rethrows what a worker threw.
  const Batch& next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
