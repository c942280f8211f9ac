// All layer kinds: one line each.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "activations.h"
#include "concat.h"
#include "conv.h"
#include "conv_transpose.h"
#include "dense.h"
#include "gaussian_sample.h"
#include "input.h"
#include "normalise.h"
#include "pad.h"
#include "pointwise.h"
#include "pool.h"
#include "reduce.h"
#include "reshape.h"
#include "upsample.h"

namespace ratnet::inline v1 {

// A layer of any kind. New kinds are added here, inside the library.
// clang-format off
using Layer = std::variant<
    layers::Input,
    layers::Conv,
    layers::ConvTranspose,
    layers::Dense,
    layers::MaxPool,
    layers::AvgPool,
    layers::GlobalPool,
    layers::Reduce,
    layers::Relu,
    layers::LeakyRelu,
    layers::Elu,
    layers::Sigmoid,
    layers::Tanh,
    layers::Softplus,
    layers::BatchNorm,
    layers::GroupNorm,
    layers::InstanceNorm,
    layers::LayerNorm,
    layers::Add,
    layers::Multiply,
    layers::Concat,
    layers::Crop,
    layers::Pad,
    layers::Upsample,
    layers::Dropout,
    layers::SpatialDropout,
    layers::GaussianSample,
    layers::Softmax,
    layers::LogSoftmax,
    layers::Flatten,
    layers::Reshape>;
// clang-format on

// "conv", "dense", ...
std::string_view kind_of(const Layer& layer);

// A layer with its hyper-parameters as one JSON object: {"kind": "conv", "out": 32, ...}. Fields
// that hold their default are left out.
std::string to_json(const Layer& layer);

// The inverse; fields that are absent take their default. Throws Error (input) where the kind or a
// field is unknown or a value has the wrong type.
Layer layer_from_json(std::string_view json);

// Throws Error (usage), beginning with the kind, where a field holds what no file can: a number
// that is not finite, or no enumerator.
void check_fields(const Layer& layer);

// "out 32, kernel 3 x 3, activation relu": the fields that differ from their default.
std::string summary(const Layer& layer);

}  // namespace ratnet::inline v1
