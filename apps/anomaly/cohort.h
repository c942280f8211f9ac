// The scans of a dataset of slices, prepared one at a time.
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

struct CohortScan {
  // The subject's, and of one with several scans what tells them apart: "a_ses-1_run-2_vol-0".
  std::string name;
  std::string subject;
  std::vector<std::int64_t> rows;  // of its slices in the dataset, bottom to top
};

// The slices of one subject, session, run and volume, as far as the table has these, are a scan.
// In the order of their first rows; a scan's slices may stand anywhere, its slice numbers order
// them. Throws Error (input), saying what to add or change, for a table without subjects or slice
// numbers, a scan with a slice number twice, or with more than 2048 slices.
std::vector<CohortScan> scans_of(const Dataset& dataset);

// Keeps a dataset open and reads of it what one subject needs. One thread at a time.
class SubjectCohort {
 public:
  // images: [N, H, W, 1]; masks: u8 of the same shape, or null where there are none. Throws Error:
  // input as scans_of does and for images of several channels, usage for masks of another shape.
  explicit SubjectCohort(std::unique_ptr<Dataset> images, std::unique_ptr<Dataset> masks = nullptr);

  const Dataset& dataset() const { return *images_; }
  const Dataset* masks() const { return masks_.get(); }
  std::int64_t slices() const { return images_->size(); }
  SliceGrid grid() const;  // of the input; pixels are taken as square
  const std::vector<CohortScan>& scans() const { return scans_; }

  // f32 [S, H, W]: slice s is row scans()[scan].rows[s]. Throws Error (usage) for a scan there is
  // not.
  Tensor read(std::size_t scan);
  // Its slices with all that is known of them. Throws Error as read() and prepare_subject do.
  PreparedSubject prepare(std::size_t scan, const PreparationOptions& options = {});

 private:
  std::unique_ptr<Dataset> images_, masks_;
  std::vector<CohortScan> scans_;
};

}  // namespace ratnet::inline v1
