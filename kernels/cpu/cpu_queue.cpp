#include "cpu_queue.h"

#include <cstring>

#include "../activation.h"
#include "../conv.h"
#include "../dense.h"
#include "../ops.h"
#include "../optimise.h"
#include "../pointwise.h"
#include "../pool.h"
#include "../softmax.h"

namespace ratnet::inline v1 {
namespace {

// Turns whatever `body` throws into a status and a text.
template <class Body>
Status guarded(char* why, std::size_t room, Body&& body) {
  ErrorKind kind = ErrorKind::internal;
  try {
    body();
    return 0;
  } catch (const Error& error) {
    kind = error.kind();
    std::strncpy(why, error.what(), room - 1);
  } catch (const std::exception& error) {
    std::strncpy(why, error.what(), room - 1);
  }
  why[room - 1] = '\0';
  return static_cast<Status>(kind);
}

template <class Op>
OpEntry entry_of() {
  OpEntry entry;
  entry.run = [](Queue& queue, const void* op, char* why, std::size_t room) {
    return guarded(why, room,
                   [&] { run(static_cast<CpuQueue&>(queue), *static_cast<const Op*>(op)); });
  };
  entry.plan = [](Queue& queue, const void* op, OpNote& note, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      // Operations with one algorithm and no working memory need not say so.
      if constexpr (requires { plan(static_cast<CpuQueue&>(queue), *static_cast<const Op*>(op)); })
        note = plan(static_cast<CpuQueue&>(queue), *static_cast<const Op*>(op));
    });
  };
  return entry;
}

template <class... Ops>
const OpEntry* table(OpList<Ops...>) {
  static const OpEntry entries[] = {entry_of<Ops>()...};
  return entries;
}

}  // namespace

void* CpuQueue::working_memory(std::size_t bytes) {
  if (bytes <= scratch_bytes) return scratch;
  if (bytes > own_scratch_bytes_) {
    own_scratch_.reset();
    own_scratch_ = allocate_aligned(bytes);
    own_scratch_bytes_ = bytes;
  }
  return own_scratch_.get();
}

QueueHandle open_cpu(std::shared_ptr<Executor> executor) {
  auto* queue = new CpuQueue;
  queue->device = {DeviceKind::cpu, 0};
  queue->executor = std::move(executor);
  queue->entries = table(AllOps{});
  queue->entry_count = AllOps::size;
  queue->allocate = [](Queue&, std::size_t bytes, void** memory, char* why, std::size_t room) {
    return guarded(why, room, [&] { *memory = allocate_aligned(bytes).release(); });
  };
  queue->release = [](Queue&, void* memory) { FreeAligned{}(memory); };
  const auto copy = [](Queue&, void* to, const void* from, std::size_t bytes, char*, std::size_t) {
    std::memcpy(to, from, bytes);
    return Status{0};
  };
  queue->upload = copy;
  queue->download = copy;
  queue->clear = [](Queue&, void* memory, std::size_t bytes, char*, std::size_t) {
    std::memset(memory, 0, bytes);
    return Status{0};
  };
  queue->wait = [](Queue&, char*, std::size_t) { return Status{0}; };
  queue->close = [](Queue* closed) { delete static_cast<CpuQueue*>(closed); };
  return QueueHandle(queue, CloseQueue{});
}

QueueHandle open_cpu(int threads) { return open_cpu(std::make_shared<ThreadPool>(threads)); }

}  // namespace ratnet::inline v1
