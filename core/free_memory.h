// How much memory there is left.
#pragma once

#include <cstddef>
#include <filesystem>

namespace ratnet::inline v1 {

// Bytes that this process can still take: the least of what the machine has available, what its
// control groups allow (versions 1 and 2, up to the root; files in the page cache can be given up
// and count as free) and its limit of addresses (RLIMIT_AS). What cannot be found out limits
// nothing. root: where /proc and /sys are.
std::size_t free_memory(const std::filesystem::path& root = "/");

}  // namespace ratnet::inline v1
