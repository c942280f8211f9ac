#include "block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <sstream>
#include <vector>

#include "fiber.h"
#include "sanitizers.h"

namespace ratnet_emulation {
namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kMostThreads = 1024;

enum class State { ready, at_barrier, at_exchange, done };

// A CUDA thread. Plain arrays of these, so that no instrumented code of the standard library
// touches what the fibers share behind the thread sanitizer's back.
struct Thread {
  std::unique_ptr<Fiber> fiber;
  Position position;
  State state = State::done;
  const char* file = "";
  int line = 0;
  // An exchange: what is given and asked for, and what came of it.
  unsigned mask = 0;
  std::uint64_t value = 0;
  unsigned from = 0;
  std::uint64_t received = 0;
  unsigned ballot = 0;
  int word_count = 0;  // of a gathering
  std::uint64_t words[kWords] = {};
  // Copies that have not landed, and how many of them each closed group has.
  std::deque<Copy> copies;
  std::deque<std::size_t> groups;
  std::size_t open_copies = 0;
};

struct Block {
  Thread threads[kMostThreads];
  unsigned count = 0;
  void* shared = nullptr;
  unsigned barriers = 0;
  bool copies_land_at_once = false;
  unsigned exchanges[kMostThreads / kWarp] = {};
  // Addresses by which the thread sanitizer is told who waited for whom.
  std::uint64_t gathered[kMostThreads / kWarp][kWarp][kWords] = {};
  char start = 0, end = 0;
  char barrier_meeting[2] = {};
  char warp_meeting[kMostThreads / kWarp][2] = {};
};

Block block;
unsigned current = 0;

Thread& self() { return block.threads[current]; }
unsigned warps() { return (block.count + kWarp - 1) / kWarp; }
Thread& lane_of(unsigned warp, unsigned lane) { return block.threads[warp * kWarp + lane]; }
unsigned lanes_in(unsigned warp) { return std::min(kWarp, block.count - warp * kWarp); }

std::uint32_t next_random(std::uint64_t& state) {  // SplitMix64
  std::uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return static_cast<std::uint32_t>(z >> 32);
}

void wait_as(State state, const char* file, int line) {
  Thread& thread = self();
  thread.state = state;
  thread.file = file;
  thread.line = line;
  happened_before(&block.end);  // it may never go on, and the host takes over
  thread.fiber->yield();
}

bool same_place(const Thread& a, const Thread& b) {
  return a.line == b.line && std::strcmp(a.file, b.file) == 0;
}

// Lets go those who wait for the lanes of one mask, if all of them are there.
bool release_exchange(unsigned warp, unsigned first_lane) {
  const Thread& first = lane_of(warp, first_lane);
  const unsigned lanes = lanes_in(warp);
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if (!(first.mask >> lane & 1)) continue;
    if (lane >= lanes) return false;
    const Thread& other = lane_of(warp, lane);
    if (other.state != State::at_exchange || other.mask != first.mask || !same_place(other, first))
      return false;
  }
  const unsigned mask = first.mask;
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < lanes; ++lane)
    if ((mask >> lane & 1) && lane_of(warp, lane).value) ballot |= 1u << lane;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!(mask >> lane & 1)) continue;
    Thread& thread = lane_of(warp, lane);
    thread.ballot = ballot;
    // A lane outside the mask gives nothing; a device says "undefined".
    const bool gives = thread.from < lanes && (mask >> thread.from & 1);
    thread.received = gives ? lane_of(warp, thread.from).value : ~std::uint64_t{0};
    thread.state = State::ready;
    if (first.word_count > 0)
      std::memcpy(block.gathered[warp][lane], thread.words, sizeof thread.words);
  }
  ++block.exchanges[warp];
  return true;
}

bool release_barrier() {
  for (unsigned i = 0; i < block.count; ++i)
    if (block.threads[i].state != State::at_barrier ||
        !same_place(block.threads[i], block.threads[0]))
      return false;
  ++block.barriers;
  for (unsigned i = 0; i < block.count; ++i) block.threads[i].state = State::ready;
  return true;
}

