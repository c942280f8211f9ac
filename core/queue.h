// A device's ordered stream of work and its memory. Plain data and function pointers, because a
// queue may belong to a module that was opened at run time: no exception and no virtual table
// crosses that boundary, only a status and a text.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "device.h"
#include "error.h"

namespace ratnet::inline v1 {

struct Queue;

// 0, or the ErrorKind of what went wrong with its reason in `why` (at most `room` characters).
using Status = int;

// What a backend says about one operation before it runs it.
struct OpNote {
  std::size_t scratch_bytes = 0;  // working memory the operation needs while it runs
  char algorithm[240] = "";       // which algorithm, and why those before it declined
  bool pays = true;               // false where the operations it is made of do as well
  // Of its weights in the form that it computes with: more working memory, or PreparedWeights.
  std::size_t prepared_bytes = 0;
};

// How a backend runs one kind of operation; `op` points to that operation's argument struct.
struct OpEntry {
  Status (*run)(Queue&, const void* op, char* why, std::size_t room);
  Status (*plan)(Queue&, const void* op, OpNote& note, char* why, std::size_t room);
};

// Memory that keeps an operation's weights in the form that it computes with from one run to the
// next. The operation fills it where it is empty; who lends it empties it when the weights change.
struct PreparedWeights {
  void* memory = nullptr;
  std::size_t bytes = 0;
  const void* form = nullptr;  // an address of the backend's that tells forms apart; nullptr: empty
};

// Collects notes in place of running: submit() fills it while queue.survey is set, so the code
// that runs a network also tells what memory and which algorithms it will use.
struct Survey {
  struct Step {
    std::string operation;
    std::string algorithm;
    std::size_t scratch_bytes = 0;
  };
  std::vector<Step> steps;
  std::size_t scratch_bytes = 0;  // the largest of all
};

struct Queue {
  Device device;
  char description[160] = "";        // what it is, for people: "NVIDIA H100 80GB HBM3, 80 GiB"
  const OpEntry* entries = nullptr;  // in the order of kernels/ops.h
  std::size_t entry_count = 0;
  bool multiplies_rounded = false;    // has Precision::tf32 and bf16
  bool adds_in_convolutions = false;  // what Conv::added adds needs no pass of its own
  // What one operation writes and the next reads stays close up to so many bytes (the caches of a
  // CPU's threads); 0 where it is no gain to compute a batch in shares of that size.
  std::size_t close_bytes = 0;

  Status (*allocate)(Queue&, std::size_t bytes, void** memory, char* why,
                     std::size_t room) = nullptr;
  void (*release)(Queue&, void* memory) = nullptr;
  // How many bytes allocate() may still give; absent where nobody knows.
  std::size_t (*free_memory)(Queue&) = nullptr;
  // Copies between host memory and the queue's. They may happen as late as wait(): until then the
  // host's memory has to stay as it is, and what is downloaded is not there yet.
  Status (*upload)(Queue&, void* to, const void* from, std::size_t bytes, char* why,
                   std::size_t room) = nullptr;
  Status (*download)(Queue&, void* to, const void* from, std::size_t bytes, char* why,
                     std::size_t room) = nullptr;
  Status (*clear)(Queue&, void* memory, std::size_t bytes, char* why, std::size_t room) = nullptr;
  Status (*wait)(Queue&, char* why, std::size_t room) = nullptr;
  void (*close)(Queue*) = nullptr;

  // Host memory that is copied from and to at the bus's full speed while the host goes on.
  Status (*allocate_host)(Queue&, std::size_t bytes, void** memory, char* why,
                          std::size_t room) = nullptr;
  void (*release_host)(Queue&, void* memory) = nullptr;

  // Events (event.h), where work does not run at once: record marks the end of what was submitted
  // so far; follow lets what is submitted next begin after it, in whatever queue of the same device
  // it was recorded.
  Status (*make_event)(Queue&, void** event, char* why, std::size_t room) = nullptr;
  Status (*record)(Queue&, void* event, char* why, std::size_t room) = nullptr;
  Status (*follow)(Queue&, void* event, char* why, std::size_t room) = nullptr;
  Status (*wait_event)(Queue&, void* event, char* why, std::size_t room) = nullptr;
  void (*drop_event)(Queue&, void* event) = nullptr;

  // Where a backend has these: what is submitted between begin_capture and end_capture does not run
  // but is kept, to be run by replay as often as one likes, with the memory it had.
  Status (*begin_capture)(Queue&, char* why, std::size_t room) = nullptr;
  Status (*end_capture)(Queue&, void** captured, char* why, std::size_t room) = nullptr;
  Status (*replay)(Queue&, void* captured, char* why, std::size_t room) = nullptr;
  void (*drop)(Queue&, void* captured) = nullptr;

  // Working memory for operations, lent by whoever submits (a Plan); a backend falls back on
  // memory of its own when it is too small.
  void* scratch = nullptr;
  std::size_t scratch_bytes = 0;

  Survey* survey = nullptr;

  // For the next operation that has prepared_bytes, which takes this away: it fits that operation
  // and its weights alone. While `survey` is set, `bytes` is written there.
  PreparedWeights* prepared = nullptr;
};

struct CloseQueue {
  void operator()(Queue* queue) const noexcept { queue->close(queue); }
};
// Shared, because every buffer keeps its queue alive.
using QueueHandle = std::shared_ptr<Queue>;

// Turns a status into an exception: Error of that kind with the text.
template <class Call>
void checked(Call&& call) {
  char why[512] = "";
  const Status status = call(why, sizeof why);
  if (status != 0) throw Error(static_cast<ErrorKind>(status), why);
}

// Waits until all submitted work is done.
inline void wait(Queue& queue) {
  checked([&](char* why, std::size_t room) { return queue.wait(queue, why, room); });
}

// Copies between host memory and the queue's, as Queue::upload and download say.
inline void upload(Queue& queue, void* to, const void* from, std::size_t bytes) {
  checked(
      [&](char* why, std::size_t room) { return queue.upload(queue, to, from, bytes, why, room); });
}
inline void download(Queue& queue, void* to, const void* from, std::size_t bytes) {
  checked([&](char* why, std::size_t room) {
    return queue.download(queue, to, from, bytes, why, room);
  });
}

// Does what `body` does; where that throws, it waits first, so that no copy goes on with memory
// that its owner is about to free.
template <class Body>
void wait_on_failure(Queue& queue, Body&& body) {
  try {
    body();
  } catch (...) {
    char why[512] = "";
    queue.wait(queue, why, sizeof why);
    throw;
  }
}

}  // namespace ratnet::inline v1
