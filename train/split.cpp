#include "split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

#include "../core/random.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::uint64_t kGroupOrderStream = 0x53504C4954ull;

// Samples that must not be parted: those of one subject, or copies of one image.
struct Groups {
  std::vector<std::size_t> of_sample;  // [N]
  std::size_t count = 0;
};

Groups group_by_subject(const SampleTable& table) {
  Groups groups;
  std::unordered_map<std::string, std::size_t> known;
  for (const std::string& subject : table.subjects)
    groups.of_sample.push_back(known.try_emplace(subject, known.size()).first->second);
  groups.count = known.size();
  return groups;
}

Groups group_by_image(const Dataset& dataset) {
  struct Low64 {
    std::size_t operator()(const ImageHash& hash) const { return hash.low; }
  };
  Groups groups;
  std::unordered_map<ImageHash, std::size_t, Low64> known;
  const std::span<const ImageHash> hashes = dataset.hashes();
  for (std::size_t i = 0; i < static_cast<std::size_t>(dataset.size()); ++i) {
    std::size_t group = groups.count;
    if (!hashes.empty() && !hashes[i].constant())
      group = known.try_emplace(hashes[i], groups.count).first->second;
    groups.of_sample.push_back(group);
    groups.count = std::max(groups.count, group + 1);
  }
  return groups;
}

void check_subjects(const Dataset& dataset, bool allow_leakage) {
  if (dataset.table().subjects.empty() && !allow_leakage)
    fail(ErrorKind::input, dataset.name(),
         ": names no subjects, so images of one subject could be both learned from and judged on; "
         "add a 'subject' column, or accept that with --allow-leakage (the model will say so for "
         "ever)");
}

Groups groups_of(const Dataset& dataset, bool allow_leakage) {
  check_subjects(dataset, allow_leakage);
  return dataset.table().subjects.empty() ? group_by_image(dataset)
                                          : group_by_subject(dataset.table());
}

// How many of n groups each part takes: at least one, then by largest remainder.
std::vector<std::size_t> quotas(std::size_t n, std::span<const double> fractions) {
  const double total = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  std::vector<std::size_t> quota(fractions.size());
  std::vector<std::pair<double, std::size_t>> remainders;
  std::size_t given = 0;
  for (std::size_t part = 0; part < fractions.size(); ++part) {
    const double exact = static_cast<double>(n) * fractions[part] / total;
    quota[part] = std::max<std::size_t>(1, static_cast<std::size_t>(exact + 1e-9));
    remainders.emplace_back(exact - static_cast<double>(quota[part]), part);
    given += quota[part];
  }
  std::stable_sort(remainders.begin(), remainders.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; given < n; ++i, ++given) ++quota[remainders[i % quota.size()].second];
  for (; given > n; --given) --*std::max_element(quota.begin(), quota.end());
  return quota;
}

// The part of each group. Groups come in random order; each goes where it brings the numbers of
// every label closest to the part's share (least chi-square).
std::vector<int> assign_groups(const Dataset& dataset, const Groups& groups,
                               std::span<const double> fractions, std::uint64_t seed) {
  const std::size_t parts = fractions.size();
  if (groups.count < parts)
    fail(ErrorKind::input, dataset.name(), ": ", groups.count, " subjects cannot be divided into ",
         parts, " parts");
  const std::vector<std::uint8_t>& labels = dataset.table().labels;
  std::vector<std::size_t> column(256, 0);
  std::size_t columns = 1;  // column 0 counts all images
  for (const std::uint8_t label : labels)
    if (column[label] == 0) column[label] = columns++;

  std::vector<double> sizes(groups.count * columns, 0.0);
  std::vector<double> totals(columns, 0.0);
  const auto count = [&](std::size_t group, std::size_t c) {
    sizes[group * columns + c] += 1;
    totals[c] += 1;
  };
  for (std::size_t i = 0; i < groups.of_sample.size(); ++i) {
    count(groups.of_sample[i], 0);
    if (!labels.empty()) count(groups.of_sample[i], column[labels[i]]);
  }

  std::vector<std::size_t> order(groups.count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random(seed, kGroupOrderStream).shuffle(std::span(order));

  std::vector<std::size_t> left = quotas(groups.count, fractions);
  const double whole = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  std::vector<double> filled(parts * columns, 0.0);
  std::vector<int> part_of(groups.count, 0);
  for (const std::size_t group : order) {
    const double* add = &sizes[group * columns];
    std::size_t best = parts;
    double least = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      if (left[part] == 0) continue;
      double cost = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        const double target = fractions[part] / whole * totals[c];
        cost += add[c] * (2 * (filled[part * columns + c] - target) + add[c]) / target;
      }
      if (best == parts || cost < least) {
        best = part;
        least = cost;
      }
    }
    part_of[group] = static_cast<int>(best);
    --left[best];
    for (std::size_t c = 0; c < columns; ++c) filled[best * columns + c] += add[c];
  }
  return part_of;
}

}  // namespace

