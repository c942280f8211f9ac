// Losses as trainings run them, from JSON, against PyTorch (scripts/golden/losses.py).
#include "../../kernels/element_loss.h"
#include "../../train/objective.h"
#include "../catch.h"
#include "../kernels/run_on.h"
#include "../network/golden.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::uint32_t kPrediction = 0, kTarget = 1, kWeights = 2, kLabels = 3;  // streams

struct LossCase {
  std::string name;    // in the file
  Shape shape;         // of what it looks at
  std::string fields;  // of its JSON, beside the weight
  bool weighted = false;
};

std::vector<LossCase> cases() {
  return {
      {"mse", {2, 5, 6, 2}, R"("kind": "mse")"},
      {"mse/weighted", {2, 5, 6, 2}, R"("kind": "mse")", true},
      {"mse/mask", {2, 5, 6, 2}, R"("kind": "mse", "mask": true)"},
      {"l1", {2, 5, 6, 2}, R"("kind": "l1")"},
      {"l1/weighted", {2, 3, 4, 5, 1}, R"("kind": "l1")", true},
      {"l1/mask", {2, 3, 4, 5, 1}, R"("kind": "l1", "mask": true)"},
      {"binary_cross_entropy", {7, 1}, R"("kind": "binary_cross_entropy")"},
      {"binary_cross_entropy/positive_weight",
       {9, 1},
       R"("kind": "binary_cross_entropy", "positive_weight": 3.5)"},
      {"binary_cross_entropy/pixels",
       {2, 5, 6, 1},
       R"("kind": "binary_cross_entropy", "target": "masks", "positive_weight": 0.25)"},
      {"cross_entropy", {7, 3}, R"("kind": "cross_entropy")"},
      {"cross_entropy/weights", {9, 3}, R"("kind": "cross_entropy", "class_weights": [1, 3, 0.5])"},
      {"cross_entropy/pixels",
       {2, 5, 6, 4},
       R"("kind": "cross_entropy", "target": "masks", "class_weights": [1, 3, 0.5, 2],
          "label_smoothing": 0.2)"},
      {"cross_entropy/volume",
       {2, 3, 4, 5, 2},
       R"("kind": "cross_entropy", "target": "masks", "label_smoothing": 0.1)"},
      {"dice", {2, 5, 6, 3}, R"("kind": "dice")"},
      {"dice/smoothing", {2, 5, 6, 3}, R"("kind": "dice", "smoothing": 2)"},
      {"dice/per_sample", {3, 5, 6, 3}, R"("kind": "dice", "per_sample": true)"},
      {"dice/foreground", {2, 5, 6, 3}, R"("kind": "dice", "background": false)"},
      {"dice/all",
       {2, 3, 4, 5, 3},
       R"("kind": "dice", "smoothing": 0.5, "per_sample": true, "background": false)"},
      {"dice/one_class", {3, 5, 6, 1}, R"("kind": "dice", "smoothing": 0.5, "per_sample": true)"},
      {"ssim", {2, 13, 12, 2}, R"("kind": "ssim")"},
      {"ssim/options",
       {2, 7, 9, 1},
       R"("kind": "ssim", "window": 5, "sigma": 0.8, "data_range": 4)"},
      {"ssim/volume", {1, 4, 5, 6, 2}, R"("kind": "ssim", "window": 3, "sigma": 1)"},
      {"ssim/line", {2, 15, 2}, R"("kind": "ssim", "window": 7)"},
      {"gaussian_kl", {4, 6}, R"("kind": "gaussian_kl", "output": "y", "log_variance": "z")"},
      {"gaussian_kl/image",
       {2, 3, 4, 2},
       R"("kind": "gaussian_kl", "output": "y", "log_variance": "z")"},
  };
}

// low + factor * each of a stream's numbers.
Doubles scaled(const Shape& shape, std::uint32_t stream, double factor, double low) {
  Doubles values = mixed(shape.count(), stream);
  for (double& value : values) value = factor * value + low;
  return values;
}

// Whole numbers below `values`, of which the last is `none` here.
Doubles labels(const Shape& shape, std::uint32_t stream, std::int64_t values, double none) {
  Doubles all = mixed(shape.count(), stream);
  for (double& value : all) {
    value = std::floor(value * static_cast<double>(values));
    if (value == static_cast<double>(values - 1)) value = none;
  }
  return all;
}

// The outputs are the inputs: a code's mean and log-variance, or what is compared.
Graph unchanged(const Shape& shape, bool code) {
  GraphBuilder b;
  const Shape sample(shape.sizes().subspan(1));
  const Sizes sizes(sample.sizes().begin(), sample.sizes().end());
  std::vector<int> outputs;
  for (const char* name : {"y", "z"}) {
    if (*name == 'z' && !code) break;
    const int input = b.input(std::string("input_") + name, sizes);
    outputs.push_back(b.add(name, layers::LeakyRelu{.slope = 1}, {input}));
  }
  return b.build(outputs);
}

