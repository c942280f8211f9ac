#include "mri_augmentation.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "../core/json_depth.h"
#include "../core/tensor.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;

constexpr const char* kLabelSampling[] = {"majority", "nearest"};

// function(name, member) for every member.
template <class Augmentation, class Function>
void for_members(Augmentation& all, Function&& function) {
  auto& moved = all.geometry;
  function("rotation", moved.rotation);
  function("rotation_chance", moved.rotation_chance);
  function("scaling", moved.scaling);
  function("same_scaling", moved.same_scaling);
  function("scaling_chance", moved.scaling_chance);
  function("shear", moved.shear);
  function("shear_chance", moved.shear_chance);
  function("mirror", moved.mirror);
  function("elastic", moved.elastic);
  function("elastic_spacing", moved.elastic_spacing);
  function("elastic_chance", moved.elastic_chance);
  function("outside", moved.outside);
  function("labels", moved.labels);
  auto& changed = all.intensity;
  function("gamma", changed.gamma);
  function("gamma_chance", changed.gamma_chance);
  function("bias", changed.bias);
  function("bias_order", changed.bias_order);
  function("bias_chance", changed.bias_chance);
  function("blur", changed.blur);
  function("blur_chance", changed.blur_chance);
  function("low_resolution", changed.low_resolution);
  function("low_resolution_chance", changed.low_resolution_chance);
  function("ghosts", changed.ghosts);
  function("ghost_period", changed.ghost_period);
  function("ghost_axis", changed.ghost_axis);
  function("ghosts_chance", changed.ghosts_chance);
  function("rician_noise", changed.rician_noise);
  function("rician_noise_chance", changed.rician_noise_chance);
  function("gaussian_noise", changed.gaussian_noise);
  function("gaussian_noise_chance", changed.gaussian_noise_chance);
  function("scale", changed.scale);
  function("offset", changed.offset);
  function("spacing", all.spacing);
}

template <class T>
Json written(const T& value) {
  if constexpr (std::is_same_v<T, LabelSampling>)
    return kLabelSampling[static_cast<std::size_t>(value)];
  else
    return value;
}

[[noreturn]] void refuse(const char* name, const char* expected) {
  fail(ErrorKind::input, "augmentation: ", name, " is not ", expected);
}

void read_value(const char* name, const Json& json, double& value) {
  if (!json.is_number()) refuse(name, "a number");
  json.get_to(value);
}

void read_value(const char* name, const Json& json, float& value) {
  double number = 0;
  read_value(name, json, number);
  value = static_cast<float>(number);
}

void read_value(const char* name, const Json& json, int& value) {
  if (!json.is_number_integer() || std::abs(json.get<double>()) > 1e6)
    refuse(name, "a small whole number");
  json.get_to(value);
}

void read_value(const char* name, const Json& json, bool& value) {
  if (!json.is_boolean()) refuse(name, "true or false");
  json.get_to(value);
}

void read_value(const char* name, const Json& json, LabelSampling& value) {
  for (std::size_t i = 0; i < std::size(kLabelSampling); ++i)
    if (json == kLabelSampling[i]) {
      value = static_cast<LabelSampling>(i);
      return;
    }
  refuse(name, "\"majority\" or \"nearest\"");
}

template <class T>
void read_value(const char* name, const Json& json, std::array<T, 3>& values) {
  if (!json.is_array() || json.size() != 3) refuse(name, "a list of three, of D, H and W");
  for (std::size_t i = 0; i < 3; ++i) read_value(name, json[i], values[i]);
}

void check(const MriAugmentation& augmentation) {
  check_augmentation(augmentation.geometry);
  check_augmentation(augmentation.intensity);
  for (const double spacing : augmentation.spacing)
    require(spacing > 0 && spacing < 1e6, "augmentation: spacing must be above 0 mm, got ",
            spacing);
}

void move(const MriAugmentation& augmentation, const Sample& sample, Random& random) {
  Tensor image(sample.image.shape, DType::f32);
  std::memcpy(image.data(), sample.image.data, image.bytes());
  if (!sample.mask.data) {
    augment_geometry(augmentation.geometry, augmentation.spacing, image, {}, sample.image, {},
                     random);
    return;
  }
  Tensor mask(sample.mask.shape.without_last(), DType::u8);
  std::memcpy(mask.data(), sample.mask.data, mask.bytes());
  augment_geometry(augmentation.geometry, augmentation.spacing, image, mask, sample.image,
                   sample.mask.reshaped(mask.shape()), random);
}

}  // namespace

MriAugmentation mri_augmentation_from_json(std::string_view source) {
  check_json_depth(source);
  const Json json = Json::parse(source, nullptr, false);
  if (!json.is_object())
    fail(ErrorKind::input, "augmentation is not an object such as {\"gamma\": 1.5}");
  MriAugmentation augmentation;
  for (const auto& [key, value] : json.items()) {
    bool known = false;
    for_members(augmentation, [&, name = key, &entry = value](const char* member, auto& to) {
      if (name != member) return;
      read_value(member, entry, to);
      known = true;
    });
    if (!known) fail(ErrorKind::input, "augmentation has no member '", key.substr(0, 32), "'");
  }
  try {
    check(augmentation);
  } catch (const Error& error) {
    fail(ErrorKind::input, error.what());
  }
  return augmentation;
}

std::string to_json(const MriAugmentation& augmentation) {
  Json defaults = Json::object(), json = Json::object();
  const MriAugmentation standard;
  for_members(standard, [&](const char* name, const auto& v) { defaults[name] = written(v); });
  for_members(augmentation, [&](const char* name, const auto& v) {
    if (written(v) != defaults[name]) json[name] = written(v);
  });
  return json.dump();
}

SampleChange sample_change(const MriAugmentation& augmentation) {
  check(augmentation);
  return {.name = to_json(augmentation), .apply = [=](const Sample& sample, Random& random) {
            if (augmentation.geometry.any()) move(augmentation, sample, random);
            if (augmentation.intensity.any())
              augment_intensity(augmentation.intensity, sample.image, random);
          }};
}

}  // namespace ratnet::inline v1
