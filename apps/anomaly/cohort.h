// The subjects of a dataset of slices, prepared one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../../imaging/volume.h"
#include "../../train/dataset.h"
#include "prepare.h"

namespace ratnet::inline v1 {

constexpr const char* kLesionKindColumn = "lesion_kind";  // of a file of slices; 0: none

struct CohortSubject {
  std::string name;
  std::vector<std::int64_t> rows;  // of its slices in the dataset, bottom to top
};

// In the order of their first rows; a subject's slices may stand anywhere, its slice numbers order
// them. Throws Error (input), saying what to add or change, for a table without subjects or slice
// numbers, a subject with a slice number twice (two sessions, say), or with more than 2048 slices.
std::vector<CohortSubject> subjects_of(const Dataset& dataset);

// Keeps a dataset open and reads of it what one subject needs. One thread at a time.
class SubjectCohort {
 public:
  // images: [N, H, W, 1]; masks: u8 of the same shape, or null where there are none. Throws Error:
  // input as subjects_of does and for images of several channels, usage for masks of another shape.
  explicit SubjectCohort(std::unique_ptr<Dataset> images, std::unique_ptr<Dataset> masks = nullptr);

  const Dataset& dataset() const { return *images_; }
  const Dataset* masks() const { return masks_.get(); }
  std::int64_t slices() const { return images_->size(); }
  SliceGrid grid() const;  // of the input; pixels are taken as square
  const std::vector<CohortSubject>& subjects() const { return subjects_; }

  // Slice s of the result is row subjects()[subject].rows[s]. Throws Error: usage for a subject
  // there is not, else as prepare_subject does.
  PreparedSubject prepare(std::size_t subject, const PreparationOptions& options = {});

 private:
  std::unique_ptr<Dataset> images_, masks_;
  std::vector<CohortSubject> subjects_;
};

}  // namespace ratnet::inline v1
