#include "loader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "../core/buffer.h"
#include "../core/thread_pool.h"
#include "loader_check.h"
#include "loader_order.h"
#include "loader_rows.h"
#include "patch_cut.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
void convert(const void* from, float* to, std::int64_t count, float scale) {
  const auto* source = static_cast<const T*>(from);
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(source[i]) * scale;
}

void convert(const ConstView& from, float* to, float scale) {
  switch (from.dtype) {
    case DType::u8: return convert<std::uint8_t>(from.data, to, from.count(), scale);
    case DType::u16: return convert<std::uint16_t>(from.data, to, from.count(), scale);
    case DType::i16: return convert<std::int16_t>(from.data, to, from.count(), scale);
    case DType::f32: return convert<float>(from.data, to, from.count(), scale);
    default: fail(ErrorKind::internal, "loader: images of type ", name_of(from.dtype));
  }
}

// Images and, where there are any, their masks.
struct Rows {
  LoadedRows images;
  std::optional<LoadedRows> masks;
};

// A stretch of an epoch that is, or will be, in memory.
struct Window {
  std::shared_ptr<const Rows> rows;  // null until read
  std::int64_t batches_left = 0;
};

struct Slot {
  HostBuffer of_queue;
  Tensor own;
  View images, labels, masks, targets, target_weights;  // in either
  Tensor weights;
  Batch batch;
  bool ready = false;

  // The views that a batch has, with their shapes but no memory yet.
  std::vector<View*> shape_parts(const Shape& sample, const LoaderOptions& options) {
    const Shape pixels = sample.without_last().batch_of(options.batch);
    images = View(nullptr, DType::f32, sample.batch_of(options.batch));
    labels = View(nullptr, DType::i32, {options.batch});
    std::vector<View*> parts = {&images, &labels};
    if (options.change.makes_targets) {
      targets = images;
      target_weights = View(nullptr, DType::f32, pixels);
      target_weights.shape.push_back(1);
      parts.insert(parts.end(), {&targets, &target_weights});
    }
    if (options.masks) {
      masks = View(nullptr, DType::u8, pixels);
      parts.push_back(&masks);
    }
    return parts;
  }

  Sample sample(std::size_t n) const {
    const auto one = [&](const View& all) {
      if (!all) return View();
      const View first(all.data, all.dtype, Shape(all.shape.sizes().subspan(1)));
      return View(static_cast<char*>(all.data) + n * first.bytes(), first.dtype, first.shape);
    };
    Sample sample{one(images), one(masks), one(targets), one(target_weights)};
    if (sample.mask) sample.mask.shape.push_back(1);
    return sample;
  }
};

std::size_t bytes_of(const std::vector<View*>& parts) {
  std::size_t bytes = 0;
  for (const View* part : parts) bytes += part->bytes();
  return bytes;
}

// What a worker puts aside: an image before it is augmented, and a patch in its stored type.
struct Scratch {
  std::vector<float> image;
  Tensor patch, mask;
};

// Of images, or of patches of them.
Shape shape_of_samples(const Dataset& dataset, const LoaderOptions& options) {
  const Shape image = dataset.image_shape();
  return options.patches ? options.patches.shape(image.back()) : image;
}

// Apart from how often a sample is drawn in an epoch, which counts from 0.
constexpr std::uint32_t kOfChange = 1u << 31;

}  // namespace

// Batches have tickets: epoch * batches per epoch + number. Workers take tickets in order and fill
// slot ticket % slots; a slot is free again once the consumer has moved past its batch.
struct Loader::State {
  Dataset& dataset;
  const std::vector<std::int64_t> indices;
  const LoaderOptions options;
  const Shape sample;  // an image, or a patch of one
  std::vector<std::uint8_t> labels;
  std::int64_t per_epoch = 0;  // batches
  std::size_t slot_bytes = 0;  // of all slots
  bool keep_all = false;       // the images fit in memory
  OrderOptions order_options;
  std::vector<std::int64_t> all_rows;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::thread> threads;
  std::vector<Slot> slots;
  std::map<std::int64_t, std::shared_ptr<const EpochOrder>> orders;
  std::map<std::pair<std::int64_t, std::size_t>, Window> windows;  // by epoch and place in it
  std::shared_ptr<const Rows> kept;
  std::optional<ThreadPool> readers;  // of the reading thread, once there is something to read
  std::int64_t start = 0;             // the ticket after the last seek
  std::int64_t claimed = 0;           // the next ticket for a worker
  std::int64_t delivered = 0;         // the next ticket for the consumer
  bool running = false;
  bool stop = false;
  std::exception_ptr failure;

