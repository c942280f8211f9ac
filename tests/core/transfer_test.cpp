// Copies whose memory is safe when they fail.
#include "../../core/transfer.h"

#include <cstring>

#include "../catch.h"

using namespace ratnet;

namespace {

int waits = 0;
Status wait_counting(Queue&, char*, std::size_t) {
  ++waits;
  return 0;
}
Status copy(Queue&, void* to, const void* from, std::size_t bytes, char*, std::size_t) {
  std::memcpy(to, from, bytes);
  return 0;
}
Status fail_copy(Queue&, void*, const void*, std::size_t, char*, std::size_t) {
  return static_cast<Status>(ErrorKind::device);
}

}  // namespace

TEST_CASE("tensors come and go, and a copy that failed is waited for") {
  Queue queue;
  queue.wait = wait_counting;
  queue.upload = queue.download = copy;
  Tensor here({2, 3}, DType::u16), there({2, 3}, DType::u16);
  for (std::size_t i = 0; i < 6; ++i)
    here.values<std::uint16_t>()[i] = static_cast<std::uint16_t>(500 + i);
  waits = 0;
  upload_and_wait(queue, there, here);
  const Tensor back = downloaded(queue, there);
  CHECK(waits == 2);
  CHECK(back.shape() == here.shape());
  CHECK(std::memcmp(back.data(), here.data(), here.bytes()) == 0);

  queue.upload = queue.download = fail_copy;
  CHECK_THROWS_AS(downloaded(queue, there), Error);
  CHECK(waits == 3);
  CHECK_THROWS_AS(upload_and_wait(queue, there, here), Error);
  CHECK(waits == 4);
}

TEST_CASE("a tensor is copied from a view, from none to none") {
  Tensor numbers({3}, DType::f32);
  numbers.values<float>()[2] = 7;
  const Tensor copy = Tensor::copy_of(numbers);
  numbers.values<float>()[2] = 8;
  CHECK(copy.values<float>()[2] == 7);
  CHECK(copy.shape() == Shape{3});
}
