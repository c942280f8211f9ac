// How a backend makes its function table: for every operation the bodies run(Queue&, const Op&)
// and, where there is something to plan, OpNote plan(Queue&, const Op&).
#pragma once

#include <cstring>
#include <exception>
#include <string_view>

#include "../core/queue.h"
#include "../core/version.h"
#include "ops.h"

namespace ratnet::inline v1 {

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

template <class BackendQueue, class Op>
OpEntry entry_of() {
  OpEntry entry;
  entry.run = [](Queue& queue, const void* op, char* why, std::size_t room) {
    return guarded(why, room,
                   [&] { run(static_cast<BackendQueue&>(queue), *static_cast<const Op*>(op)); });
  };
  entry.plan = [](Queue& queue, const void* op, OpNote& note, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      // Operations with one algorithm and no working memory need not say so.
      if constexpr (requires {
                      plan(static_cast<BackendQueue&>(queue), *static_cast<const Op*>(op));
                    })
        note = plan(static_cast<BackendQueue&>(queue), *static_cast<const Op*>(op));
    });
  };
  return entry;
}

template <class BackendQueue, class... Ops>
const OpEntry* table(OpList<Ops...>) {
  static const OpEntry entries[] = {entry_of<BackendQueue, Ops>()...};
  return entries;
}

// This version, and names and sizes of all that crosses into a backend, in one number: by it a
// module from another build is known. Only where all operations are complete types.
template <class... Ops>
std::uint64_t hash_of(OpList<Ops...>) {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3u; };
  const auto add_named = [&](std::string_view name, std::size_t size) {
    for (const char c : name) add(static_cast<unsigned char>(c));
    add(size);
  };
  (add_named(Ops::kName, sizeof(Ops)), ...);
  add_named("queue", sizeof(Queue));
  add_named("note", sizeof(OpNote));
  add_named("entry", sizeof(OpEntry));
  add_named(version(), 0);
  return hash;
}
inline std::uint64_t backend_hash() { return hash_of(AllOps{}); }

}  // namespace ratnet::inline v1