std::string where(const Thread& thread) {
  std::ostringstream text;
  const Dim3& t = thread.position.thread;
  text << "thread (" << t.x << ", " << t.y << ", " << t.z << ") ";
  if (thread.state == State::done)
    text << "has ended";
  else
    text << "waits at " << (thread.state == State::at_barrier ? "__syncthreads" : "a warp's call")
         << " in " << thread.file << ":" << thread.line;
  return text.str();
}

// Nobody can go on: tells of two threads that wait for different things.
std::string describe_deadlock() {
  const Thread* first = nullptr;
  for (unsigned i = 0; i < block.count && !first; ++i)
    if (block.threads[i].state != State::done) first = &block.threads[i];
  for (unsigned i = 0; i < block.count; ++i) {
    const Thread& other = block.threads[i];
    if (other.state != first->state || !same_place(other, *first) || other.mask != first->mask)
      return "divergent barrier: " + where(*first) + ", " + where(other);
  }
  return "divergent barrier: " + where(*first) + " for lanes that do not exist";
}

// A thread that can run, or `count`: of the present warp if there is one, else of the next.
unsigned choose(unsigned& warp, const unsigned* order, std::uint64_t& random) {
  if (next_random(random) % 256 == 0) warp = next_random(random) % warps();
  for (unsigned tried = 0; tried < warps(); ++tried) {
    for (unsigned lane = 0; lane < kWarp; ++lane) {
      if (order[lane] >= lanes_in(warp)) continue;
      if (lane_of(warp, order[lane]).state == State::ready) return warp * kWarp + order[lane];
    }
    for (unsigned lane = 0; lane < lanes_in(warp); ++lane)
      if (lane_of(warp, lane).state == State::at_exchange && release_exchange(warp, lane))
        return choose(warp, order, random);
    warp = (warp + 1) % warps();
  }
  return release_barrier() ? choose(warp, order, random) : block.count;
}

// Shared memory of a block, with bytes behind it that nobody may write; by the address sanitizer a
// step beyond is seen at once.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes)
      : bytes_(bytes), memory_(static_cast<unsigned char*>(std::malloc(bytes + kFence + 1))) {
    std::memset(memory_, 0xFF, bytes_);
    std::memset(memory_ + bytes_, kFenceByte, kFence);
    forbid(memory_ + bytes_, kFence + 1);
  }
  ~SharedMemory() {
    allow(memory_ + bytes_, kFence + 1);
    std::free(memory_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void* data() const { return memory_; }
  bool fence_stands() const {
    allow(memory_ + bytes_, kFence + 1);
    for (std::size_t i = 0; i < kFence; ++i)
      if (memory_[bytes_ + i] != kFenceByte) return false;
    return true;
  }

 private:
  static constexpr std::size_t kFence = 64;
  static constexpr unsigned char kFenceByte = 0xFE;
  std::size_t bytes_;
  unsigned char* memory_;
};

std::string run_block(const Launch& launch, std::uint64_t& random) {
  const SharedMemory shared(launch.shared_bytes);
  block.shared = shared.data();
  for (unsigned i = 0; i < block.count; ++i) {
    Thread& thread = block.threads[i];
    if (!thread.fiber) thread.fiber = std::make_unique<Fiber>();
    thread.state = State::ready;
    thread.mask = 0;
    thread.word_count = 0;
    thread.copies.clear();
    thread.groups.clear();
    thread.open_copies = 0;
    thread.fiber->set_body(
        [](void* argument) {
          const auto* l = static_cast<const Launch*>(argument);
          happens_after(&block.start);
          l->body(l->argument);
          happened_before(&block.end);
          self().state = State::done;
        },
        const_cast<Launch*>(&launch));
  }
  unsigned order[kWarp];
  for (unsigned i = 0; i < kWarp; ++i) order[i] = i;
  for (unsigned i = kWarp; i > 1; --i) std::swap(order[i - 1], order[next_random(random) % i]);
  unsigned warp = next_random(random) % warps();
  block.copies_land_at_once = next_random(random) % 2;

  happened_before(&block.start);
  std::string error;
  for (unsigned done = 0; done < block.count;) {
    current = choose(warp, order, random);
    if (current == block.count) {
      error = describe_deadlock();
      // Their stacks are in the middle of something: nobody can use them again.
      for (unsigned i = 0; i < block.count; ++i) block.threads[i].fiber.reset();
      break;
    }
    self().fiber->resume();
    done += self().state == State::done;
  }
  happens_after(&block.end);
  block.shared = nullptr;
  if (error.empty() && !shared.fence_stands()) error = "a write beyond shared memory";
  return error;
}

}  // namespace

