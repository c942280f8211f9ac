// How far a scan of a head departs from healthy ones, as a library call: no file but the model is
// read, none is written, nothing is printed. `ratnet score` makes the same call.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../../core/device.h"
#include "../../core/precision.h"
#include "../../core/tensor.h"
#include "../../core/thread_pool.h"
#include "../../core/tuner.h"
#include "../../imaging/volume.h"

namespace ratnet::inline v1 {

struct AnomalyModel;    // anomaly_model.h, not installed
struct AnomalyDetails;  // scored_scan.h, not installed

struct AnomalyScorerOptions {
  int threads = 0;  // 0: every processor this process may use; the results are the same bits
  Device device{DeviceKind::any, 0};
  Precision precision = Precision::f32;
  std::shared_ptr<Executor> executor = nullptr;  // runs the loops in place of threads of our own
  std::shared_ptr<Tuner> tuner = nullptr;        // chooses algorithms (tuning.h); absent: by rule
};

// What a model vouches for, of scans handled as its healthy subjects' were (docs/anomaly.md).
struct AnomalyPromise {
  double threshold = 0;  // of maps: 0.5% of the pixels of healthy subjects lie above it
  double rate = 0;       // of false alarms, of whole scans: unusual is a p-value of at most this
  // That it was calibrated on; no p-value lies below 1 / (healthy_subjects + 1).
  std::int64_t healthy_subjects = 0;
  std::vector<std::string> warnings;  // what whoever reads scores must be told
};

// Axial slices of one subject, bottom to top: row 0 anterior, column 0 the subject's left.
struct AxialSlices {
  std::string name = "the slices";  // for messages
  ConstView images;                 // f32 [N, H, W], 1 to 2048 slices, in any unit; host memory
  double row_spacing = 1;           // mm from one row to the next, or both 1 where nothing is known
  double column_spacing = 1;        // mm from one column to the next
};

// The numbers of one scan of S slices, which are counted from 0, bottom to top. NaN where nothing
// was judged, unless it says otherwise.
struct ScanScores {
  std::vector<double> positions;     // [S] of the slice in the brain: 0 its bottom, 1 its top
  std::vector<double> slice_scores;  // [S] in the maps' unit; NaN only where there is no brain
  // [S] NaN where a slice could not be judged: no brain, or beyond the zone that models judge.
  // Right for a slice picked at random, not for the worst of many.
  std::vector<double> slice_p_values;
  std::int64_t judged = 0;        // slices
  std::int64_t worst_slice = -1;  // judged, the lower one of two; -1 where nothing was
  double score = std::numeric_limits<double>::quiet_NaN();  // of that slice
  // Of the scan: at most p with probability p, for a healthy subject.
  double p_value = std::numeric_limits<double>::quiet_NaN();
  // Share of the judged brain at or above the model's threshold, 0 to 1.
  double above = std::numeric_limits<double>::quiet_NaN();
  bool unusual = false;  // at the model's rate; not where nothing was judged
  // That the model learnt from or was calibrated on, known by their exact pixels: with any, all of
  // the above is flattered. Absent of models of before they told.
  std::optional<std::int64_t> learnt_slices;

  std::int64_t slices() const { return static_cast<std::int64_t>(positions.size()); }
  bool is_judged(std::int64_t slice) const;
};

struct AnomalyScores : ScanScores {
  // f32 in the input's pixels: [N, H, W] of slices, [Z, Y, X] of a volume, as its data lie. Higher
  // is more unusual; 0 where there is no brain.
  Tensor maps;
  // Slice s is maps[places[s]] along this axis.
  int axis = 0;
  std::vector<std::int64_t> places;  // [S]
};

// A model ready to score. Not for use from two threads at once.
class AnomalyScorer {
 public:
  // model: a file that `ratnet train anomaly` made. Throws Error, beginning with the path:
  // file_system where it cannot be read, input where it is no such model or damaged; device where
  // the device cannot be had.
  explicit AnomalyScorer(const std::string& model, const AnomalyScorerOptions& options = {});
  ~AnomalyScorer();
  AnomalyScorer(AnomalyScorer&&) noexcept;
  AnomalyScorer& operator=(AnomalyScorer&&) noexcept;

  AnomalyPromise promise() const;

  // One volume of a head, [1, Z, Y, X], cut into axial slices by its orientation; voxels that are
  // not finite count as 0. name: for messages. Where no brain is found there is no error: nothing
  // is judged. Throws Error: input for a run of several volumes, more than 2048 slices, spacings
  // that make no picture, and where a damaged model makes no number; usage where the volume's parts
  // do not fit.
  AnomalyScores score(const Volume& scan, const std::string& name = "the scan");
  // Throws Error: as above; input for pixels that are not finite, usage for images of other form.
  AnomalyScores score(const AxialSlices& slices);

  // For those inside of the library who draw pages: what the scores were made of, too.
  AnomalyScores score(const Volume& scan, const std::string& name, AnomalyDetails& details);
  AnomalyScores score(const AxialSlices& slices, AnomalyDetails& details);
  const AnomalyModel& model() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
