#include "../../train/split.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

// `subjects` animals of `each` different images; the share of label 1 differs between animals.
TensorDataset cohort(int subjects, int each, bool named = true) {
  const std::int64_t n = subjects * each;
  Tensor images({n, 4, 4}, DType::u8);
  SampleTable table;
  Random random(1);
  for (std::int64_t i = 0; i < n; ++i) {
    for (int p = 0; p < 16; ++p)
      images.values<std::uint8_t>()[static_cast<std::size_t>(i * 16 + p)] =
          static_cast<std::uint8_t>(random.integer(256));
    const std::int64_t subject = i / each;
    if (named) table.subjects.push_back("animal " + std::to_string(subject));
    table.labels.push_back(random.chance(subject % 4 == 0 ? 0.6 : 0.1) ? 1 : 0);
  }
  return TensorDataset(std::move(images), std::move(table), {}, "cohort");
}

std::map<Split, std::set<std::string>> subjects_by_split(const Dataset& dataset,
                                                         const std::vector<Split>& splits) {
  std::map<Split, std::set<std::string>> out;
  for (std::size_t i = 0; i < splits.size(); ++i)
    out[splits[i]].insert(dataset.table().subjects[i]);
  return out;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a split keeps subjects whole, counts them 70/15/15 and spreads labels evenly") {
  const TensorDataset dataset = cohort(40, 25);
  std::set<std::vector<Split>> different;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const std::vector<Split> splits = split_by_subject(dataset, {.seed = seed});
    CHECK(splits == split_by_subject(dataset, {.seed = seed}));
    different.insert(splits);
    auto subjects = subjects_by_split(dataset, splits);
    CHECK(subjects[Split::train].size() == 28);
    CHECK(subjects[Split::validation].size() == 6);
    CHECK(subjects[Split::test].size() == 6);
    check_leakage(dataset, splits);

    const auto& labels = dataset.table().labels;
    const double all = std::accumulate(labels.begin(), labels.end(), 0.0) / 1000;
    for (const Split split : {Split::train, Split::validation, Split::test}) {
      const std::vector<std::int64_t> indices = indices_of(splits, split);
      double dark = 0;
      for (const std::int64_t i : indices) dark += labels[static_cast<std::size_t>(i)];
      CHECK(std::abs(dark / static_cast<double>(indices.size()) - all) < 0.08);
    }
  }
  CHECK(different.size() == 5);
}

TEST_CASE("small cohorts give every split a subject, or say that they cannot") {
  const TensorDataset three = cohort(3, 4);
  auto subjects = subjects_by_split(three, split_by_subject(three, {}));
  CHECK(subjects.size() == 3);
  const TensorDataset two = cohort(2, 4);
  CHECK(message_of([&] { split_by_subject(two, {}); }).find("2 subjects") != std::string::npos);
}

TEST_CASE("folds keep subjects whole and judge every sample once") {
  const TensorDataset dataset = cohort(23, 10);
  const std::vector<int> folds = fold_by_subject(dataset, {.folds = 5, .seed = 2});
  std::map<std::string, std::set<int>> of_subject;
  std::map<int, std::set<std::string>> of_fold;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    of_subject[dataset.table().subjects[i]].insert(folds[i]);
    of_fold[folds[i]].insert(dataset.table().subjects[i]);
  }
  for (const auto& [subject, its] : of_subject) CHECK(its.size() == 1);
  REQUIRE(of_fold.size() == 5);
  for (const auto& [fold, its] : of_fold) CHECK((its.size() == 4 || its.size() == 5));
  CHECK_THROWS_AS(fold_by_subject(dataset, {.folds = 1}), Error);
  CHECK(message_of([&] { fold_by_subject(dataset, {.folds = 24}); }).find("23 subjects") !=
        std::string::npos);
}

TEST_CASE("without subjects a split needs to be allowed, and keeps copies together") {
  TensorDataset plain = cohort(20, 10, false);
  CHECK(message_of([&] { split_by_subject(plain, {}); }).find("--allow-leakage") !=
        std::string::npos);
  CHECK(message_of([&] { fold_by_subject(plain, {}); }).find("--allow-leakage") !=
        std::string::npos);
  Tensor images({200, 4, 4}, DType::u8);
  plain.read(0, images.view().reshaped({200, 4, 4, 1}));
  // Every image has a copy.
  for (std::size_t i = 0; i < 100 * 16; ++i)
    images.values<std::uint8_t>()[100 * 16 + i] = images.values<std::uint8_t>()[i];
  SampleTable table = plain.table();
  const TensorDataset copies(std::move(images), table);
  const std::vector<Split> splits = split_by_subject(copies, {.allow_leakage = true});
  check_leakage(copies, splits);
  CHECK(indices_of(splits, Split::train).size() == 140);
  CHECK(indices_of(splits, Split::test).size() == 30);
}

