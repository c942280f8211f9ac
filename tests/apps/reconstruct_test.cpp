#include "../../apps/anomaly/reconstruct.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../../apps/anomaly/autoencoders.h"
#include "../../kernels/open.h"
#include "../catch.h"
#include "subject_maker.h"

using namespace ratnet;

namespace {

// y(x) = a image(x - 1) + b image(x) + c image(x + 1) along a row, zeros beyond it.
Plan line_filter(std::int64_t size, float a, float b, float c, std::int64_t batch) {
  GraphBuilder builder;
  const int image = builder.input("image", {size, size, 1});
  const Graph graph = builder.build(
      {builder.add("filter", layers::Conv{.out = 1, .kernel = {1, 3}, .bias = false}, {image})});
  Weights weights = Weights::initialised(graph, 1);
  const float taps[] = {a, b, c};
  std::ranges::copy(taps, weights.entries()[0].value.values<float>().begin());
  return Plan(graph, std::make_shared<Parameters>(open_queue({.threads = 1}), weights),
              {.batch = batch});
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

PreparedSubject subject_with_a_gap() {
  PreparedSubject subject = healthy_subject(5, 7);
  plant(subject, 2, 70, 80, 9, 0.6f);
  subject.judged[3] = 0;
  return subject;
}

}  // namespace

TEST_CASE("on the judged grid the residual is that of the network's output") {
  const PreparedSubject subject = subject_with_a_gap();
  Plan plan = line_filter(kJudgedSize, 0.75f, 0, 0, 2);
  const std::span<const float> x = subject.images.values<float>();
  const auto at = [&](std::int64_t s, std::int64_t row, std::int64_t column) {
    return column < 0 || column >= kJudgedSize ? 0.0f : x[voxel(s, row, column)];
  };
  for (const bool flip : {false, true}) {
    const Reconstruction made = reconstruct(plan, subject, {.flip_average = flip});
    double worst = 0, worst_raw = 0;
    for (std::int64_t s = 0; s < 5; ++s)
      for (std::int64_t row = 0; row < kJudgedSize; ++row)
        for (std::int64_t column = 0; column < kJudgedSize; ++column) {
          const double left = 0.75 * at(s, row, column - 1), right = 0.75 * at(s, row, column + 1);
          const double here = at(s, row, column);
          double image = left, raw = std::max(here - left, 0.0);
          if (flip) {
            image = (left + right) / 2;
            raw = (raw + std::max(here - right, 0.0)) / 2;
          }
          if (s == 3) image = raw = 0;
          const std::size_t i = voxel(s, row, column);
          worst = std::max(worst, std::abs(image - made.images.values<float>()[i]));
          worst_raw = std::max(worst_raw, std::abs(raw - made.raw.values<float>()[i]));
        }
    CHECK(worst < 1e-6);
    CHECK(worst_raw < 1e-6);
  }
}

TEST_CASE("smaller networks see means over areas and their residual comes back linearly") {
  // A ramp along columns stays one, whichever way it is resampled, away from the borders.
  const PreparedSubject subject =
      made_subject(2, [](auto, auto, std::int64_t x) { return 0.01 * static_cast<double>(x); });
  Plan plan = line_filter(64, 0, 0.5f, 0, 8);
  const Reconstruction made = reconstruct(plan, subject);
  REQUIRE(made.images.shape() == Shape{2, 64, 64});
  CHECK(made.images.values<float>()[32 * 64 + 20] == Approx(0.5 * 0.01 * 40.5));
  for (std::int64_t x = 40; x < 90; ++x)
    CHECK(made.raw.values<float>()[voxel(1, 64, x)] == Approx(0.5 * 0.01 * static_cast<double>(x)));
  const Reconstruction darker = reconstruct(plan, subject, {.residual = Residual::negative});
  CHECK(std::ranges::max(darker.raw.values<float>()) == 0);
  Plan itself = line_filter(64, 0, 1, 0, 8);
  const Reconstruction alike = reconstruct(itself, subject, {.residual = Residual::ssim});
  CHECK(std::ranges::max(alike.raw.values<float>()) < 1e-5f);
  CHECK(std::ranges::max(
            reconstruct(plan, subject, {.residual = Residual::ssim}).raw.values<float>()) > 0.1f);
}

TEST_CASE("batches make no difference to a reconstruction, further outputs are passed over") {
  const PreparedSubject subject = subject_with_a_gap();
  const Graph graph = variational_autoencoder_graph({.widths = {4, 4}, .code = 8});
  const auto run = [&](std::int64_t batch) {
    Plan plan(
        graph,
        std::make_shared<Parameters>(open_queue({.threads = 1}), Weights::initialised(graph, 5)),
        {.batch = batch});
    return reconstruct(plan, subject);
  };
  const Reconstruction one = run(1);
  CHECK(std::ranges::max(one.images.values<float>()) > 0);
  for (const std::int64_t batch : {3, 8, 50}) {
    const Reconstruction other = run(batch);
    CHECK(same(one.images, other.images));
    CHECK(same(one.raw, other.raw));
  }
}

TEST_CASE("a subject without a slice to judge has empty maps; other networks are refused") {
  PreparedSubject subject = healthy_subject(2, 1);
  subject.judged = {0, 0};
  Plan plan = line_filter(64, 0, 1, 0, 4);
  CHECK(std::ranges::max(reconstruct(plan, subject).raw.values<float>()) == 0);
  GraphBuilder builder;
  const int image = builder.input("image", {64, 32, 1});
  const Graph graph = builder.build({builder.add("conv", layers::Conv{.out = 1}, {image})});
  Plan oblong(
      graph,
      std::make_shared<Parameters>(open_queue({.threads = 1}), Weights::initialised(graph, 1)), {});
  CHECK_THROWS_AS(reconstruct(oblong, subject), Error);
  CHECK_THROWS_AS(reconstruct(plan, subject, {.median = 2}), Error);
}