  State(Dataset& source, std::vector<std::int64_t> samples, LoaderOptions wanted)
      : dataset(source),
        indices(std::move(samples)),
        options(std::move(wanted)),
        sample(shape_of_samples(source, options)) {
    check_loading(dataset, indices, options);
    labels = dataset.table().labels;
    const auto n = static_cast<std::int64_t>(indices.size());
    per_epoch = (samples_per_epoch() + options.batch - 1) / options.batch;

    all_rows = indices;
    std::sort(all_rows.begin(), all_rows.end());
    all_rows.erase(std::unique(all_rows.begin(), all_rows.end()), all_rows.end());
    const Shape image = dataset.image_shape();
    const std::size_t image_bytes =
        static_cast<std::size_t>(image.count()) * size_of(dataset.dtype());
    keep_all = all_rows.size() <= options.memory_budget / std::max<std::size_t>(1, image_bytes);
    // Patches come from large images, of which many need not be read together.
    const std::int64_t block =
        options.patches ? std::max<std::int64_t>(1, dataset.chunk()) : loader_block(dataset);
    // A batch must never need three windows at once.
    const bool each = options.shuffle && !options.balance;  // so many draws of each image
    const std::int64_t least =
        (each ? (options.batch + copies() - 1) / copies() : options.batch) + block;
    const std::int64_t window_rows = std::max(
        static_cast<std::int64_t>(options.window_bytes / std::max<std::size_t>(1, image_bytes)),
        least);
    order_options = {.seed = options.seed,
                     .shuffle = options.shuffle,
                     .balance = options.balance,
                     .copies = copies(),
                     .block = block,
                     .window_rows = keep_all ? n + block : window_rows};

    slots.resize(static_cast<std::size_t>(options.ahead) + 1);
    for (Slot& slot : slots) {
      const std::vector<View*> parts = slot.shape_parts(sample, options);
      slot.weights = Tensor({options.batch}, DType::f32);
      const std::size_t bytes = bytes_of(parts);
      slot_bytes += bytes;
      if (options.queue)
        slot.of_queue = HostBuffer(options.queue, bytes);
      else
        slot.own = Tensor({static_cast<std::int64_t>(bytes)}, DType::u8);
      auto* memory = static_cast<char*>(options.queue ? slot.of_queue.data() : slot.own.data());
      for (View* part : parts) {
        part->data = memory;
        memory += part->bytes();
      }
    }
  }

  ~State() { halt(); }

  std::int64_t copies() const { return options.patches ? options.patches.per_image : 1; }
  std::int64_t samples_per_epoch() const { return std::ssize(indices) * copies(); }

  std::size_t bytes() const {
    // Two epochs meet at their border.
    std::size_t all = slot_bytes + 2 * sizeof(Draw) * static_cast<std::size_t>(samples_per_epoch());
    const std::int64_t kept_rows = std::min(
        std::ssize(all_rows), keep_all ? std::ssize(all_rows) : 2 * order_options.window_rows);
    const auto add = [&](const Dataset& source) {
      if (!keep_all || !source.resident())
        all += static_cast<std::size_t>(kept_rows * source.image_shape().count()) *
               size_of(source.dtype());
    };
    add(dataset);
    if (options.masks) add(*options.masks);
    return all;
  }

