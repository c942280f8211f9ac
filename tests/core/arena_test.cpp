#include "../../core/arena.h"

#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

bool together(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The most bytes alive at one step: no layout needs less.
std::size_t least(const std::vector<Lifetime>& blocks) {
  std::size_t most = 0;
  for (const Lifetime& at : blocks) {
    std::size_t alive = 0;
    for (const Lifetime& block : blocks)
      if (block.first <= at.first && at.first <= block.last) alive += block.bytes;
    most = std::max(most, alive);
  }
  return most;
}

}  // namespace

TEST_CASE("blocks that live together never overlap in an arena") {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> blocks;
    std::size_t sum = 0;
    for (std::int64_t i = random.integer(40); i >= 0; --i) {
      const auto first = static_cast<int>(random.integer(30));
      blocks.push_back({static_cast<std::size_t>(random.integer(5000)), first,
                        first + static_cast<int>(random.integer(10))});
      sum += blocks.back().bytes + 64;
    }
    const ArenaLayout layout = plan_arena(blocks);
    REQUIRE(layout.offsets.size() == blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      REQUIRE(layout.offsets[i] % 64 == 0);
      REQUIRE(layout.offsets[i] + blocks[i].bytes <= layout.bytes);
      for (std::size_t k = 0; k < i; ++k) {
        if (!together(blocks[i], blocks[k])) continue;
        const bool apart = layout.offsets[i] + blocks[i].bytes <= layout.offsets[k] ||
                           layout.offsets[k] + blocks[k].bytes <= layout.offsets[i];
        REQUIRE(apart);
      }
    }
    CHECK(layout.bytes >= least(blocks));
    CHECK(layout.bytes <= sum);
  }
}

TEST_CASE("an arena uses memory again once it is free") {
  // A chain: each block is needed until the next is made.
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({640, i, i + 1});
  CHECK(plan_arena(chain).bytes == 2 * 640);
  CHECK(plan_arena({}).bytes == 0);
}
