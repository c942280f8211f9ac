#include "cpu_queue.h"

#include <cstdio>
#include <cstring>

#include "../../core/free_memory.h"
#include "../all_ops.h"
#include "../backend_table.h"
#include "instruction_set.h"

namespace ratnet::inline v1 {

void* CpuQueue::working_memory(std::size_t bytes) {
  if (bytes <= scratch_bytes) return scratch;
  if (bytes > own_scratch_bytes_) {
    own_scratch_.reset();
    own_scratch_ = allocate_aligned(bytes);
    own_scratch_bytes_ = bytes;
  }
  return own_scratch_.get();
}

QueueHandle open_cpu(std::shared_ptr<Executor> executor, std::shared_ptr<Tuner> tuner) {
  auto* queue = new CpuQueue;
  queue->device = {DeviceKind::cpu, 0};
  queue->executor = std::move(executor);
  // Half of a second-level cache of 1 MiB, or all of one of 512 KiB, which most have.
  constexpr std::size_t kCloseBytes = std::size_t{512} * 1024;
  queue->adds_in_convolutions = true;
  queue->close_bytes = kCloseBytes * static_cast<std::size_t>(queue->executor->workers());
  queue->tuner = std::move(tuner);
  std::snprintf(queue->description, sizeof queue->description, "%s, %d threads",
                instruction_set().c_str(), queue->executor->workers());
  queue->entries = table<CpuQueue>(AllOps{});
  queue->entry_count = AllOps::size;
  queue->allocate = [](Queue&, std::size_t bytes, void** memory, char* why, std::size_t room) {
    return guarded(why, room, [&] { *memory = allocate_aligned(bytes).release(); });
  };
  queue->release = [](Queue&, void* memory) { FreeAligned{}(memory); };
  queue->free_memory = [](Queue&) { return free_memory(); };
  queue->allocate_host = queue->allocate;
  queue->release_host = queue->release;
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
