#include "cohort_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../core/random.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kTest = 0.24, kValidation = 0.16;

}  // namespace

std::vector<Split> split_people(std::span<const std::string> persons, const std::string& name) {
  const People people = people_in(persons);
  const std::size_t subjects = people.count;
  if (subjects < 3)
    fail(ErrorKind::input, name, ": has ", subjects, subjects == 1 ? " subject" : " subjects",
         ", and at least three are needed, to train, to calibrate and to test");
  std::vector<std::size_t> order(subjects);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(0);
  random.shuffle(std::span(order));
  const auto share = [&](double part) {
    const auto n = static_cast<std::size_t>(std::llround(part * static_cast<double>(subjects)));
    return std::max<std::size_t>(1, n);
  };
  const std::size_t test = share(kTest), held_out = test + share(kValidation);
  std::vector<Split> of_people(subjects, Split::train), splits;
  for (std::size_t i = 0; i < held_out; ++i)
    of_people[order[i]] = i < test ? Split::test : Split::validation;
  for (const std::size_t person : people.of) splits.push_back(of_people[person]);
  return splits;
}

std::vector<Split> split_cohort(const SubjectCohort& cohort) {
  const std::vector<CohortScan>& scans = cohort.scans();
  const SampleTable& table = cohort.dataset().table();
  std::vector<Split> splits, by_row(static_cast<std::size_t>(cohort.slices()));
  if (table.splits.empty()) {
    std::vector<std::string> persons;
    for (const CohortScan& scan : scans) persons.push_back(scan.subject);
    splits = split_people(persons, cohort.dataset().name());
  } else {
    for (const CohortScan& scan : scans)
      splits.push_back(table.splits[static_cast<std::size_t>(scan.rows.front())]);
  }
  for (std::size_t i = 0; i < scans.size(); ++i)
    for (const std::int64_t row : scans[i].rows) by_row[static_cast<std::size_t>(row)] = splits[i];
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
  // The names of subjects' only scans say nothing new.
  for (const CohortScan& scan : cohort.scans())
    if (scan.name != scan.subject)
      for (const std::int64_t row : scan.rows) rows += text(scan.name, ' ', row, '\n');
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
