#include "version.h"

namespace ratnet::inline v1 {

std::string version() { return RATNET_VERSION; }

}  // namespace ratnet::inline v1
