// Descriptors of cuDNN's graph API: objects with attributes, complete once finalized.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "library.h"

namespace ratnet::inline v1 {

// cuDNN's name of a C++ type.
template <class T>
constexpr cudnnBackendAttributeType_t cudnn_type = [] {
  static_assert(sizeof(T) == 0, "no attribute of cuDNN that we use has this type");
  return CUDNN_TYPE_INT64;
}();
template <>
inline constexpr auto cudnn_type<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr auto cudnn_type<std::int32_t> = CUDNN_TYPE_INT32;
template <>
inline constexpr auto cudnn_type<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr auto cudnn_type<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr auto cudnn_type<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr auto cudnn_type<double> = CUDNN_TYPE_DOUBLE;
template <>
inline constexpr auto cudnn_type<void*> = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr auto cudnn_type<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr auto cudnn_type<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr auto cudnn_type<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr auto cudnn_type<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr auto cudnn_type<cudnnNanPropagation_t> = CUDNN_TYPE_NAN_PROPOGATION;
template <>
inline constexpr auto cudnn_type<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr auto cudnn_type<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;
template <>
inline constexpr auto cudnn_type<cudnnBackendBehaviorNote_t> = CUDNN_TYPE_BEHAVIOR_NOTE;

// All functions throw Error (device) with cuDNN's own words. cudnn_library() has to be there.
class Descriptor {
 public:
  // name: for messages.
  Descriptor(cudnnBackendDescriptorType_t type, const char* name);
  Descriptor(Descriptor&& other) noexcept
      : raw_(std::exchange(other.raw_, nullptr)), name_(other.name_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    std::swap(name_, other.name_);
    return *this;
  }
  ~Descriptor();

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t attribute, const T& value) {
    return write(attribute, cudnn_type<T>, 1, &value);
  }
  Descriptor& set(cudnnBackendAttributeName_t attribute, const Descriptor& value) {
    return write(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.raw_);
  }
  template <class T>
  Descriptor& set_all(cudnnBackendAttributeName_t attribute, std::span<const T> values) {
    return write(attribute, cudnn_type<T>, std::ssize(values), values.data());
  }
  Descriptor& set_descriptors(cudnnBackendAttributeName_t attribute,
                              std::span<const cudnnBackendDescriptor_t> values) {
    return write(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::ssize(values), values.data());
  }
  Descriptor& finalize();

  template <class T>
  T get(cudnnBackendAttributeName_t attribute) const {
    T value{};
    read(attribute, cudnn_type<T>, 1, &value);
    return value;
  }
  // Fills `values`; how many were filled, or the attribute has where there is room for none.
  template <class T>
  std::int64_t get_all(cudnnBackendAttributeName_t attribute, std::span<T> values) const {
    return read(attribute, cudnn_type<T>, std::ssize(values), values.data());
  }
  // Here `values` are descriptors of the right type already, whose contents are filled in.
  std::int64_t get_descriptors(cudnnBackendAttributeName_t attribute,
                               std::span<cudnnBackendDescriptor_t> values) const {
    return read(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::ssize(values), values.data());
  }

  cudnnBackendDescriptor_t raw() const { return raw_; }

 private:
  Descriptor& write(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type,
                    std::int64_t count, const void* values);
  std::int64_t read(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type,
                    std::int64_t room, void* values) const;

  cudnnBackendDescriptor_t raw_ = nullptr;
  const char* name_;
};

}  // namespace ratnet::inline v1
