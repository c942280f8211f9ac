// Inference of slices that are on the device already, results left there.
#include <functional>

#include "../../kernels/pointwise.h"
#include "../../kernels/submit.h"
#include "../../network/plan.h"
#include "filled.h"
#include "measurement.h"
#include "repeated.h"

namespace ratnet::inline v1 {
namespace {

Prepared prepare(const Subject& subject, Precision precision, DType input, std::int64_t batch) {
  const auto plan = std::make_shared<Plan>(
      subject.model.graph, std::make_shared<Parameters>(subject.queue, subject.model.weights),
      PlanOptions{.batch = batch, .precision = precision, .input_type = input});
  const View in = plan->input(0, batch);
  std::function<void()> work = [plan, batch] { plan->forward(batch); };
  if (input == DType::f32) {
    // A run gives the input's memory to later values, so every run begins with a copy of it.
    const auto kept = std::make_shared<DeviceTensor>(plan->queue_handle(), in.shape);
    work = [plan, batch, in, kept] {
      submit(plan->queue(), Convert{.x = *kept, .y = in});
      plan->forward(batch);
    };
  } else {
    fill(plan->queue(), in);  // integers have memory of their own, which runs leave alone
    fill(plan->queue(), plan->input_scales(batch));
  }
  const auto repeated = std::make_shared<Repeated>(std::vector{plan->queue_handle()}, work,
                                                   subject.least_seconds(), subject.quick ? 1 : 2);
  return {.round = [repeated, batch] {
    return Values{{"slices_per_s", static_cast<double>(batch) / repeated->seconds()}};
  }};
}

}  // namespace

void add_resident_inference(Measurements& all, const Subject& subject) {
  for (const Precision precision : kPrecisions)
    for (const DType input : {DType::u8, DType::f32})
      for (const std::int64_t batch : subject.batches({1, 32, 256, 4096, 65536}))
        all.push_back(
            {text("inference/resident/", name_of(precision), "/", name_of(input), "/", batch),
             [&subject, precision, input, batch] {
               return prepare(subject, precision, input, batch);
             }});
}

}  // namespace ratnet::inline v1
