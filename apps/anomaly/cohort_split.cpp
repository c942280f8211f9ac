#include "cohort_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../core/random.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kTest = 0.24, kValidation = 0.16;

}  // namespace

std::vector<Split> split_subjects(std::size_t subjects, const std::string& name) {
  if (subjects < 3)
    fail(ErrorKind::input, name, ": has ", subjects,
         " subjects; training, calibration and test need at least one each");
  std::vector<std::size_t> order(subjects);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(0);
  random.shuffle(std::span(order));
  const auto share = [&](double part) {
    const auto n = static_cast<std::size_t>(std::llround(part * static_cast<double>(subjects)));
    return std::max<std::size_t>(1, n);
  };
  const std::size_t test = share(kTest), held_out = test + share(kValidation);
  std::vector<Split> splits(subjects, Split::train);
  for (std::size_t i = 0; i < held_out; ++i)
    splits[order[i]] = i < test ? Split::test : Split::validation;
  return splits;
}

std::vector<Split> split_cohort(const SubjectCohort& cohort) {
  const std::vector<CohortSubject>& subjects = cohort.subjects();
  const SampleTable& table = cohort.dataset().table();
  std::vector<Split> splits, by_row(static_cast<std::size_t>(cohort.slices()));
  if (table.splits.empty())
    splits = split_subjects(subjects.size(), cohort.dataset().name());
  else
    for (const CohortSubject& subject : subjects)
      splits.push_back(table.splits[static_cast<std::size_t>(subject.rows.front())]);
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (const std::int64_t row : subjects[i].rows)
      by_row[static_cast<std::size_t>(row)] = splits[i];
  check_leakage(cohort.dataset(), table.splits.empty() ? by_row : table.splits);
  return splits;
}

std::string hash_of(const SubjectCohort& cohort) {
  const SampleTable& table = cohort.dataset().table();
  std::vector<ImageHash> hashes(cohort.dataset().hashes().begin(), cohort.dataset().hashes().end());
  if (cohort.masks())
    hashes.insert(hashes.end(), cohort.masks()->hashes().begin(), cohort.masks()->hashes().end());
  std::string rows;
  for (const auto& subject : table.subjects) rows += subject + '\n';
  for (const auto slice : table.slices) rows += std::to_string(slice) + ' ';
  for (const auto label : table.labels) rows += std::to_string(label) + ' ';
  for (const auto split : table.splits) rows += name_of(split);
  hashes.push_back(hash_image(std::as_bytes(std::span(rows)), 1));
  return combined_hash(hashes);
}

std::vector<const PreparedSubject*> of_split(std::span<const PreparedSubject> subjects,
                                             const std::vector<Split>& splits, Split which) {
  std::vector<const PreparedSubject*> chosen;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    if (splits[i] == which) chosen.push_back(&subjects[i]);
  return chosen;
}

}  // namespace ratnet::inline v1
