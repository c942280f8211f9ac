#include "../../apps/anomaly/cohort.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "../../apps/anomaly/cohort_hdf5.h"
#include "../catch.h"
#include "../data.h"
#include "../train/hdf5_file.h"
#include "head_stack.h"

using namespace ratnet;

namespace {

constexpr std::size_t kPixels = 128 * 128;

std::string refusal(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
  return "";
}

std::unique_ptr<Dataset> dataset(std::int64_t n, SampleTable table) {
  return std::make_unique<TensorDataset>(Tensor({n, 4, 4}, DType::u8), std::move(table));
}

}  // namespace

TEST_CASE("subjects are grouped wherever their slices stand, and ordered by slice number") {
  const auto data = dataset(
      7, {.subjects = {"b", "a", "b", "a", "c", "b", "a"}, .slices = {3, 5, 1, -2, 9, 2, 0}});
  const std::vector<CohortScan> subjects = scans_of(*data);
  REQUIRE(subjects.size() == 3);
  CHECK(subjects[0].name == "b");
  CHECK(subjects[0].rows == std::vector<std::int64_t>{2, 5, 0});
  CHECK(subjects[1].rows == std::vector<std::int64_t>{3, 6, 1});
  CHECK(subjects[2].rows == std::vector<std::int64_t>{4});
}

TEST_CASE("sessions, runs and volumes of a subject are scans of their own") {
  // Subject a: two sessions, the second of two runs; b: one scan, which needs no other name.
  SampleTable table{.subjects = {"a", "a", "a", "b", "a", "a", "b", "a"},
                    .sessions = {"1", "2", "2", "2", "1", "2", "2", "2"},
                    .runs = {"1", "1", "2", "1", "1", "1", "1", "2"},
                    .volumes = std::vector<std::int32_t>(8, 0),
                    .slices = {0, 1, 0, 0, 1, 0, 1, 1}};
  const std::vector<CohortScan> scans = scans_of(*dataset(8, table));
  REQUIRE(scans.size() == 4);
  CHECK(scans[0].name == "a_ses-1_run-1");
  CHECK(scans[1].name == "a_ses-2_run-1");
  CHECK(scans[2].name == "a_ses-2_run-2");
  CHECK(scans[3].name == "b");
  CHECK(scans[0].rows == std::vector<std::int64_t>{0, 4});
  CHECK(scans[1].rows == std::vector<std::int64_t>{5, 1});
  CHECK(scans[2].rows == std::vector<std::int64_t>{2, 7});
  for (std::size_t i = 0; i < 3; ++i) CHECK(scans[i].subject == "a");
  CHECK(scans[3].subject == "b");
  table.volumes = {4, 5, 5, 5, 4, 5, 5, 5};
  CHECK(scans_of(*dataset(8, table))[0].name == "a_ses-1_run-1_vol-4");
  table.sessions.clear();
  CHECK(refusal([&] { scans_of(*dataset(8, table)); }) == "");
  table.volumes.clear();
  CHECK(refusal([&] { scans_of(*dataset(8, table)); }).find("'a_run-1' has slice 0 twice") !=
        std::string::npos);
}

TEST_CASE("a dataset that makes no cohort is told what to add") {
  CHECK(refusal([] {
          scans_of(*dataset(2, {.slices = {1, 2}}));
        }).find("add 'subject'") != std::string::npos);
  CHECK(refusal([] {
          scans_of(*dataset(2, {.subjects = {"a", "a"}}));
        }).find("add 'slice'") != std::string::npos);
  const std::string twice = refusal([] {
    scans_of(*dataset(3, {.subjects = {"a", "b", "a"}, .slices = {4, 4, 4}}));
  });
  CHECK(twice.find("'a' has slice 4 twice; 'session'") != std::string::npos);
  SampleTable long_one{.subjects = std::vector<std::string>(2049, "a"),
                       .slices = std::vector<std::int32_t>(2049)};
  std::iota(long_one.slices.begin(), long_one.slices.end(), 0);
  CHECK(refusal([&] { scans_of(*dataset(2049, long_one)); }).find("2048") != std::string::npos);
  CHECK(refusal([] {
          SubjectCohort(std::make_unique<TensorDataset>(
              Tensor({1, 4, 4, 3}, DType::u8), SampleTable{.subjects = {"a"}, .slices = {1}}));
        }).find("channels") != std::string::npos);
}

TEST_CASE("kinds of lesions go by the names that the file gives them") {
  const HeadStack head = head_stack(20, 8, 1);
  SampleTable table{.subjects = std::vector<std::string>(20, "a")};
  table.slices.resize(20);
  std::iota(table.slices.begin(), table.slices.end(), 0);
  const auto prepared = [&](const DatasetAttributes& attributes) {
    return SubjectCohort(std::make_unique<TensorDataset>(head.images.clone(), table, attributes))
        .prepare(0);
  };
  CHECK(prepared({}).lesion_kinds.empty());
  table.columns["lesion_kind"].resize(20);
  table.columns["lesion_kind"][7] = 2;
  CHECK(prepared({}).lesion_kinds[7] == "2");
  const PreparedSubject named = prepared({.value_names = {{"lesion_kind", {"no", "x", "cyst"}}}});
  CHECK(named.lesion_kinds[7] == "cyst");
  CHECK(named.lesion_kinds[6].empty());
}

