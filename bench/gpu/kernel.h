// One operation, measured by itself.
#pragma once

#include "../../core/captured.h"
#include "../../kernels/submit.h"
#include "measurement.h"
#include "repeated.h"

namespace ratnet::inline v1 {

// What one run has to do: floating-point operations (0 where nobody counts them), and the bytes of
// the tensors that it reads and writes, each once.
struct Cost {
  double flop = 0;
  double bytes = 0;
  Precision precision = Precision::f32;
};

// "us", "gb_per_s", "share_of_bandwidth", and for arithmetic "tflop_per_s", "share_of_peak"; no
// shares where the device's peaks are not known.
Values kernel_values(const Peaks& peaks, const Cost& cost, double seconds);
// The algorithm that the backend takes for the one operation that was submitted to the survey.
std::string only_algorithm(const Survey& survey);

// tensors: the owner of what the operation works on.
template <class Op>
Prepared kernel(const Subject& subject, std::shared_ptr<void> tensors, const Op& op,
                const Cost& cost) {
  // Many in one captured graph, so that the host's part of a launch is not measured.
  const int captured_runs = subject.quick ? 1 : 20;
  const QueueHandle queue = subject.queue;
  Survey survey;
  queue->survey = &survey;
  try {
    submit(*queue, op);
  } catch (...) {
    queue->survey = nullptr;
    throw;
  }
  queue->survey = nullptr;
  submit(*queue, op);  // drivers load kernels, and libraries choose theirs, outside of a capture
  wait(*queue);
  const auto runs = std::make_shared<Captured>(queue, [&] {
    for (int i = 0; i < captured_runs; ++i) submit(*queue, op);
  });
  const auto repeated = std::make_shared<Repeated>(
      std::vector{queue}, [runs, tensors] { runs->replay(); }, subject.least_seconds(),
      subject.quick ? 0 : 1);
  return {.round =
              [repeated, cost, captured_runs, peaks = subject.peaks] {
                return kernel_values(peaks, cost, repeated->seconds() / captured_runs);
              },
          .algorithm = only_algorithm(survey)};
}

// Under "kernel/WHAT/PRECISION/BATCH" for batches of 256 and 4096.
// make(batch, precision) -> Prepared.
template <class Make>
void add_kernels(Measurements& all, const Subject& subject, const std::string& what,
                 std::vector<Precision> precisions, const Make& make) {
  for (const Precision precision : precisions)
    for (const std::int64_t batch : subject.batches({256, 4096}))
      all.push_back({text("kernel/", what, "/", name_of(precision), "/", batch),
                     [make, batch, precision] { return make(batch, precision); }});
}
inline std::vector<Precision> all_precisions() {
  return {std::begin(kPrecisions), std::end(kPrecisions)};
}

}  // namespace ratnet::inline v1
