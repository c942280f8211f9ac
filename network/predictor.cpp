#include "predictor.h"

#include <algorithm>

#include "../kernels/open.h"

namespace ratnet::inline v1 {
namespace {

QueueHandle open_for(const PredictorOptions& options) {
  return open_queue({.device = options.device,
                     .threads = options.threads,
                     .executor = options.executor,
                     .tuner = options.tuner});
}

// The samples of a view that begin with `first`.
template <class AnyView>
AnyView part(const AnyView& all, std::int64_t first, std::int64_t n) {
  const std::size_t size =
      all.shape[0] == 0 ? 0 : all.bytes() / static_cast<std::size_t>(all.shape[0]);
  AnyView view = all.first(n);
  using Byte = std::conditional_t<std::is_same_v<AnyView, View>, char, const char>;
  view.data = static_cast<Byte*>(all.data) + static_cast<std::size_t>(first) * size;
  return view;
}

}  // namespace

Predictor::Predictor(const Model& model, const PredictorOptions& options)
    : graph_(model.graph),
      parameters_(std::make_shared<Parameters>(open_for(options), model.weights)),
      options_(options) {
  require(graph_.inputs().size() == 1 && graph_.outputs().size() == 1,
          "a predictor takes models of one input and one output");
  add_plan();
  input_size_ = plan().input(0, 1).count();
  output_size_ = plan().output(0, 1).count();
}

// The first runs on the parameters' queue, each other one on a queue of its own.
void Predictor::add_plan() {
  PlanOptions options{
      .batch = options_.batch, .precision = options_.precision, .input_type = options_.input_type};
  if (!plans_.empty()) {
    wait(*parameters_->queue());  // until the parameters are there
    options.queue = open_queue({.device = plan().queue().device, .threads = 0, .executor = {}});
  }
  plans_.push_back(std::make_unique<Plan>(graph_, parameters_, options));
}

// False where the device has no room for it: those that are there do as well, only later.
bool Predictor::add_another_plan() {
  try {
    add_plan();
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::device) throw;
    most_plans_ = plans_.size();
    return false;
  }
}

Device Predictor::device() const { return parameters_->queue()->device; }

HostBuffer Predictor::host_memory(std::size_t bytes) const {
  return HostBuffer(parameters_->queue(), bytes);
}

std::vector<float> Predictor::run(std::span<const float> inputs) {
  std::vector<float> outputs(inputs.size() / static_cast<std::size_t>(input_size_) *
                             static_cast<std::size_t>(output_size_));
  run(inputs, outputs);
  return outputs;
}

void Predictor::run(std::span<const float> inputs, std::span<float> outputs) {
  const auto size = static_cast<std::int64_t>(inputs.size());
  const std::int64_t samples = size / input_size_;
  require(samples * input_size_ == size, size, " numbers are not whole samples of ", input_size_);
  require(static_cast<std::int64_t>(outputs.size()) == samples * output_size_,
          "the result has room for ", outputs.size(), " numbers, ", samples, " samples need ",
          samples * output_size_);
  run(ConstView(inputs.data(), DType::f32, plan().input(0, 1).shape.with_first(samples)), {},
      View(outputs.data(), DType::f32, plan().output(0, 1).shape.with_first(samples)));
}

void Predictor::run(const ConstView& inputs, const ConstView& scales, const View& outputs) {
  const auto check = [](const char* what, const ConstView& view, DType dtype, const Shape& shape) {
    require(view.dtype == dtype && view.shape == shape, what, " are ", name_of(view.dtype), " ",
            view.shape, ", expected ", name_of(dtype), " ", shape);
  };
  require(inputs.shape.rank() >= 1, "inputs need a dimension of samples");
  const std::int64_t samples = inputs.shape[0];
  check("inputs", inputs, options_.input_type, plan().input(0, 1).shape.with_first(samples));
  check("outputs", outputs, DType::f32, plan().output(0, 1).shape.with_first(samples));
  const bool scaled = options_.input_type != DType::f32;
  if (scales) {
    require(scaled, "inputs in f32 are as the network takes them, and have no scales");
    check("scales", scales, DType::f32, {samples});
  } else if (scaled && ones_.bytes() == 0) {
    ones_ = host_memory(static_cast<std::size_t>(options_.batch) * sizeof(float));
    std::fill_n(static_cast<float*>(ones_.data()), options_.batch, 1.0f);
  }

  const bool ahead = plan().queue().begin_capture != nullptr;
  std::size_t next = 0;
  try {
    for (std::int64_t first = 0; first < samples; first += options_.batch) {
      if (next == plans_.size()) {
        if (!ahead || next >= most_plans_ || !add_another_plan()) next = 0;
      }
      submit(*plans_[next++], inputs, scales, outputs, first,
             std::min(options_.batch, samples - first));
    }
    for (const auto& each : plans_) wait(each->queue());
  } catch (...) {
    // No copy may go on with memory that its owner is about to free.
    char why[512] = "";
    for (const auto& each : plans_) each->queue().wait(each->queue(), why, sizeof why);
    throw;
  }
}

void Predictor::submit(Plan& plan, const ConstView& inputs, const ConstView& scales,
                       const View& outputs, std::int64_t first, std::int64_t n) const {
  Queue& queue = plan.queue();
  const ConstView from = part(inputs, first, n);
  if (options_.input_type == DType::f32) {
    plan.forward({&from, 1});
  } else {
    upload(queue, plan.input(0, n).data, from.data, from.bytes());
    const View factors = plan.input_scales(n);
    upload(queue, factors.data, scales ? part(scales, first, n).data : ones_.data(),
           factors.bytes());
    plan.forward(n);
  }
  const View to = part(outputs, first, n);
  download(queue, to.data, plan.output(0, n).data, to.bytes());
}

}  // namespace ratnet::inline v1
