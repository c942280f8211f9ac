// What a queue keeps of one of NVIDIA's libraries.
#pragma once

#include <string>
#include <utility>

#include "../../core/text.h"
#include "cuda_queue.h"
#include "plan_cache.h"

namespace ratnet::inline v1 {

template <class Handle, class Key, class Value>
struct VendorPlans {
  using Entry = typename PlanCache<Key, Value>::Entry;

  std::string why;  // there is no handle
  Handle handle = nullptr;
  PlanCache<Key, Value> plans;

  // What is prepared for a key, by make() where it is not yet. What captured work uses stays.
  // Throws Error (internal) where it would have to be made while work is captured.
  template <class Make>
  Value& prepared(CudaQueue& queue, const char* what, const Key& key, const Make& make) {
    Entry* entry = plans.find(key);
    if (entry && entry->captured) return entry->value;
    const bool capturing = queue.is_capturing();
    if (!entry) {
      if (capturing)
        fail(ErrorKind::internal, what, ": the ", to_string(key),
             " was not prepared before work was captured");
      queue.use_device();
      entry = &plans.add(key, make());
    }
    entry->captured |= capturing;
    return entry->value;
  }
};

}  // namespace ratnet::inline v1
