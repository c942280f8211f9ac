// Elements first..last - 1 of pointwise operations, on the calling thread.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

struct Activate;
struct Add;
struct Multiply;

void run_piece(const Activate& op, std::int64_t first, std::int64_t last);
void run_piece(const Add& op, std::int64_t first, std::int64_t last);
void run_piece(const Multiply& op, std::int64_t first, std::int64_t last);

}  // namespace ratnet::inline v1
