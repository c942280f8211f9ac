// RatNet's three convolutions as one operation.
#include "../../kernels/conv_chain.h"

#include "filled.h"
#include "kernel.h"
#include "ratnet_sizes.h"

namespace ratnet::inline v1 {
namespace {

struct Tensors {
  DeviceTensor x, scale, y;
  std::vector<DeviceTensor> weights, biases;

  Tensors(const QueueHandle& queue, std::int64_t n, DType input)
      : x(queue, {n, kImageSize, kImageSize, 1}, input),
        scale(queue, {n}),
        y(queue, {n, kImageSize / 8, kImageSize / 8, kChannels}) {
    for (const ConvSize& s : kConvSizes) {
      weights.emplace_back(queue, Shape{3, 3, s.in, kChannels});
      biases.emplace_back(queue, Shape{kChannels});
    }
  }
};

Prepared prepare(const Subject& subject, DType input, std::int64_t n, Precision precision) {
  const auto t = std::make_shared<Tensors>(subject.queue, n, input);
  ConvChain chain{.x = t->x, .y = t->y, .precision = precision};
  if (input == DType::u8) chain.scale = t->scale;
  Cost cost{.bytes = t->x.bytes() + t->y.bytes(), .precision = precision};
  for (const ConvSize& s : kConvSizes) {
    const auto i = static_cast<std::size_t>(chain.count);
    chain.stages[chain.count++] = {.weight = t->weights[i],
                                   .bias = t->biases[i],
                                   .window = kThree,
                                   .activation = Activation::relu,
                                   .pool = kPool};
    cost.flop += 2.0 * 9 * static_cast<double>(n * s.size * s.size * s.in * kChannels);
    cost.bytes += t->weights[i].bytes() + t->biases[i].bytes();
  }
  return kernel(subject, t, chain, cost);
}

}  // namespace

void add_chain_kernel(Measurements& all, const Subject& subject) {
  for (const DType input : {DType::u8, DType::f32})
    add_kernels(all, subject, text("conv_chain_", name_of(input)),
                {Precision::f32, Precision::bf16},  // which are what it has a kernel for
                [&subject, input](std::int64_t n, Precision precision) {
                  return prepare(subject, input, n, precision);
                });
}

}  // namespace ratnet::inline v1
