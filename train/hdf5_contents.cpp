#include "hdf5_contents.h"

#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

namespace ratnet::inline v1 {
namespace {

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, ImageHash>;

class Writer {
 public:
  std::string bytes;

  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

 private:
  template <Plain T>
  void put(const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(const std::string& value) {
    put(value.size());
    bytes += value;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(values.size());
    if constexpr (Plain<T>)
      bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    else
      for (const T& value : values) put(value);
  }
  template <class T, std::size_t n>
  void put(const std::array<T, n>& values) {
    for (const T& value : values) put(value);
  }
  template <class T>
  void put(const std::map<std::string, T>& values) {
    put(values.size());
    for (const auto& [name, value] : values) (*this)(name, value);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  void put(const Shape& shape) {
    put(std::vector<std::int64_t>(shape.sizes().begin(), shape.sizes().end()));
  }
  template <class T>
  requires(std::is_class_v<T> && !Plain<T>) void put(const T& value) { visit(*this, value); }
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  bool done() const { return left_.empty(); }

 private:
  std::string_view left_;

  const char* take(std::size_t n) {
    if (n > left_.size()) fail(ErrorKind::input, "its description is cut short");
    const char* at = left_.data();
    left_.remove_prefix(n);
    return at;
  }
  // Every entry takes at least `entry_bytes`, so a count beyond the bytes left is wrong.
  std::size_t take_size(std::size_t entry_bytes) {
    std::size_t n = 0;
    get(n);
    if (n > left_.size() / entry_bytes) fail(ErrorKind::input, "its description is cut short");
    return n;
  }
  template <Plain T>
  void get(T& value) {
    std::memcpy(static_cast<void*>(&value), take(sizeof value), sizeof value);
  }
  void get(bool& value) {
    std::uint8_t byte = 0;
    get(byte);
    value = byte != 0;
  }
  void get(std::string& value) {
    const std::size_t n = take_size(1);
    value.assign(take(n), n);
  }
  template <class T>
  void get(std::vector<T>& values) {
    if constexpr (Plain<T>) {
      values.resize(take_size(sizeof(T)));
      const std::size_t size = values.size() * sizeof(T);
      if (size > 0) std::memcpy(static_cast<void*>(values.data()), take(size), size);
    } else {
      values.resize(take_size(sizeof(std::size_t)));
      for (T& value : values) get(value);
    }
  }
  template <class T, std::size_t n>
  void get(std::array<T, n>& values) {
    for (T& value : values) get(value);
  }
  template <class T>
  void get(std::map<std::string, T>& values) {
    for (std::size_t n = take_size(sizeof(std::size_t)); n > 0; --n) {
      std::string name;
      get(name);
      get(values[name]);
    }
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool present = false;
    get(present);
    if (present) get(value.emplace());
  }
  void get(Shape& shape) {
    std::vector<std::int64_t> sizes;
    get(sizes);
    shape = Shape(std::span<const std::int64_t>(sizes));
  }
  template <class T>
  requires(std::is_class_v<T> && !Plain<T>) void get(T& value) { visit(*this, value); }
};

// The members of each struct, once for both directions.
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, Hdf5Description::Item>) void visit(A& a, T& x) {
  a(x.name, x.type, x.shape, x.storage);
}
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, Hdf5Description>) void visit(A& a, T& x) {
  a(x.items, x.more_items, x.is_slices, x.problem, x.notes, x.size, x.image_shape, x.dtype,
    x.minimum, x.maximum, x.constant_images, x.label_counts, x.unlabelled, x.subjects, x.sessions,
    x.runs, x.has_masks, x.has_splits, x.split_counts, x.columns, x.attributes, x.content_hash);
}
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, DatasetAttributes>) void visit(A& a, T& x) {
  a(x.class_names, x.scale, x.value_names);
}
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, Hdf5ImageLayout::Part>) void visit(A& a, T& x) {
  a(x.path, x.count);
}
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, Hdf5ImageLayout>) void visit(A& a, T& x) {
  a(x.parts, x.dtype, x.depth, x.height, x.width, x.channels, x.channel_axis, x.channels_first,
    x.grey, x.chunk);
}
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, SampleTable>) void visit(A& a, T& x) {
  a(x.labels, x.subjects, x.sessions, x.runs, x.volumes, x.slices, x.splits, x.columns);
}
template <class A, class T>
requires(std::is_same_v<std::remove_const_t<T>, Hdf5Contents>) void visit(A& a, T& x) {
  a(x.description, x.layout, x.table, x.hashes, x.pixels_kept);
}

}  // namespace

std::int64_t Hdf5ImageLayout::count() const {
  std::int64_t n = 0;
  for (const Part& part : parts) n += part.count;
  return n;
}

std::int64_t Hdf5ImageLayout::pixels() const {
  return std::max<std::int64_t>(1, depth) * height * width;
}

Shape Hdf5ImageLayout::delivered_shape() const {
  if (depth == 0) return {height, width, delivered_channels()};
  return {depth, height, width, delivered_channels()};
}

std::string to_bytes(const Hdf5Contents& contents) {
  Writer writer;
  writer(contents);
  return std::move(writer.bytes);
}

Hdf5Contents contents_from_bytes(std::string_view bytes) {
  Hdf5Contents contents;
  Reader reader(bytes);
  reader(contents);
  if (!reader.done()) fail(ErrorKind::input, "its description is too long");
  return contents;
}

}  // namespace ratnet::inline v1
