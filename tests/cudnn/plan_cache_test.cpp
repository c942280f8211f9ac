#include "../../kernels/cuda/plan_cache.h"

#include "../catch.h"

using namespace ratnet;

TEST_CASE("a full cache of plans lets go of what was used longest ago") {
  PlanCache<int, int> cache;
  const int most = static_cast<int>(cache.kMost);
  for (int key = 0; key < most; ++key) cache.add(key, key * 10);
  REQUIRE(cache.find(0));  // used now: 1 is the oldest
  cache.find(2)->captured = true;
  cache.add(most, 1);
  CHECK(cache.size() == cache.kMost);
  CHECK_FALSE(cache.find(1));
  REQUIRE(cache.find(0));
  CHECK(cache.find(0)->value == 0);
  for (int key = 1; key <= 2 * most; ++key) cache.add(most + key, 1);
  CHECK(cache.size() == cache.kMost);
  CHECK_FALSE(cache.find(0));
  REQUIRE(cache.find(2));  // captured work may still use it
  CHECK(cache.find(2)->value == 20);
}
