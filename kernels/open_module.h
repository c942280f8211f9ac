// Backends that are modules, opened at run time.
#pragma once

#include "../core/queue.h"

namespace ratnet::inline v1 {

// A queue of the module for that kind of device (cuda or cuda_emulated). Modules lie beside the
// program or the shared library that asks, in ratnet/, ../ratnet/ or ../lib/ratnet/ from there,
// or, where it is set, in $RATNET_MODULES alone; once opened they stay. Throws Error (device) with
// the reason.
QueueHandle open_module(const Device& device);

}  // namespace ratnet::inline v1
