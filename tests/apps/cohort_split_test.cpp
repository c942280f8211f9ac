// Who trains, calibrates and tests.
#include "../../apps/anomaly/cohort_split.h"

#include <algorithm>
#include <string>
#include <vector>

#include "../catch.h"
#include "../network/refused.h"

using namespace ratnet;
using ratnet::testing::refused;

TEST_CASE("cohorts are split by subject, the same way every time") {
  Tensor images({60, 4, 4}, DType::u8);
  for (std::size_t i = 0; i < images.values<std::uint8_t>().size(); ++i)
    images.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  SampleTable table;
  for (std::int32_t i = 0; i < 60; ++i) {
    table.subjects.push_back("s" + std::to_string(i / 3));
    table.slices.push_back(i % 3);
  }
  const auto split = [&](const SampleTable& of) {
    return split_cohort(SubjectCohort(std::make_unique<TensorDataset>(images.clone(), of)));
  };
  const std::vector<Split> drawn = split(table);
  CHECK(drawn == split(table));
  CHECK(std::ranges::count(drawn, Split::test) == 5);
  CHECK(std::ranges::count(drawn, Split::validation) == 3);
  SampleTable stated = table;
  for (std::int32_t i = 0; i < 60; ++i)
    stated.splits.push_back(i < 30 ? Split::train : i < 45 ? Split::validation : Split::test);
  CHECK(std::ranges::count(split(stated), Split::test) == 5);
  CHECK(split(stated)[0] == Split::train);
  // Three sessions of one slice each part nobody, and are drawn as if they were one scan.
  SampleTable sessions = table;
  for (std::int32_t i = 0; i < 60; ++i) sessions.sessions.push_back(std::to_string(i % 3));
  const std::vector<Split> scans = split(sessions);
  REQUIRE(scans.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) CHECK(scans[i] == drawn[i / 3]);
  const auto hash = [&](const SampleTable& of) {
    return hash_of(SubjectCohort(std::make_unique<TensorDataset>(images.clone(), of)));
  };
  CHECK(hash(sessions) != hash(table));
  stated.splits[1] = Split::test;  // of the first subject
  CHECK(refused(ErrorKind::input, "same subject", [&] { split(stated); }) == "");
}
