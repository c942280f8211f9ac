#include "../../apps/anomaly/detection.h"

#include <algorithm>

#include "../../core/error.h"
#include "../catch.h"
#include "subject_maker.h"

using namespace ratnet;

namespace {

// Threshold 1; 19 healthy subjects of one slice each score 1 to 19, so that the rate is 1 in 20 and
// unusual is what scores above 19.
AnomalyModel model_of_nineteen() {
  AnomalyModel model;
  model.model.threshold = 1;
  std::vector<std::vector<double>> scores;
  for (int n = 1; n <= 19; ++n) scores.push_back({static_cast<double>(n)});
  model.reference.emplace(scores);
  return model;
}

// Marks a box of 4 x 4 pixels as lesion, of which the map exceeds the threshold in `above`.
void mark(PreparedSubject& subject, SubjectScores& scores, std::int64_t slice, std::int64_t row,
          std::int64_t column, int above) {
  for (std::int64_t y = row; y < row + 4; ++y)
    for (std::int64_t x = column; x < column + 4; ++x) {
      subject.lesions.values<std::uint8_t>()[voxel(slice, y, x)] = 1;
      scores.maps.values<float>()[voxel(slice, y, x)] = above-- > 0 ? 1.0f : 0.9f;
    }
}

struct Case {
  PreparedSubject subject = made_subject(6, [](auto...) { return 0.5; });
  SubjectScores scores{Tensor(subject.images.shape(), DType::f32), {3, 3, 3, 3, 3, 3}};

  Case() { subject.lesions = Tensor(subject.images.shape(), DType::u8); }
};

}  // namespace

TEST_CASE("lesions, slices and subjects are found at the model's own threshold and rate") {
  const AnomalyModel model = model_of_nineteen();
  Detection detection;
  Case ill;
  mark(ill.subject, ill.scores, 0, 40, 40, 16);
  mark(ill.subject, ill.scores, 1, 44, 44, 0);  // meets it at a corner: half of the two together
  mark(ill.subject, ill.scores, 3, 60, 60, 7);  // less than half
  mark(ill.subject, ill.scores, 5, 60, 60, 16);
  ill.subject.judged[5] = 0;  // is not counted
  ill.scores.slice_scores = {20, 19, 3, 3, 21, 50};
  detect(detection, model, {{ill.subject, ill.scores}});
  CHECK(detection.rate == Approx(0.05));
  CHECK(detection.lesions.found == 1);
  CHECK(detection.lesions.of == 2);
  CHECK(detection.lesion_slices.found == 1);
  CHECK(detection.lesion_slices.of == 3);
  CHECK(detection.healthy_slices.found == 1);
  CHECK(detection.healthy_slices.of == 2);
  CHECK(detection.lesion_subjects.found == 1);
  CHECK(detection.lesion_subjects.of == 1);
  CHECK(detection.healthy_subjects.of == 0);

  Case well;
  well.scores.slice_scores = {3, 3, 3, 3, 3, 19};
  detect(detection, model, {{well.subject, well.scores}});
  well.scores.slice_scores[5] = 20;
  detect(detection, model, {{well.subject, well.scores}});
  CHECK(detection.healthy_subjects.found == 1);
  CHECK(detection.healthy_subjects.of == 2);
  CHECK(detection.lesion_subjects.of == 1);

  // Of whom nothing is known he is neither; nor is one of whom nothing is judged.
  Case unknown;
  unknown.subject.lesions = {};
  detect(detection, model, {{unknown.subject, unknown.scores}});
  Case unjudged;
  std::ranges::fill(unjudged.subject.judged, std::uint8_t{0});
  detect(detection, model, {{unjudged.subject, unjudged.scores}});
  CHECK(detection.healthy_subjects.of == 2);
  CHECK(detection.healthy_slices.of == 14);
  CHECK(detection.lesions.of == 2);
}

TEST_CASE("a subject is found where the worst of his scans is, and counts once") {
  const AnomalyModel model = model_of_nineteen();
  Case before, after;
  before.scores.slice_scores = {3, 3, 3, 3, 3, 19};
  mark(after.subject, after.scores, 2, 40, 40, 16);
  after.scores.slice_scores = {3, 3, 20, 3, 3, 3};
  Detection detection;
  detect(detection, model, {{before.subject, before.scores}, {after.subject, after.scores}});
  CHECK(detection.lesion_subjects.found == 1);
  CHECK(detection.lesion_subjects.of == 1);
  CHECK(detection.healthy_subjects.of == 0);
  CHECK(detection.lesions.of == 1);
  CHECK(detection.lesion_slices.of == 1);
  CHECK(detection.healthy_slices.of == 11);
  // A healthy subject whose second scan alone is unusual.
  after.subject.lesions = Tensor(after.subject.images.shape(), DType::u8);
  Detection healthy;
  detect(healthy, model, {{before.subject, before.scores}, {after.subject, after.scores}});
  CHECK(healthy.healthy_subjects.found == 1);
  CHECK(healthy.healthy_subjects.of == 1);
}

TEST_CASE("a detection needs scores of the subject and a calibrated model") {
  Detection detection;
  Case one;
  CHECK_THROWS_AS(detect(detection, AnomalyModel(), {{one.subject, one.scores}}), Error);
  one.scores.slice_scores.pop_back();
  CHECK_THROWS_AS(detect(detection, model_of_nineteen(), {{one.subject, one.scores}}), Error);
}
