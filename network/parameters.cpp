#include "parameters.h"

#include "../core/transfer.h"

namespace ratnet::inline v1 {
namespace {

// Each weight begins on a vector's boundary; the gaps hold zeros, which every optimiser leaves.
std::int64_t padded(std::int64_t count) { return (count + 15) / 16 * 16; }

}  // namespace

Parameters::Parameters(QueueHandle queue, const Weights& weights) : queue_(std::move(queue)) {
  require(!weights.entries().empty(), "a network without weights has no parameters");
  dtype_ = weights.entries().front().value.dtype();
  std::int64_t total = 0;
  for (const Weights::Entry& entry : weights.entries()) {
    require(entry.value.dtype() == dtype_, "weight '", entry.name, "' has another type than '",
            weights.entries().front().name, "'");
    places_.push_back({entry.name, entry.value.shape(), 0, entry.frozen, entry.statistic});
  }
  const auto place_all = [&](auto&& belongs) {
    for (Place& place : places_)
      if (belongs(place)) {
        place.offset = total;
        total += padded(place.shape.count());
      }
  };
  place_all([](const Place& place) { return place.trainable() && place.shape.rank() >= 2; });
  place_all([](const Place& place) { return place.trainable() && place.shape.rank() < 2; });
  trainable_ = total;
  place_all([](const Place& place) { return !place.trainable(); });
  memory_ = Buffer(queue_, static_cast<std::size_t>(total) * size_of(dtype_));
  memory_.clear();
  upload(weights);
}

const Parameters::Place& Parameters::find(std::string_view name) const {
  for (const Place& place : places_)
    if (place.name == name) return place;
  fail(ErrorKind::usage, "there is no weight '", std::string(name), "'");
}

View Parameters::view(const Place& place) const {
  return {
      static_cast<char*>(memory_.data()) + static_cast<std::size_t>(place.offset) * size_of(dtype_),
      dtype_, place.shape};
}

View Parameters::block() const { return {memory_.data(), dtype_, {trainable_}}; }

Weights Parameters::download() const {
  Weights weights;
  for (const Place& place : places_) {
    weights.add(place.name, downloaded(*queue_, view(place)));
    weights.entries().back().frozen = place.frozen;
    weights.entries().back().statistic = place.statistic;
  }
  return weights;
}

void Parameters::upload(const Weights& weights) {
  for (const Place& place : places_) {
    const Tensor& value = weights.find(place.name).value;
    require(value.shape() == place.shape && value.dtype() == dtype_, "weight '", place.name,
            "' changed its shape or type");
    upload_and_wait(*queue_, view(place), value);
  }
  changed();
}

}  // namespace ratnet::inline v1