class Run {
 public:
  Run(const LossCase& c, DType dtype)
      : case_(c),
        kind_(objective(1)[0].kind),
        parameters_(parameters_of(dtype)),
        plan_(unchanged(c.shape, kind_ == LossKind::gaussian_kl), parameters_,
              {.batch = c.shape[0], .mode = Mode::train, .fuse = false, .input_gradients = true}) {
    const LossTerm term = objective(1)[0];
    const Shape& shape = c.shape;
    Shape pixels = shape.without_last();
    const std::int64_t values = std::max<std::int64_t>(2, shape.back()) + 1;
    Doubles x = scaled(shape, kPrediction, 8, -4), other;
    if (kind_ == LossKind::dice) x = mixed(shape.count(), kPrediction);
    if (kind_ == LossKind::ssim) {
      other = scaled(shape, kTarget, term.data_range, 0);
      x = mixed(shape.count(), kPrediction);
      for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = 0.75 * other[i] + 0.25 * term.data_range * x[i];
    } else if (kind_ == LossKind::gaussian_kl) {
      other = scaled(shape, kTarget, 4, -2);
    } else {
      other = scaled(shape, kTarget, 8, -4);
    }
    write_to(plan_.queue(), plan_.input(0, shape[0]), x);
    if (kind_ == LossKind::gaussian_kl) write_to(plan_.queue(), plan_.input(1, shape[0]), other);
    plan_.forward(shape[0]);
    if (kind_ == LossKind::gaussian_kl) return;
    targets_.image = on_device(shape, dtype, other);
    if (term.mask)
      targets_.masks = on_device(pixels, DType::u8, labels(pixels, kWeights, 4, 255));
    else if (term.target == LossTarget::masks)
      targets_.masks = on_device(pixels, DType::u8, labels(pixels, kLabels, values, 255));
    else if (term.target == LossTarget::labels)
      targets_.labels = on_device(pixels, DType::i32, labels(pixels, kLabels, values, -1));
    if (!c.weighted) return;
    pixels.push_back(1);
    targets_.image_weights = on_device(pixels, dtype, mixed(pixels.count(), kWeights));
  }

  Objective objective(double weight, int terms = 1) const {
    const std::string term = "{" + case_.fields + R"(, "weight": )" + std::to_string(weight) + "}";
    return objective_from_json("[" + term + (terms > 1 ? ", " + term : "") + "]");
  }

  // The sum of the losses, and then their gradients.
  std::vector<Doubles> operator()(const Objective& objective, double times,
                                  const std::vector<int>& warm) {
    PlannedLosses losses(plan_, objective);
    const View sum = on_device({1}, DType::f64, {100});
    const std::int64_t n = case_.shape[0];
    losses.submit(n, targets_, sum, times, warm);
    std::vector<Doubles> results{{read_from(plan_.queue(), sum)[0] - 100}};
    for (std::size_t i = 0; i < plan_.graph().outputs().size(); ++i)
      results.push_back(read_from(plan_.queue(), plan_.output_gradient(i, n)));
    return results;
  }

 private:
  static std::shared_ptr<Parameters> parameters_of(DType dtype) {
    Weights weights;
    weights.add("unused", Tensor({1}, dtype));  // parameters need something to hold
    return std::make_shared<Parameters>(test_queue(), weights);
  }

  View on_device(const Shape& shape, DType dtype, const Doubles& values) {
    const Tensor tensor = tensor_of(shape, dtype, values);
    buffers_.emplace_back(parameters_->queue(), tensor.bytes());
    buffers_.back().upload(tensor.data(), tensor.bytes());
    wait(plan_.queue());
    return {buffers_.back().data(), dtype, shape};
  }

  const LossCase& case_;
  LossKind kind_;
  std::shared_ptr<Parameters> parameters_;
  Plan plan_;
  LossTargets targets_;
  std::vector<Buffer> buffers_;
};

const SafetensorsFile& golden() {
  static const SafetensorsFile file = golden_file("losses");
  return file;
}

// The loss and its gradients, `factor` times over.
std::vector<Doubles> expected(const LossCase& c, double factor) {
  std::vector<Doubles> all{read(golden().find(c.name + "/loss"))};
  for (const char* i : {"0", "1"})
    if (c.fields.find("gaussian_kl") != std::string::npos || *i == '0')
      all.push_back(read(golden().find(c.name + "/gradient" + i)));
  for (Doubles& values : all)
    for (double& value : values) value *= factor;
  return all;
}

void check_same(const std::vector<Doubles>& got, const std::vector<Doubles>& expected,
                DType dtype) {
  // Of a few operations in each type; on a CPU 4.5e-7 was seen in single precision.
  const double tolerance = dtype == DType::f64 ? 1e-13 : 2e-6;
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(relative(got[i], expected[i]) < tolerance);
}

}  // namespace

TEST_CASE("the losses of a training are PyTorch's, and their gradients", "[device]") {
  std::size_t tensors = 2;  // of the case below
  for (const LossCase& c : cases()) {
    tensors += expected(c, 1).size();
    for (const DType dtype : {DType::f64, DType::f32}) {
      INFO(c.name << " " << name_of(dtype));
      Run run(c, dtype);
      check_same(run(run.objective(1), 1, {}), expected(c, 1), dtype);
      // Half warmed up, twice on the same output.
      check_same(run(run.objective(0.75, 2), 3, {kWarmUpParts / 2, kWarmUpParts}),
                 expected(c, 0.75 * 3 * 1.5), dtype);
    }
  }
  CHECK(tensors == golden().tensors().size());
}

TEST_CASE("binary cross-entropy with soft targets is PyTorch's", "[device]") {
  const QueueHandle queue = test_queue();
  const Shape shape{2, 5, 6, 2};
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Tensor x = tensor_of(shape, dtype, scaled(shape, kPrediction, 8, -4));
    const Tensor target = tensor_of(shape, dtype, mixed(shape.count(), kTarget));
    Tensor loss({1}, dtype), gradient(shape, dtype);
    run_on(queue, ElementLoss{.kind = ElementLossKind::binary_cross_entropy,
                              .prediction = x,
                              .target = target,
                              .loss = loss,
                              .dprediction = gradient,
                              .positive_weight = 3.5});
    const LossCase c{"binary_cross_entropy/soft", shape, ""};
    check_same({doubles(loss), doubles(gradient)}, expected(c, 1), dtype);
  }
}