const Position& position() { return self().position; }
void* shared_memory() { return block.shared; }

void block_barrier(const char* file, int line) {
  void* meeting = &block.barrier_meeting[block.barriers % 2];
  happened_before(meeting);
  wait_as(State::at_barrier, file, line);
  happens_after(meeting);
}

std::uint64_t warp_exchange(unsigned mask, std::uint64_t value, unsigned from, bool orders_memory,
                            const char* file, int line) {
  Thread& thread = self();
  const unsigned warp = current / kWarp;
  void* meeting = &block.warp_meeting[warp][block.exchanges[warp] % 2];
  if (orders_memory) happened_before(meeting);
  thread.mask = mask;
  thread.value = value;
  thread.from = from;
  wait_as(State::at_exchange, file, line);
  if (orders_memory) happens_after(meeting);
  return thread.received;
}

unsigned warp_ballot(unsigned mask, bool value, const char* file, int line) {
  warp_exchange(mask, value, 0, false, file, line);
  return self().ballot;
}

const std::uint64_t (*warp_gather(const std::uint64_t* words, int count, const char* file,
                                  int line))[kWords] {
  Thread& thread = self();
  thread.word_count = count;
  for (int i = 0; i < count; ++i) thread.words[i] = words[i];
  warp_exchange(0xFFFFFFFFu, 0, 0, false, file, line);
  thread.word_count = 0;
  return block.gathered[current / kWarp];
}

bool copies_land_at_once() { return block.copies_land_at_once; }

void add_copy(const Copy& copy) {
  self().copies.push_back(copy);
  ++self().open_copies;
}

void close_copies() {
  self().groups.push_back(self().open_copies);
  self().open_copies = 0;
}

bool take_copy(int pending, Copy& copy) {
  Thread& thread = self();
  while (thread.groups.size() > static_cast<std::size_t>(pending)) {
    if (thread.groups.front() == 0) {
      thread.groups.pop_front();
      continue;
    }
    --thread.groups.front();
    copy = thread.copies.front();
    thread.copies.pop_front();
    return true;
  }
  return false;
}

std::string run_grid(const Launch& launch, std::uint64_t seed) {
  block.count = launch.block.x * launch.block.y * launch.block.z;
  if (block.count == 0 || block.count > kMostThreads) return "a block has 1 to 1024 threads";
  std::uint64_t random = seed;
  Position p;
  p.block_size = launch.block;
  p.grid_size = launch.grid;
  for (p.block.z = 0; p.block.z < launch.grid.z; ++p.block.z)
    for (p.block.y = 0; p.block.y < launch.grid.y; ++p.block.y)
      for (p.block.x = 0; p.block.x < launch.grid.x; ++p.block.x) {
        unsigned i = 0;
        for (p.thread.z = 0; p.thread.z < launch.block.z; ++p.thread.z)
          for (p.thread.y = 0; p.thread.y < launch.block.y; ++p.thread.y)
            for (p.thread.x = 0; p.thread.x < launch.block.x; ++p.thread.x)
              block.threads[i++].position = p;
        if (std::string error = run_block(launch, random); !error.empty()) {
          std::ostringstream text;
          text << error << ", block (" << p.block.x << ", " << p.block.y << ", " << p.block.z
               << ")";
          return text.str();
        }
      }
  return "";
}

}  // namespace ratnet_emulation
