#include "descriptor.h"

#include <algorithm>

#include "../../../core/text.h"

namespace ratnet::inline v1 {

Descriptor::Descriptor(cudnnBackendDescriptorType_t type, const char* name) : name_(name) {
  check_cudnn(cudnn_library().create_descriptor(type, &raw_), name);
}

Descriptor::~Descriptor() {
  if (raw_) cudnn_library().destroy_descriptor(raw_);
}

Descriptor& Descriptor::finalize() {
  check_cudnn(cudnn_library().finalize(raw_), name_);
  return *this;
}

Descriptor& Descriptor::write(cudnnBackendAttributeName_t attribute,
                              cudnnBackendAttributeType_t type, std::int64_t count,
                              const void* values) {
  check_cudnn(cudnn_library().set_attribute(raw_, attribute, type, count, values),
              text(name_, ": attribute ", static_cast<int>(attribute)).c_str());
  return *this;
}

std::int64_t Descriptor::read(cudnnBackendAttributeName_t attribute,
                              cudnnBackendAttributeType_t type, std::int64_t room,
                              void* values) const {
  std::int64_t count = 0;
  check_cudnn(cudnn_library().get_attribute(raw_, attribute, type, room, &count, values),
              text(name_, ": reading attribute ", static_cast<int>(attribute)).c_str());
  return room > 0 ? std::min(room, count) : count;
}

}  // namespace ratnet::inline v1