TEST_CASE("interleaved subjects of a file are prepared as if each stood alone") {
  // Two heads, slices of both in turn, the second's from top to bottom, with lesions and labels.
  const HeadStack heads[] = {head_stack(20, 8, 1), head_stack(20, 9, 2)};
  std::vector<float> pixels;
  std::vector<std::uint8_t> masks, labels, kinds;
  std::vector<std::string> names;
  std::vector<std::int32_t> numbers;
  for (std::size_t row = 0; row < 40; ++row) {
    const std::size_t which = row % 2, s = which == 0 ? row / 2 : 19 - row / 2;
    const auto slice = heads[which].images.values<float>().subspan(s * kPixels, kPixels);
    pixels.insert(pixels.end(), slice.begin(), slice.end());
    masks.resize(pixels.size());
    if (s == 11) masks[masks.size() - 64 * 128 - 50] = 1;
    labels.push_back(s == 11);
    kinds.push_back(s == 11 ? 3 : 0);
    names.push_back(which == 0 ? "first" : "second");
    numbers.push_back(static_cast<std::int32_t>(s) + 1);
  }
  const TemporaryPath path("cohort.h5");
  {
    Hdf5File file(path);
    file.dataset("images", {40, 128, 128}, pixels);
    file.dataset("masks", {40, 128, 128}, masks);
    file.dataset("labels", {40}, labels);
    file.dataset("slice", {40}, numbers);
    file.strings("subject", names);
    file.dataset("lesion_kind", {40}, kinds);
  }
  SubjectCohort cohort = open_hdf5_cohort(path);
  CHECK(cohort.slices() == 40);
  CHECK(cohort.grid().rows == 128);
  CHECK(cohort.masks() != nullptr);
  REQUIRE(cohort.scans().size() == 2);
  CHECK(cohort.scans()[1].rows[0] == 39);
  for (std::size_t which = 0; which < 2; ++which) {
    const PreparedSubject subject = cohort.prepare(which);
    const PreparedSubject alone = prepare_subject({.name = "alone", .images = heads[which].images});
    CHECK(subject.name == cohort.scans()[which].name);
    CHECK(std::ranges::equal(subject.images.values<float>(), alone.images.values<float>()));
    CHECK(subject.judged == alone.judged);
    CHECK(std::ranges::count(subject.judged, 1) > 8);
    REQUIRE(subject.labels.size() == 20);
    CHECK(subject.labels[11] == 1);
    CHECK(std::ranges::count(subject.labels, 1) == 1);
    REQUIRE(subject.lesion_kinds.size() == 20);
    CHECK(subject.lesion_kinds[11] == "3");
    CHECK(std::ranges::count(subject.lesion_kinds, "") == 19);
    const auto lesions = subject.lesions.values<std::uint8_t>();
    CHECK(std::ranges::find(lesions, 1) - lesions.begin() == 12 * 128 * 128 - 64 * 128 - 50);
    CHECK(std::ranges::count(lesions, 1) == 1);
  }
  CHECK_THROWS_AS(cohort.prepare(2), Error);
}

TEST_CASE("the brain masks of real patients take in their tumours") {
  const std::string path = real_data("lesions/lgg_flair_sites_DU_EZ.h5");
  if (path.empty()) {
    WARN("skipped: no lesions");
    return;
  }
  SubjectCohort cohort = open_hdf5_cohort(path);
  REQUIRE(cohort.scans().size() == 46);
  std::int64_t judged = 0, slices = 0, lesion = 0, inside = 0, all = 0;
  for (std::size_t n = 0; n < 46; n += 9) {
    const PreparedSubject subject = cohort.prepare(n);
    const auto lesions = subject.lesions.values<std::uint8_t>();
    const auto brain = subject.brain.values<std::uint8_t>();
    slices += subject.slices();
    for (std::size_t s = 0; s < subject.judged.size(); ++s) {
      judged += subject.judged[s];
      for (std::size_t i = s * kPixels; i < (s + 1) * kPixels; ++i) {
        all += lesions[i];
        lesion += lesions[i] * subject.judged[s];
        inside += lesions[i] * subject.judged[s] * brain[i];
      }
    }
  }
  INFO(judged << " of " << slices << " slices judged, " << inside << " of " << lesion
              << " lesion pixels in the brain, of " << all);
  CHECK(judged > slices / 2);
  CHECK(static_cast<double>(lesion) > 0.95 * static_cast<double>(all));
  CHECK(static_cast<double>(inside) > 0.98 * static_cast<double>(lesion));
}
