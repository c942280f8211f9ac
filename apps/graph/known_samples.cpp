#include "known_samples.h"

#include <algorithm>
#include <set>

#include "../../train/learnt_images.h"
#include "../../train/split.h"

namespace ratnet::inline v1 {
namespace {

// Empty where the model does not say it.
std::string stated(const TrainedGraph& trained, const char* key) {
  const auto found = trained.model.provenance.find(key);
  return found == trained.model.provenance.end() ? "" : found->second;
}

}  // namespace

std::vector<Split> known_splits(const TrainedGraph& trained, const Dataset& dataset) {
  if (!dataset.table().splits.empty()) return dataset.table().splits;
  // Behind the hash of the images may stand that of their masks.
  if (dataset.hashes().empty() || !trained.seed ||
      !stated(trained, "data_hash").starts_with(combined_hash(dataset.hashes())))
    return {};
  // Splits depend on subjects and labels too, which may have changed, and so much that there is no
  // split any more.
  try {
    const auto splits =
        choose_splits(dataset, {.seed = *trained.seed, .allow_leakage = true}).splits;
    if (hash_of(splits) == stated(trained, "split_hash")) return splits;
  } catch (const Error&) {
  }
  return {};
}

std::optional<LearntSamples> learnt_among(const TrainedGraph& trained, const Dataset& dataset,
                                          const std::vector<std::int64_t>& judged) {
  if (!trained.learnt || dataset.hashes().empty()) return std::nullopt;
  const auto learnt = [&](std::int64_t i) {
    return is_marked(*trained.learnt, dataset.hashes()[static_cast<std::size_t>(i)]);
  };
  const auto& subjects = dataset.table().subjects;
  std::set<std::string> known;
  for (std::int64_t i = 0; i < std::ssize(subjects); ++i)
    if (learnt(i)) known.insert(subjects[static_cast<std::size_t>(i)]);
  LearntSamples among;
  for (const std::int64_t i : judged) {
    if (learnt(i))
      ++among.images;
    else if (!subjects.empty() && known.contains(subjects[static_cast<std::size_t>(i)]))
      ++among.subjects;
  }
  return among;
}

}  // namespace ratnet::inline v1