  // Ends the threads and forgets what was prepared; the images kept in memory stay.
  void halt() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
    windows.clear();
    orders.clear();
    for (Slot& slot : slots) slot.ready = false;
    failure = nullptr;
    running = stop = false;
  }

  void launch() {
    claimed = delivered = start;
    running = true;
    threads.emplace_back([this] { guarded([this] { read_ahead(); }); });
    for (int i = 0; i < options.threads; ++i)
      threads.emplace_back([this] { guarded([this] { work(); }); });
  }

  template <class Function>
  void guarded(Function&& function) {
    try {
      function();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      stop = true;
      changed.notify_all();
    }
  }

  // With the mutex held.
  std::shared_ptr<const EpochOrder> order_of(std::int64_t epoch) {
    std::shared_ptr<const EpochOrder>& order = orders[epoch];
    if (!order)
      order = std::make_shared<EpochOrder>(epoch_order(indices, labels, order_options, epoch));
    return order;
  }

  std::pair<std::int64_t, std::int64_t> draws_of(std::int64_t number) const {
    const std::int64_t begin = number * options.batch;
    return {begin, std::min(begin + options.batch, samples_per_epoch())};
  }

  LoadedRows read_rows(Dataset& source, const std::vector<std::int64_t>& rows) {
    if (!readers) {
      std::size_t bytes = loader_reader_bytes(dataset);
      if (options.masks) bytes = std::max(bytes, loader_reader_bytes(*options.masks));
      const std::size_t most = std::max<std::size_t>(1, options.window_bytes / bytes);
      const int wanted = options.readers > 0 ? options.readers : usable_processors();
      readers.emplace(static_cast<int>(std::min(most, static_cast<std::size_t>(wanted))));
    }
    return LoadedRows(source, rows, *readers);
  }

  LoadedRows kept_rows(Dataset& source) {
    const ConstView resident = source.resident();
    return resident ? LoadedRows(resident) : read_rows(source, all_rows);
  }

  // The reading thread: everything once, or one window after the other, two in memory at most.
  void read_ahead() {
    if (keep_all) {
      if (kept) return;
      auto rows = std::make_shared<const Rows>(
          Rows{kept_rows(dataset),
               options.masks ? std::optional(kept_rows(*options.masks)) : std::nullopt});
      const std::lock_guard lock(mutex);
      kept = std::move(rows);
      changed.notify_all();
      return;
    }
    std::int64_t number = start % per_epoch;  // the first batch wanted of the epoch
    for (std::int64_t epoch = start / per_epoch;; ++epoch, number = 0) {
      std::unique_lock lock(mutex);
      const std::shared_ptr<const EpochOrder> order = order_of(epoch);
      for (std::size_t w = 0; w < order->windows.size(); ++w) {
        const OrderWindow& span = order->windows[w];
        const std::int64_t first = std::max(number, span.begin / options.batch);
        const std::int64_t last = (span.end - 1) / options.batch;
        if (last < first) continue;
        changed.wait(lock, [&] { return stop || windows.size() < 2; });
        if (stop) return;
        windows[{epoch, w}].batches_left = last - first + 1;
        lock.unlock();
        auto rows = std::make_shared<const Rows>(Rows{
            read_rows(dataset, span.rows),
            options.masks ? std::optional(read_rows(*options.masks, span.rows)) : std::nullopt});
        lock.lock();
        windows[{epoch, w}].rows = std::move(rows);
        changed.notify_all();
      }
    }
  }

  void work() {
    Scratch scratch;
    if (options.augmentation.any()) scratch.image.resize(static_cast<std::size_t>(sample.count()));
    if (options.patches) {
      scratch.patch = Tensor(sample, dataset.dtype());
      scratch.mask = Tensor(sample.without_last(), DType::u8);
    }
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] {
        return stop || claimed < delivered + static_cast<std::int64_t>(slots.size()) - 1;
      });
      if (stop) return;
      const std::int64_t ticket = claimed++;
      const std::int64_t epoch = ticket / per_epoch;
      const std::shared_ptr<const EpochOrder> order = order_of(epoch);
      // No batch before the consumer's will be wanted again.
      orders.erase(orders.begin(), orders.lower_bound(delivered / per_epoch));
      const auto [begin, end] = draws_of(ticket % per_epoch);

      // The one or two windows of this batch.
      std::vector<std::pair<std::int64_t, std::shared_ptr<const Rows>>> sources;
      std::vector<std::pair<std::int64_t, std::size_t>> used;
      if (keep_all) {
        changed.wait(lock, [&] { return stop || kept; });
        if (stop) return;
        sources.emplace_back(end, kept);
      } else {
        for (std::size_t w = 0; w < order->windows.size(); ++w) {
          const OrderWindow& span = order->windows[w];
          if (span.end <= begin || span.begin >= end) continue;
          const std::pair key(epoch, w);
          changed.wait(lock, [&] {
            const auto found = windows.find(key);
            return stop || (found != windows.end() && found->second.rows);
          });
          if (stop) return;
          sources.emplace_back(span.end, windows[key].rows);
          used.push_back(key);
        }
      }
      Slot& slot = slots[static_cast<std::size_t>(ticket) % slots.size()];
      lock.unlock();
      fill(slot, *order, ticket, sources, scratch);
      sources.clear();
      lock.lock();
      for (const auto& key : used) {
        const auto window = windows.find(key);
        if (--window->second.batches_left == 0) windows.erase(window);
      }
      slot.ready = true;
      changed.notify_all();
    }
  }

  // Puts the draw's patch, in the scratch, in the place of an image and its mask.
  void cut(ConstView& image, ConstView& mask, std::int64_t epoch, const Draw& draw,
           Scratch& scratch) const {
    const ImageGrid grid{three_axes("loader", image.shape.without_last().sizes()),
                         image.shape.back()};
    const Size3 size = three_axes("loader", options.patches.size);
    const Size3 first =
        patch_place(options.patches, image.shape, mask, options.seed, epoch, draw.index, draw.copy);
    cut_patch(image, grid, first, size, 0, scratch.patch.data());
    image = scratch.patch;
    if (!mask) return;
    cut_patch(mask, {grid.size, 1}, first, size, kUnlabelled, scratch.mask.data());
    Shape pixels = scratch.mask.shape();
    pixels.push_back(1);
    mask = ConstView(scratch.mask.data(), DType::u8, pixels);
  }

  void fill(Slot& slot, const EpochOrder& order, std::int64_t ticket,
            const std::vector<std::pair<std::int64_t, std::shared_ptr<const Rows>>>& sources,
            Scratch& scratch) const {
    const auto [begin, end] = draws_of(ticket % per_epoch);
    Batch& batch = slot.batch;
    batch.epoch = ticket / per_epoch;
    batch.number = ticket % per_epoch;
    batch.count = end - begin;
    batch.images = ConstView(slot.images).first(batch.count);
    batch.labels = ConstView(slot.labels).first(batch.count);
    batch.weights = ConstView(slot.weights.view()).first(batch.count);
    if (slot.masks) batch.masks = ConstView(slot.masks).first(batch.count);
    if (slot.targets) batch.targets = ConstView(slot.targets).first(batch.count);
    if (slot.targets) batch.target_weights = ConstView(slot.target_weights).first(batch.count);
    batch.indices.clear();
    std::size_t source = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      while (i >= sources[source].first) ++source;
      const Draw& draw = order.draws[static_cast<std::size_t>(i)];
      const auto index = static_cast<std::size_t>(draw.index);
      const auto at = static_cast<std::size_t>(i - begin);
      const Sample made = slot.sample(at);
      auto* to = made.image.as<float>();
      const auto draws = [&](std::uint32_t use) {
        return random_for(options.seed, batch.epoch, draw.index,
                          use + static_cast<std::uint32_t>(draw.copy));
      };
      const float scale = options.scales.empty()       ? 1.0f
                          : options.scales.size() == 1 ? options.scales[0]
                                                       : options.scales[index];
      const Rows& rows = *sources[source].second;
      ConstView stored = rows.images.image(draw.index);
      ConstView mask = rows.masks ? rows.masks->image(draw.index) : ConstView();
      if (options.patches) cut(stored, mask, batch.epoch, draw, scratch);
      if (options.augmentation.any()) {
        convert(stored, scratch.image.data(), scale);
        Random random = draws(0);
        augment(options.augmentation, ConstView(scratch.image.data(), DType::f32, sample),
                made.image, random);
      } else {
        convert(stored, to, scale);
      }
      if (mask) {
        Random random = draws(0);
        augment_mask(options.augmentation, mask, made.mask, random);
      }
      if (options.change) {
        Random random = draws(kOfChange);
        options.change.apply(made, random);
      }
      const bool labelled = !labels.empty() && labels[index] != kUnlabelled;
      slot.labels.as<std::int32_t>()[at] = labelled ? labels[index] : -1;
      slot.weights.values<float>()[at] = options.weights.empty() ? 1.0f : options.weights[index];
      batch.indices.push_back(draw.index);
    }
  }

  const Batch& next() {
    std::unique_lock lock(mutex);
    if (!running) {
      launch();
    } else if (delivered > start) {
      slots[static_cast<std::size_t>(delivered - 1) % slots.size()].ready = false;
    }
    Slot& slot = slots[static_cast<std::size_t>(delivered) % slots.size()];
    ++delivered;
    changed.notify_all();
    changed.wait(lock, [&] { return slot.ready || failure; });
    if (!slot.ready) std::rethrow_exception(failure);
    return slot.batch;
  }
};

Loader::Loader(Dataset& dataset, std::vector<std::int64_t> indices, LoaderOptions options)
    : state_(std::make_unique<State>(dataset, std::move(indices), std::move(options))) {}
Loader::~Loader() = default;

std::int64_t Loader::samples_per_epoch() const { return state_->samples_per_epoch(); }
std::int64_t Loader::batches_per_epoch() const { return state_->per_epoch; }
std::size_t Loader::bytes() const { return state_->bytes(); }

std::size_t Loader::slot_bytes(const Dataset& dataset, const LoaderOptions& options) {
  const std::size_t one = bytes_of(Slot().shape_parts(shape_of_samples(dataset, options), options));
  return (static_cast<std::size_t>(options.ahead) + 1) * one;
}

void Loader::seek(std::int64_t epoch, std::int64_t batch) {
  require(epoch >= 0 && epoch < (std::int64_t{1} << 32) && batch >= 0 && batch < state_->per_epoch,
          "loader: there is no batch ", batch, " in epoch ", epoch, " of ", state_->per_epoch,
          " batches");
  state_->halt();
  state_->start = epoch * state_->per_epoch + batch;
}

const Batch& Loader::next() { return state_->next(); }

}  // namespace ratnet::inline v1
