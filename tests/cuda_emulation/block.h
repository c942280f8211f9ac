// Runs the blocks of a grid one after the other, each CUDA thread of a block as a fiber.
//
// Order of threads: one warp runs as far as it can, its lanes in an order shuffled by the seed;
// only now and then (1 in 256) another warp is taken before. That makes warps drift apart by as
// much as their barriers allow, which is what shows a missing barrier; a uniformly random order
// hardly does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ratnet_emulation {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

// What a CUDA thread knows of itself.
struct Position {
  Dim3 thread, block, block_size, grid_size;
};
const Position& position();

// Shared memory of the running block, filled with NaN bytes when the block starts.
void* shared_memory();

// Waits for all threads of the block; from everybody the same place in the source.
void block_barrier(const char* file, int line);

// What the lanes of a warp exchange: each gives a value and gets that of lane `from`. All lanes of
// `mask` must come to the same place with the same mask. `orders_memory` as __syncwarp does.
std::uint64_t warp_exchange(unsigned mask, std::uint64_t value, unsigned from, bool orders_memory,
                            const char* file, int line);
// One bit for every lane of the mask whose value is not 0.
unsigned warp_ballot(unsigned mask, bool value, const char* file, int line);

// Every lane of the warp (all 32) gives up to kWords words; what all gave, valid until the next
// gathering of this warp.
constexpr int kWords = 8;
const std::uint64_t (*warp_gather(const std::uint64_t* words, int count, const char* file,
                                  int line))[kWords];

// Copies that a thread has begun, in groups: from nullptr means zeros. A device lands them at any
// time until they are waited for; here they land at that end or, in every other block, at once.
struct Copy {
  void* to = nullptr;
  const void* from = nullptr;
};
bool copies_land_at_once();
void add_copy(const Copy& copy);
void close_copies();
// The oldest copy of the running thread that is not in its last `pending` groups; false: none.
bool take_copy(int pending, Copy& copy);

struct Launch {
  Dim3 grid, block;
  std::size_t shared_bytes = 0;
  void (*body)(void*) = nullptr;  // runs the kernel for one thread
  void* argument = nullptr;
};

// Runs all blocks. Returns "" or what a device would have hung or gone wrong at.
std::string run_grid(const Launch& launch, std::uint64_t seed);

}  // namespace ratnet_emulation