std::vector<Split> split_by_subject(const Dataset& dataset, const SplitOptions& options) {
  for (const double fraction : options.fractions)
    require(std::isfinite(fraction) && fraction > 0, "a split's fraction must be above 0, got ",
            fraction);
  const Groups groups = groups_of(dataset, options.allow_leakage);
  const std::vector<int> parts = assign_groups(dataset, groups, options.fractions, options.seed);
  std::vector<Split> splits;
  splits.reserve(groups.of_sample.size());
  for (const std::size_t group : groups.of_sample)
    splits.push_back(static_cast<Split>(parts[group]));
  return splits;
}

std::vector<int> fold_by_subject(const Dataset& dataset, const FoldOptions& options) {
  require(options.folds >= 2 && options.folds <= 1000, "folds must be 2 to 1000, got ",
          options.folds);
  const Groups groups = groups_of(dataset, options.allow_leakage);
  const std::vector<double> fractions(static_cast<std::size_t>(options.folds), 1.0);
  const std::vector<int> parts = assign_groups(dataset, groups, fractions, options.seed);
  std::vector<int> folds;
  folds.reserve(groups.of_sample.size());
  for (const std::size_t group : groups.of_sample) folds.push_back(parts[group]);
  return folds;
}

ChosenSplits choose_splits(const Dataset& dataset, const SplitOptions& options) {
  check_subjects(dataset, options.allow_leakage);
  ChosenSplits chosen{.splits = dataset.table().splits};
  chosen.made = chosen.splits.empty();
  if (chosen.made) chosen.splits = split_by_subject(dataset, options);
  chosen.flattered = check_leakage(dataset, chosen.splits, options.allow_leakage);
  return chosen;
}

std::string hash_of(const std::vector<Split>& splits) {
  std::vector<ImageHash> words;
  for (const Split split : splits) words.push_back({static_cast<std::uint64_t>(split), 1});
  return combined_hash(words);
}

std::vector<std::int64_t> indices_of(const std::vector<Split>& splits, Split which) {
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < splits.size(); ++i)
    if (splits[i] == which) indices.push_back(static_cast<std::int64_t>(i));
  return indices;
}

bool check_leakage(const Dataset& dataset, const std::vector<Split>& splits, bool allow_leakage) {
  const auto n = static_cast<std::size_t>(dataset.size());
  require(splits.size() == n, dataset.name(), ": ", splits.size(), " splits for ", n, " images");
  const std::span<const ImageHash> hashes = dataset.hashes();
  require(hashes.size() == n, dataset.name(), ": its images were not hashed");
  const auto where = [&](std::size_t i) {
    return text("image ", i, " (", name_of(splits[i]), ")");
  };

  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < n; ++i)
    if (!hashes[i].constant()) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(hashes[a], a) < std::pair(hashes[b], b);
  });
  for (std::size_t k = 1; k < order.size(); ++k) {
    const std::size_t a = order[k - 1], b = order[k];
    if (hashes[a] == hashes[b] && splits[a] != splits[b])
      fail(ErrorKind::input, dataset.name(), ": ", where(a), " and ", where(b),
           " are identical; remove one, or give both to one split");
  }

  if (dataset.table().subjects.empty()) return true;
  // The subject itself is not printed: it may be a person's name.
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t other = first.try_emplace(dataset.table().subjects[i], i).first->second;
    if (splits[other] == splits[i]) continue;
    if (allow_leakage) return true;
    fail(ErrorKind::input, dataset.name(), ": ", where(other), " and ", where(i),
         " are of the same subject; give a subject to one split, or accept that with "
         "--allow-leakage");
  }
  return false;
}

}  // namespace ratnet::inline v1
