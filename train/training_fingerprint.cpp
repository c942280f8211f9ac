#include "training_fingerprint.h"

#include <cstring>

namespace ratnet::inline v1 {
namespace {

// Many numbers as one short text.
template <class T>
std::string digest(const std::vector<T>& values) {
  std::vector<ImageHash> words;
  for (const T value : values) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    words.push_back({bits, 1});
  }
  return combined_hash(words);
}

std::string digest(const std::vector<OptimiserGroup>& groups) {
  std::string all = text(groups.size());
  for (const OptimiserGroup& g : groups)
    all += text(std::hexfloat, " '", g.pattern, "' ", g.weight_decay, " ", g.rate_factor);
  return all;
}

std::string digest(const Weights& weights) {
  std::vector<ImageHash> words;
  for (const Weights::Entry& entry : weights.entries()) {
    const ConstView value = entry.value.view();
    words.push_back(hash_image(std::as_bytes(std::span(entry.name)), 1));
    words.push_back(hash_image({static_cast<const std::byte*>(value.data), value.bytes()}, 1));
  }
  return combined_hash(words);
}

}  // namespace

std::string training_fingerprint(const Graph& graph, const Objective& objective,
                                 const Dataset& dataset, const TrainerOptions& o,
                                 const std::vector<std::int64_t>& train,
                                 const std::vector<std::int64_t>& validation) {
  const Augmentation& a = o.loader.augmentation;
  const PlateauOptions& p = o.schedule.plateau;
  // Floating-point numbers to the last bit.
  std::string line = text(
      std::hexfloat, "data ", o.data_hash, " labels ", digest(dataset.table().labels), " samples ",
      digest(train), " ", digest(validation), " graph ", graph.to_json(), " epochs ", o.epochs,
      " batch ", o.loader.batch, " seed ", o.loader.seed, " shuffle ", o.loader.shuffle,
      " balance ", o.loader.balance, " memory ", o.loader.memory_budget, " ", o.loader.window_bytes,
      " augmentation ", a.shift, " ", a.subpixel, " ", a.flip_left_right, " ", a.gain, " ", a.noise,
      " change ", o.loader.change.name, " ", o.judged_change.name, " scales ",
      digest(o.loader.scales), " losses ", to_json(objective), " optimiser ",
      name_of(o.optimiser.kind), " ", o.optimiser.momentum, " ", o.optimiser.nesterov, " ",
      o.optimiser.beta1, " ", o.optimiser.beta2, " ", o.optimiser.epsilon, " ",
      o.optimiser.weight_decay, " ", o.optimiser.clip_norm, " schedule ", name_of(o.schedule.kind),
      " ", o.schedule.rate, " ", o.schedule.step_every, " ", o.schedule.step_factor, " ",
      o.schedule.final_fraction, " ", o.schedule.warm_up, " ", o.schedule.start_divisor, " ",
      o.schedule.final_divisor, " patience ", o.patience, " monitor ", static_cast<int>(o.monitor),
      " precision ", name_of(o.precision), " groups ", digest(o.optimiser.groups), " accumulate ",
      o.accumulate, " average ", o.averaging.decay, " ", o.averaging.warm_up, " plateau ", p.factor,
      " ", p.patience, " ", p.threshold, " ", p.cooldown, " ", p.least_rate);
  // What is seldom used stands only where it is, so that older checkpoints stay known.
  if (o.tuner) line += " tuned";
  if (o.start) line += " start " + digest(*o.start);
  if (o.loader.patches)  // their size is the graph's
    line += text(" patches ", o.loader.patches.per_image, " ", std::hexfloat,
                 o.loader.patches.labelled_share(o.loader.masks != nullptr));
  for (const std::string& pattern : o.freeze) line += " freeze '" + pattern + "'";
  return line;
}

}  // namespace ratnet::inline v1
