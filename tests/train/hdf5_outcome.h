// Opens HDF5 slices for the tests and says what was read, noted or refused.
#pragma once

#include <string>
#include <vector>

#include "../../train/hdf5_dataset.h"
#include "../catch.h"
#include "hdf5_file.h"

namespace ratnet::test {

inline Tensor read_all(Dataset& dataset) {
  Tensor all(dataset.image_shape().batch_of(dataset.size()), dataset.dtype());
  dataset.read(0, all);
  return all;
}

template <class T>
std::vector<T> pixels(Dataset& dataset) {
  const Tensor all = read_all(dataset);
  return {all.values<T>().begin(), all.values<T>().end()};
}

inline bool has_note(const Dataset& dataset, const std::string& words) {
  for (const std::string& note : dataset.notes())
    if (note.find(words) != std::string::npos) return true;
  return false;
}

// The message of the Error (input) that opening must give.
inline std::string refusal(const std::string& path, const Hdf5Options& options = {}) {
  try {
    open_hdf5_slices(path, options);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  FAIL("it was not refused");
  return "";
}

inline bool mentions(const std::string& message, const std::string& words) {
  INFO(message);
  return message.find(words) != std::string::npos;
}

}  // namespace ratnet::test
