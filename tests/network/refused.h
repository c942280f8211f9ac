// Whether a call ends in an Error of a kind.
#pragma once

#include <string>

#include "../../core/error.h"

namespace ratnet::testing {

// "" where `call` throws an Error of that kind whose text holds `part`; else what happened.
template <class Call>
std::string refused(ErrorKind kind, const std::string& part, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (error.kind() == kind && what.find(part) != std::string::npos) return "";
    return "kind " + std::to_string(static_cast<int>(error.kind())) + ": " + what;
  }
  return "was accepted";
}

}  // namespace ratnet::testing
