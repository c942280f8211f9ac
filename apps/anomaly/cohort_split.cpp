#include "cohort_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../core/random.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kTest = 0.24, kValidation = 0.16;

std::vector<Split> drawn(std::size_t subjects) {
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

}  // namespace

std::vector<Split> split_cohort(const Cohort& cohort) {
  const std::vector<CohortSubject>& subjects = cohort.subjects();
  const SampleTable& table = cohort.dataset().table();
  if (subjects.size() < 3)
    fail(ErrorKind::input, cohort.dataset().name(), ": has ", subjects.size(),
         " subjects; training, calibration and test need at least one each");
  std::vector<Split> splits, by_row(static_cast<std::size_t>(cohort.slices()));
  if (table.splits.empty())
    splits = drawn(subjects.size());
  else
    for (const CohortSubject& subject : subjects)
      splits.push_back(table.splits[static_cast<std::size_t>(subject.rows.front())]);
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (const std::int64_t row : subjects[i].rows)
      by_row[static_cast<std::size_t>(row)] = splits[i];
  check_leakage(cohort.dataset(), table.splits.empty() ? by_row : table.splits);
  return splits;
}

std::vector<const PreparedSubject*> of_split(std::span<const PreparedSubject> subjects,
                                             const std::vector<Split>& splits, Split which) {
  std::vector<const PreparedSubject*> chosen;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    if (splits[i] == which) chosen.push_back(&subjects[i]);
  return chosen;
}

}  // namespace ratnet::inline v1
