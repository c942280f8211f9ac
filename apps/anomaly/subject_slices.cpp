#include "subject_slices.h"

#include <algorithm>
#include <map>

#include "../../imaging/resample.h"
#include "ground_truth.h"

namespace ratnet::inline v1 {

void check_subject(const char* who, const PreparedSubject& subject) {
  const auto slices = static_cast<std::size_t>(subject.slices());
  const Shape shape{subject.slices(), kJudgedSize, kJudgedSize};
  const auto check = [&](const char* what, const Tensor& tensor, DType type) {
    require(tensor.shape() == shape && tensor.dtype() == type, who, ": ", what, " of '",
            subject.name, "' is ", name_of(tensor.dtype()), " ", tensor.shape(), ", expected ",
            name_of(type), " ", shape);
  };
  check("images", subject.images, DType::f32);
  check("brain", subject.brain, DType::u8);
  if (has_masks(subject)) check("lesions", subject.lesions, DType::u8);
  require(subject.judged.size() == slices && subject.areas.size() == slices &&
              (subject.labels.empty() || subject.labels.size() == slices) &&
              (subject.lesion_kinds.empty() || subject.lesion_kinds.size() == slices) &&
              (subject.hashes.empty() || subject.hashes.size() == slices),
          who, ": '", subject.name, "' has ", slices, " positions, ", subject.areas.size(),
          " areas, ", subject.judged.size(), " marks of judged slices, ", subject.labels.size(),
          " labels, ", subject.lesion_kinds.size(), " kinds of lesions and ", subject.hashes.size(),
          " hashes");
}

Tensor resample_slices(const Tensor& images, std::int64_t to) {
  const std::int64_t from = images.shape()[1];
  require(images.shape().rank() == 3 && images.shape()[2] == from,
          "resample: square slices expected, got ", images.shape());
  const SliceResampler resampler({.rows = from, .columns = from}, to, to);
  std::vector<float> scratch(resampler.scratch_size());
  Tensor result({images.shape()[0], to, to}, DType::f32);
  for (std::int64_t s = 0; s < images.shape()[0]; ++s)
    resampler.run(slice_of<float>(images, s), slice_of<float>(result, s), scratch);
  return result;
}

Tensor brain_as_floats(const Tensor& brain) {
  Tensor floats(brain.shape(), DType::f32);
  std::ranges::transform(brain.values<std::uint8_t>(), floats.values<float>().begin(),
                         [](std::uint8_t inside) { return inside ? 1.0f : 0.0f; });
  return floats;
}

PreparedSubject with_all_brain(const PreparedSubject& subject) {
  PreparedSubject copy{subject.name,
                       subject.subject,
                       subject.images.clone(),
                       subject.brain.clone(),
                       {},
                       subject.positions,
                       subject.areas,
                       subject.judged,
                       subject.labels,
                       subject.lesion_kinds,
                       subject.range,
                       subject.hashes};
  for (std::size_t s = 0; s < copy.judged.size(); ++s) copy.judged[s] = copy.areas[s] > 0;
  return copy;
}

People people_in(std::span<const std::string> persons) {
  People people;
  std::map<std::string, std::size_t> places;
  for (const std::string& person : persons)
    people.of.push_back(places.try_emplace(person, places.size()).first->second);
  people.count = places.size();
  return people;
}

People people_in(std::span<const PreparedSubject* const> scans) {
  std::vector<std::string> persons;
  for (const PreparedSubject* scan : scans) persons.push_back(scan->person());
  return people_in(persons);
}

std::vector<HealthySlice> healthy_slices(const char* who,
                                         std::span<const PreparedSubject* const> subjects) {
  std::vector<HealthySlice> healthy;
  for (std::size_t n = 0; n < subjects.size(); ++n) {
    const PreparedSubject& subject = *subjects[n];
    check_subject(who, subject);
    for (std::int64_t s = 0; s < subject.slices(); ++s) {
      if (!subject.judged[static_cast<std::size_t>(s)]) continue;
      const bool told = has_masks(subject) || !subject.labels.empty();
      if (!told || truth_of(subject, s).truth == LesionTruth::healthy) healthy.push_back({n, s});
    }
  }
  if (healthy.empty())
    fail(ErrorKind::input, who, ": none of ", subjects.size(),
         " subjects has a slice that can be judged and holds no lesion");
  return healthy;
}

}  // namespace ratnet::inline v1
