#include "../../train/mri_augmentation.h"

#include <cstring>

#include "../catch.h"

using namespace ratnet;

namespace {

// A ramp with a bright block, of which the mask is.
struct Picture {
  Tensor image{Shape{9, 11, 2}, DType::f32}, mask{Shape{9, 11, 1}, DType::u8};

  Picture() {
    auto* values = static_cast<float*>(image.data());
    auto* labels = static_cast<std::uint8_t*>(mask.data());
    for (std::int64_t p = 0; p < 9 * 11; ++p) {
      const bool inside = p / 11 > 2 && p / 11 < 7 && p % 11 > 3 && p % 11 < 9;
      labels[p] = inside;
      for (std::int64_t c = 0; c < 2; ++c)
        values[p * 2 + c] = static_cast<float>(p + c) / 200 + (inside ? 1.0f : 0.0f);
    }
  }
  Sample sample(bool masked = true) { return {image, masked ? View(mask) : View(), {}, {}}; }
};

bool same(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

constexpr const char* kAll =
    R"({"rotation": [30, 0, 0], "rotation_chance": 1, "scaling": 1.3, "mirror": [false, true, true],
        "elastic": 1, "elastic_spacing": 4, "labels": "nearest", "spacing": [1, 0.5, 2],
        "gamma": 1.5, "gamma_chance": 1, "bias": 0.3, "bias_order": 2, "ghosts": 0.4,
        "ghosts_chance": 1, "gaussian_noise": 0.1, "offset": 0.25})";

}  // namespace

TEST_CASE("an augmentation is read from JSON and written to it") {
  const MriAugmentation read = mri_augmentation_from_json(kAll);
  CHECK(read.geometry.rotation == Number3{30, 0, 0});
  CHECK(read.geometry.mirror == std::array<bool, 3>{false, true, true});
  CHECK(read.geometry.labels == LabelSampling::nearest);
  CHECK(read.geometry.shear_chance == GeometryAugmentation().shear_chance);
  CHECK(read.intensity.bias_order == 2);
  CHECK(read.intensity.offset == 0.25);
  CHECK(read.spacing == Number3{1, 0.5, 2});
  const std::string again = to_json(read);
  CHECK(again.find("shear") == std::string::npos);
  CHECK(to_json(mri_augmentation_from_json(again)) == again);
  CHECK(to_json(MriAugmentation()) == "{}");
  CHECK_FALSE(mri_augmentation_from_json("{}").geometry.any());
}

TEST_CASE("an augmentation that makes no sense is refused by name") {
  const auto message = [](const std::string& source) -> std::string {
    try {
      mri_augmentation_from_json(source);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
      return error.what();
    }
    return "";
  };
  CHECK(message("[1]").find("not an object") != std::string::npos);
  CHECK(message("{\"gamma\": ").find("not an object") != std::string::npos);
  CHECK(message(std::string(5000, '[')) != "");
  CHECK(message(R"({"gama": 2})").find("no member 'gama'") != std::string::npos);
  CHECK(message(R"({"gamma": "2"})").find("gamma is not a number") != std::string::npos);
  CHECK(message(R"({"gamma": true})").find("gamma is not a number") != std::string::npos);
  CHECK(message(R"({"gamma": 0.5})").find("gamma") != std::string::npos);
  CHECK(message(R"({"same_scaling": 1})").find("true or false") != std::string::npos);
  CHECK(message(R"({"rotation": 15})").find("rotation is not a list of three") !=
        std::string::npos);
  CHECK(message(R"({"rotation": [1, 2]})") != "");
  CHECK(message(R"({"rotation": [1, 2, 200]})").find("rotation") != std::string::npos);
  CHECK(message(R"({"bias_order": 2.5})").find("whole number") != std::string::npos);
  CHECK(message(R"({"bias_order": 1e30})").find("whole number") != std::string::npos);
  CHECK(message(R"({"labels": "linear"})").find("majority") != std::string::npos);
  CHECK(message(R"({"spacing": [1, 0, 1]})").find("spacing") != std::string::npos);
  CHECK(message(R"({"elastic": 1e999})") != "");
}

TEST_CASE("a sample is moved with its mask, then changed in intensity") {
  const MriAugmentation augmentation = mri_augmentation_from_json(kAll);
  const SampleChange change = sample_change(augmentation);
  CHECK(change.name == to_json(augmentation));
  Picture changed, before, unmasked;
  Random random(5), same_random(5), again(5);
  change.apply(changed.sample(), random);

  Tensor image(before.image.shape(), DType::f32), mask(Shape{9, 11}, DType::u8);
  augment_geometry(augmentation.geometry, augmentation.spacing, before.image,
                   ConstView(before.mask).reshaped(Shape{9, 11}), image, mask, same_random);
  augment_intensity(augmentation.intensity, image, same_random);
  CHECK(same(changed.image, image));
  CHECK(same(changed.mask, mask));
  CHECK_FALSE(same(changed.image, before.image));
  CHECK_FALSE(same(changed.mask, before.mask));

  // Without a mask the image is changed alike.
  change.apply(unmasked.sample(false), again);
  CHECK(same(unmasked.image, changed.image));
  CHECK(same(unmasked.mask, before.mask));
}