TEST_CASE("copies and subjects across splits are refused with an example") {
  Tensor images({6, 2, 2}, DType::u16);
  for (std::size_t i = 0; i < 24; ++i)
    images.values<std::uint16_t>()[i] = static_cast<std::uint16_t>(i);
  const std::vector<Split> splits = {Split::train, Split::train,      Split::train,
                                     Split::test,  Split::validation, Split::test};
  SampleTable table;
  table.subjects = {"a", "a", "b", "c", "d", "e"};
  SECTION("nothing wrong; constant images are no copies of each other") {
    for (const std::size_t image : {0u, 4u})
      for (std::size_t p = 0; p < 4; ++p) images.values<std::uint16_t>()[image * 4 + p] = 300;
    check_leakage(TensorDataset(std::move(images), table), splits);
  }
  SECTION("a copy, also where leakage between subjects is allowed") {
    for (std::size_t p = 0; p < 4; ++p)
      images.values<std::uint16_t>()[5 * 4 + p] = images.values<std::uint16_t>()[1 * 4 + p];
    const TensorDataset dataset(std::move(images), table, {}, "six");
    for (const bool allow : {false, true})
      CHECK(message_of([&] {
              check_leakage(dataset, splits, allow);
            }).rfind("six: image 1 (train) and image 5 (test) are identical", 0) == 0);
    const std::vector<Split> together(6, Split::train);
    check_leakage(dataset, together);
  }
  SECTION("a subject") {
    table.subjects[4] = "b";
    const TensorDataset dataset(std::move(images), table, {}, "six");
    const std::string message = message_of([&] { check_leakage(dataset, splits); });
    CHECK(message.rfind("six: image 2 (train) and image 4 (validation)", 0) == 0);
    check_leakage(dataset, splits, true);
  }
}

TEST_CASE("splits are the file's or made, and a dataset without subjects has to be let") {
  TensorDataset named = cohort(20, 5);
  const TensorDataset unnamed = cohort(20, 5, false);
  const ChosenSplits made = choose_splits(named, {.seed = 3});
  CHECK(made.made);
  CHECK(!made.flattered);
  CHECK(made.splits == split_by_subject(named, {.seed = 3}));

  Tensor images({100, 4, 4, 1}, DType::u8);
  named.read(0, images.view());
  SampleTable table = named.table();
  table.splits.assign(100, Split::train);
  table.splits[0] = Split::test;
  const TensorDataset split(images.clone(), table, {}, "split");
  CHECK(message_of([&] { choose_splits(split, {}); }).find("same subject") != std::string::npos);
  const ChosenSplits file = choose_splits(split, {.allow_leakage = true});
  CHECK(!file.made);
  CHECK(file.flattered);
  CHECK(file.splits == table.splits);

  // Nor do splits of its own help a dataset that names nobody.
  table.subjects.clear();
  const TensorDataset nobody(std::move(images), table, {}, "nobody");
  for (const TensorDataset* dataset : {&nobody, &unnamed})
    CHECK(message_of([&] { choose_splits(*dataset, {}); }).find("names no subjects") !=
          std::string::npos);
  CHECK(choose_splits(unnamed, {.allow_leakage = true}).flattered);
}

TEST_CASE("hashes tell images apart by any one pixel") {
  std::vector<std::uint8_t> image(64 * 64);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i * 7);
  const auto hash = [&] { return hash_image(std::as_bytes(std::span(image)), 1); };
  std::set<ImageHash> all = {hash()};
  for (std::uint8_t& pixel : image) {
    ++pixel;
    all.insert(hash());
    pixel = static_cast<std::uint8_t>(pixel - 1);
  }
  CHECK(all.size() == image.size() + 1);
  CHECK(all.count(ImageHash{}) == 0);
  // The odd bytes at the end and the length count too.
  std::set<ImageHash> lengths;
  for (std::size_t n = 2; n < 70; ++n)
    lengths.insert(hash_image(std::as_bytes(std::span(image)).first(n), 1));
  CHECK(lengths.size() == 68);
  const std::vector<ImageHash> few(all.begin(), std::next(all.begin(), 5));
  CHECK(combined_hash(few).size() == 32);
  CHECK(combined_hash(few) != combined_hash(std::span(few).first(4)));
}
