// What every layer gives and is given. A layer is an aggregate of its hyper-parameters with
//   static constexpr const char* kind;                     its name in files
//   static constexpr int arity;                            how many inputs, kOneOrTwo or
//                                                          kOneOrMore; 1 where it does not say
//   static constexpr auto fields = std::tuple{...};        its members, for files and messages
//   LayerShapes infer(std::span<const Shape> inputs, bool training) const;
//   void forward(const ForwardCall&) const;
//   void backward(const BackwardCall&) const;
//   static std::vector<LayerExample<...>> examples();      from which the generic tests are made
//   PointwiseStep step() const;                            only where inference is one: plans take
//                                                          such layers in a row in one pass
// and one line in catalogue.h. docs/new-layer.md walks through one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "../core/pointwise_step.h"
#include "../core/precision.h"
#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

// How a weight is drawn before training. He: variance 2 / fan_in (He and others, 2015); Glorot:
// variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010); truncated normal: Glorot's deviation,
// nothing beyond two deviations.
enum class Init : std::uint8_t {
  zeros,
  he_normal,
  he_uniform,
  glorot_normal,
  glorot_uniform,
  truncated_normal,
  ones
};

constexpr int kOneOrMore = -1;
constexpr int kOneOrTwo = -2;

struct WeightSpec {
  std::string name;  // "weight", "bias"; the graph puts the layer's name in front
  Shape shape;
  Init init = Init::zeros;
  std::int64_t fan_in = 1;
  std::int64_t fan_out = 1;
  bool statistic = false;  // kept up by forward in training (a running mean), not by an optimiser
};

// A tensor whose first size is the batch, unless it is `fixed`. `real` tensors take the type the
// plan computes in.
struct TensorSpec {
  Shape shape;
  bool real = true;
  DType dtype = DType::u8;  // where not real
  bool fixed = false;
};

// What a layer makes of its inputs.
struct LayerShapes {
  Shape output;  // [N, ...]
  std::vector<WeightSpec> weights;
  std::vector<TensorSpec> kept;              // written by forward in training, read by backward
  std::vector<TensorSpec> backward_scratch;  // alive during backward only
  bool same_memory = false;                  // the output is the (only) input under another shape
  bool backward_needs_input = false;
  bool backward_needs_output = false;
  bool frozen_backward_needs_output = false;  // where all of the weights are frozen
  double multiply_adds = 0;                   // for the whole batch
};

struct ForwardCall {
  Queue& queue;
  std::span<const ConstView> inputs;
  View output;
  std::span<const ConstView> weights;
  // Those of the weights that are statistics, in their order, to be brought up to date; empty
  // outside training, where the layer is frozen, and where a plan computes it once more.
  std::span<const View> statistics;
  std::span<const View> kept;  // empty outside training
  bool training = false;
  bool frozen = false;  // in training: none of the layer's weights may change
  // Which numbers a layer that draws random ones shall draw, [2] i64: Dropout in
  // kernels/pointwise.h. Only in training.
  ConstView random;
  std::uint32_t stream = 0;  // tells this layer's numbers from another layer's
  Precision precision = Precision::f32;
};

struct BackwardCall {
  Queue& queue;
  std::span<const ConstView> inputs;  // without memory unless backward_needs_input
  ConstView output;                   // without memory unless backward_needs_output
  ConstView doutput;
  std::span<const View> dinputs;  // without memory where nobody wants them; to be overwritten
  std::span<const ConstView> weights;
  std::span<const View> dweights;  // without memory where frozen or a statistic; to be overwritten
  std::span<const ConstView> kept;
  std::span<const View> scratch;
  ConstView random;  // as it was in forward
  std::uint32_t stream = 0;
  bool frozen = false;
  Precision precision = Precision::f32;
};

// A hyper-parameter: its name in files and where it is.
template <class Layer, class T>
struct Field {
  const char* name;
  T Layer::*member;
};
template <class Layer, class T>
Field(const char*, T Layer::*) -> Field<Layer, T>;

// A small case for the generic tests: the layer and the shapes of its inputs.
template <class Layer>
struct LayerExample {
  Layer layer;
  std::vector<Shape> inputs;
};

}  // namespace ratnet::inline v1
