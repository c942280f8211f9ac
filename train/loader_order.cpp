#include "loader_order.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "../core/random.h"

namespace ratnet::inline v1 {
namespace {

// The streams of one epoch; epochs beyond 2^56 would meet.
enum class Purpose : std::uint64_t { balance = 1, blocks = 2, rows = 3 };

Random stream(const OrderOptions& options, std::int64_t epoch, Purpose purpose) {
  return Random(options.seed,
                (static_cast<std::uint64_t>(purpose) << 56) | static_cast<std::uint64_t>(epoch));
}

std::vector<Draw> balanced_draws(std::span<const std::int64_t> indices,
                                 std::span<const std::uint8_t> labels, const OrderOptions& options,
                                 std::int64_t epoch) {
  std::map<std::uint8_t, std::vector<std::int64_t>> classes;
  for (const std::int64_t index : indices)
    classes[labels[static_cast<std::size_t>(index)]].push_back(index);
  Random random = stream(options, epoch, Purpose::balance);
  std::vector<Draw> draws;
  const std::size_t total = indices.size() * static_cast<std::size_t>(options.copies);
  draws.reserve(total);
  std::size_t remainder = total % classes.size();
  for (auto& [label, members] : classes) {
    std::size_t wanted = total / classes.size();
    if (remainder > 0) {
      --remainder;
      ++wanted;
    }
    random.shuffle(std::span(members));
    for (std::size_t i = 0; i < wanted; ++i)
      draws.push_back({members[i % members.size()], static_cast<std::int32_t>(i / members.size())});
  }
  return draws;
}

std::vector<std::int64_t> rows_of(std::span<const Draw> draws) {
  std::vector<std::int64_t> rows;
  rows.reserve(draws.size());
  for (const Draw& draw : draws) rows.push_back(draw.index);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

void add_window(EpochOrder& order, std::int64_t begin, std::int64_t end) {
  const auto draws =
      std::span<const Draw>(order.draws)
          .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  order.windows.push_back({begin, end, rows_of(draws)});
}

}  // namespace

EpochOrder epoch_order(std::span<const std::int64_t> indices, std::span<const std::uint8_t> labels,
                       const OrderOptions& options, std::int64_t epoch) {
  EpochOrder order;
  if (options.balance)
    order.draws = balanced_draws(indices, labels, options, epoch);
  else
    for (const std::int64_t index : indices)
      for (std::int64_t copy = 0; copy < options.copies; ++copy)
        order.draws.push_back({index, static_cast<std::int32_t>(copy)});
  const auto n = static_cast<std::int64_t>(order.draws.size());

  if (!options.shuffle) {
    for (std::int64_t begin = 0; begin < n; begin += options.window_rows)
      add_window(order, begin, std::min(n, begin + options.window_rows));
    return order;
  }

  // Draws by block, blocks in random order.
  std::sort(order.draws.begin(), order.draws.end(), [](const Draw& a, const Draw& b) {
    return a.index != b.index ? a.index < b.index : a.copy < b.copy;
  });
  struct Block {
    std::int64_t begin, end, rows;
  };
  std::vector<Block> blocks;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = [&](std::int64_t k) { return order.draws[static_cast<std::size_t>(k)].index; };
    if (i == 0 || at(i) / options.block != at(i - 1) / options.block) blocks.push_back({i, i, 0});
    blocks.back().end = i + 1;
    if (blocks.back().begin == i || at(i) != at(i - 1)) ++blocks.back().rows;
  }
  Random block_random = stream(options, epoch, Purpose::blocks);
  block_random.shuffle(std::span(blocks));

  // Windows of whole blocks, shuffled within.
  Random row_random = stream(options, epoch, Purpose::rows);
  std::vector<Draw> shuffled;
  shuffled.reserve(order.draws.size());
  std::vector<std::int64_t> ends;
  std::int64_t rows = 0;
  for (const Block& block : blocks) {
    if (rows > 0 && rows + block.rows > options.window_rows) {
      ends.push_back(static_cast<std::int64_t>(shuffled.size()));
      rows = 0;
    }
    rows += block.rows;
    shuffled.insert(shuffled.end(), order.draws.begin() + block.begin,
                    order.draws.begin() + block.end);
  }
  ends.push_back(n);
  order.draws = std::move(shuffled);
  std::int64_t begin = 0;
  for (const std::int64_t end : ends) {
    row_random.shuffle(
        std::span(order.draws)
            .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
    add_window(order, begin, end);
    begin = end;
  }
  return order;
}

}  // namespace ratnet::inline v1
