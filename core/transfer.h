// Tensors from one memory to another, there when the call returns.
#pragma once

#include "queue.h"
#include "tensor.h"

namespace ratnet::inline v1 {

// from: in the queue's memory.
inline Tensor downloaded(Queue& queue, const ConstView& from) {
  Tensor tensor(from.shape, from.dtype);
  wait_on_failure(queue, [&] {
    download(queue, tensor.data(), from.data, tensor.bytes());
    wait(queue);
  });
  return tensor;
}

// from: in host memory; to: in the queue's, of the same shape and type.
inline void upload_and_wait(Queue& queue, const View& to, const ConstView& from) {
  wait_on_failure(queue, [&] {
    upload(queue, to.data, from.data, to.bytes());
    wait(queue);
  });
}

}  // namespace ratnet::inline v1
