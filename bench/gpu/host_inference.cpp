// Inference from pixels in the host's memory to probabilities there, as a user of the library does
// it.
#include <algorithm>

#include "../../network/predictor.h"
#include "filled.h"
#include "measurement.h"
#include "ratnet_sizes.h"
#include "repeated.h"

namespace ratnet::inline v1 {
namespace {

// How many slices go at once: some four parts, so that copies and computation overlap, of at most
// 16 MiB of pixels, from where on a bus is as fast as it gets.
std::int64_t part_of(std::int64_t n) {
  constexpr std::int64_t kFew = 256, kMost = 4096;
  return n <= kFew ? n : std::min(n / 4, kMost);
}

struct Call {
  std::int64_t n;
  Predictor predictor;
  HostBuffer slices, scales, results;

  Call(const Subject& subject, Precision precision, std::int64_t count)
      : n(count),
        predictor(subject.model, {.batch = part_of(count),
                                  .device = subject.device,
                                  .precision = precision,
                                  .input_type = DType::u8}),
        slices(predictor.host_memory(static_cast<std::size_t>(n * kImageSize * kImageSize))),
        scales(predictor.host_memory(static_cast<std::size_t>(n) * sizeof(float))),
        results(predictor.host_memory(static_cast<std::size_t>(n * predictor.output_size()) *
                                      sizeof(float))) {
    fill_host(slices.data(), slices.bytes(), DType::u8);
    std::fill_n(static_cast<float*>(scales.data()), n, kPixelScale);
  }

  void run() {
    predictor.run(ConstView(slices.data(), DType::u8, {n, kImageSize, kImageSize, 1}),
                  ConstView(scales.data(), DType::f32, {n}),
                  View(results.data(), DType::f32, {n, predictor.output_size()}));
  }
};

Prepared prepare(const Subject& subject, Precision precision, std::int64_t n) {
  const auto call = std::make_shared<Call>(subject, precision, n);
  // No queue to wait for: a call returns when its results are there. All plans that it keeps in
  // flight have to be captured.
  const int warm_ups = subject.quick ? 1 : 8;
  const auto repeated = std::make_shared<Repeated>(
      std::vector<QueueHandle>{}, [call] { call->run(); }, subject.least_seconds(), warm_ups);
  return {.round = [repeated, call] {
    const double seconds = repeated->seconds();
    return Values{{"slices_per_s", static_cast<double>(call->n) / seconds},
                  {"gb_per_s_up", static_cast<double>(call->slices.bytes()) * 1e-9 / seconds}};
  }};
}

}  // namespace

void add_host_inference(Measurements& all, const Subject& subject) {
  for (const Precision precision : kPrecisions)
    for (const std::int64_t n : subject.batches({1, 32, 256, 4096, 65536}))
      all.push_back({text("inference/host/", name_of(precision), "/u8/", n),
                     [&subject, precision, n] { return prepare(subject, precision, n); }});
}

}  // namespace ratnet::inline v1
