// RatNet's convolutions: with ReLU and pooling as inference and training run them, and backward.
#include "../../kernels/conv.h"

#include "filled.h"
#include "kernel.h"
#include "ratnet_sizes.h"

namespace ratnet::inline v1 {
namespace {

struct Tensors {
  DeviceTensor x, weight, bias, y, pooled, argmax;

  Tensors(const QueueHandle& queue, std::int64_t n, const ConvSize& s)
      : x(queue, {n, s.size, s.size, s.in}),
        weight(queue, {3, 3, s.in, kChannels}),
        bias(queue, {kChannels}),
        y(queue, {n, s.size, s.size, kChannels}),
        pooled(queue, {n, s.size / 2, s.size / 2, kChannels}),
        argmax(queue, {n, s.size / 2, s.size / 2, kChannels}, DType::u8) {}

  double parameters() const { return weight.bytes() + bias.bytes(); }
};

}  // namespace

void add_conv_kernels(Measurements& all, const Subject& subject) {
  for (const ConvSize& s : kConvSizes) {
    const auto flop = [s](std::int64_t n) {
      return 2.0 * 9 * static_cast<double>(n * s.size * s.size * s.in * kChannels);
    };
    const auto add = [&](const char* what, auto make) {
      add_kernels(all, subject, text(s.name, "_", what), all_precisions(),
                  [&subject, s, make](std::int64_t n, Precision precision) {
                    return make(std::make_shared<Tensors>(subject.queue, n, s), n, precision);
                  });
    };
    const auto forward = [&subject, flop](bool training) {
      return [&subject, flop, training](const std::shared_ptr<Tensors>& t, std::int64_t n,
                                        Precision precision) {
        return kernel(subject, t,
                      Conv{.x = t->x,
                           .weight = t->weight,
                           .bias = t->bias,
                           .y = t->pooled,
                           .argmax = training ? View(t->argmax) : View{},
                           .window = kThree,
                           .activation = Activation::relu,
                           .pool = kPool,
                           .precision = precision},
                      {flop(n),
                       t->x.bytes() + t->parameters() + t->pooled.bytes() +
                           (training ? t->argmax.bytes() : 0),
                       precision});
      };
    };
    add("forward", forward(false));
    add("forward_training", forward(true));
    add("backward_data",
        [&subject, flop](const std::shared_ptr<Tensors>& t, std::int64_t n, Precision precision) {
          return kernel(subject, t,
                        ConvBackwardData{.dy = t->y,
                                         .weight = t->weight,
                                         .dx = t->x,
                                         .window = kThree,
                                         .precision = precision},
                        {flop(n), t->y.bytes() + t->weight.bytes() + t->x.bytes(), precision});
        });
    add("backward_weights",
        [&subject, flop](const std::shared_ptr<Tensors>& t, std::int64_t n, Precision precision) {
          return kernel(subject, t,
                        ConvBackwardWeights{.x = t->x,
                                            .dy = t->y,
                                            .dweight = t->weight,
                                            .dbias = t->bias,
                                            .window = kThree,
                                            .precision = precision},
                        {flop(n), t->x.bytes() + t->y.bytes() + t->parameters(), precision});
        });
  }
}

}  // namespace ratnet::inline v1
