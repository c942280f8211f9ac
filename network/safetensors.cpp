#include "safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/atomic_file.h"
#include "../core/json_depth.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;
static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

constexpr std::uint64_t kMostHeader = 16u << 20;
constexpr std::size_t kMostTensors = 65536;

struct TypeName {
  const char* name;
  DType dtype;
};
constexpr TypeName kTypes[] = {{"F64", DType::f64},   {"F32", DType::f32}, {"F16", DType::f16},
                               {"BF16", DType::bf16}, {"I64", DType::i64}, {"I32", DType::i32},
                               {"I16", DType::i16},   {"U16", DType::u16}, {"U8", DType::u8},
                               {"I8", DType::i8}};

DType type_of(const std::string& name) {
  for (const TypeName& type : kTypes)
    if (name == type.name) return type.dtype;
  fail(ErrorKind::input, "has tensors of type '", name.substr(0, 16), "', which ratnet cannot use");
}

const char* name_of_type(DType dtype) {
  for (const TypeName& type : kTypes)
    if (dtype == type.dtype) return type.name;
  return "?";
}

std::uint64_t whole_number(const Json& json) {
  if (!json.is_number_unsigned()) fail(ErrorKind::input, "has a size that is not a whole number");
  return json.get<std::uint64_t>();
}

// One entry of the header, checked against the bytes there are.
ConstView tensor_of(const std::string& name, const Json& entry, std::span<const std::byte> data,
                    std::uint64_t& begin, std::uint64_t& end) {
  const DType dtype = type_of(entry.at("dtype").get<std::string>());
  const Json& sizes = entry.at("shape");
  const Json& offsets = entry.at("data_offsets");
  if (!sizes.is_array() || sizes.size() > Shape::kMaxRank || !offsets.is_array() ||
      offsets.size() != 2)
    fail(ErrorKind::input, "describes tensor '", name.substr(0, 64), "' in a way that is not read");
  Shape shape;
  std::uint64_t bytes = size_of(dtype);
  for (const Json& json : sizes) {
    const std::uint64_t size = whole_number(json);
    if (size > (std::uint64_t{1} << 40) || __builtin_mul_overflow(bytes, size, &bytes))
      fail(ErrorKind::input, "has a tensor '", name.substr(0, 64), "' of absurd size");
    shape.push_back(static_cast<std::int64_t>(size));
  }
  begin = whole_number(offsets[0]);
  end = whole_number(offsets[1]);
  if (begin > end || end > data.size())
    fail(ErrorKind::input, "is truncated: tensor '", name.substr(0, 64), "' ends at byte ", end,
         " of ", data.size());
  if (end - begin != bytes)
    fail(ErrorKind::input, "says that tensor '", name.substr(0, 64), "' has ", end - begin,
         " bytes, its shape needs ", bytes);
  return {data.data() + begin, dtype, shape};
}

void write_downloaded(AtomicFile& file, Queue& queue, const ConstView& value) {
  constexpr std::size_t kPiece = std::size_t{4} << 20;
  const auto* from = static_cast<const std::byte*>(value.data);
  const std::size_t bytes = value.bytes();
  std::vector<std::byte> piece(std::min(bytes, kPiece));
  for (std::size_t done = 0; done < bytes; done += piece.size()) {
    piece.resize(std::min(bytes - done, kPiece));
    wait_on_failure(queue, [&] {
      download(queue, piece.data(), from + done, piece.size());
      wait(queue);
    });
    file.write(piece);
  }
}

}  // namespace

struct SafetensorsFile::State {
  void* mapped = nullptr;
  std::size_t mapped_bytes = 0;
  std::vector<AlignedMemory> copies;  // of tensors that do not lie on their type's boundary
  std::map<std::string, std::string> metadata;
  std::map<std::string, ConstView> tensors;

  ~State() {
    if (mapped) munmap(mapped, mapped_bytes);
  }

  void parse(std::span<const std::byte> file) {
    if (file.size() < 8) fail(ErrorKind::input, "is too short to be a safetensors file");
    std::uint64_t header = 0;
    std::memcpy(&header, file.data(), 8);
    if (header > kMostHeader || header > file.size() - 8)
      fail(ErrorKind::input, "is not a safetensors file, or is truncated");
    const std::string_view source(reinterpret_cast<const char*>(file.data()) + 8,
                                  static_cast<std::size_t>(header));
    check_json_depth(source);
    const Json json = Json::parse(source, nullptr, false);
    if (!json.is_object())
      fail(ErrorKind::input, "is not a safetensors file: its header is no JSON");
    if (json.size() > kMostTensors + 1) fail(ErrorKind::input, "has too many tensors");
    read_entries(json, file.subspan(8 + header));
  }

  void read_entries(const Json& json, std::span<const std::byte> data) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    try {
      for (const auto& [name, entry] : json.items()) {
        if (name == "__metadata__") {
          for (const auto& [key, value] : entry.items()) metadata[key] = value.get<std::string>();
          continue;
        }
        std::uint64_t begin = 0, end = 0;
        tensors[name] = tensor_of(name, entry, data, begin, end);
        ranges.emplace_back(begin, end);
      }
    } catch (const Json::exception&) {
      fail(ErrorKind::input, "has a header that is not written as safetensors asks");
    }
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i)
      if (ranges[i].first < ranges[i - 1].second)
        fail(ErrorKind::input, "has tensors that overlap");
    align();
  }

  // Only once nothing overlaps: the copies are then no larger than the file.
  void align() {
    for (auto& [name, view] : tensors) {
      if (reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.dtype) == 0) continue;
      copies.push_back(allocate_aligned(view.bytes()));
      std::memcpy(copies.back().get(), view.data, view.bytes());
      view.data = copies.back().get();
    }
  }
};

SafetensorsFile::SafetensorsFile(const std::string& path) : state_(std::make_unique<State>()) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(ErrorKind::file_system, path, ": cannot read: ", std::strerror(errno));
  struct stat status {};
  const bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const auto bytes = static_cast<std::size_t>(regular ? status.st_size : 0);
  void* memory = bytes ? mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
  close(descriptor);
  if (memory == MAP_FAILED)
    fail(ErrorKind::input, path, ": is ", regular ? "empty" : "not a file", ", expected a model");
  state_->mapped = memory;
  state_->mapped_bytes = bytes;
  try {
    state_->parse({static_cast<const std::byte*>(memory), bytes});
  } catch (const Error& error) {
    throw error.with_context(path);
  }
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, const std::string& name)
    : state_(std::make_unique<State>()) {
  try {
    state_->parse(bytes);
  } catch (const Error& error) {
    throw error.with_context(name);
  }
}

SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
  return state_->metadata;
}
const std::map<std::string, ConstView>& SafetensorsFile::tensors() const { return state_->tensors; }

ConstView SafetensorsFile::find(const std::string& name) const {
  const auto found = state_->tensors.find(name);
  if (found == state_->tensors.end()) fail(ErrorKind::input, "has no tensor '", name, "'");
  return found->second;
}

void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                       const std::vector<NamedView>& tensors) {
  // Entries in the file's order, which the plain Json type would sort away.
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const NamedView& tensor : tensors) {
    require(tensor.name != "__metadata__" && !header.contains(tensor.name),
            "a tensor cannot be called '", tensor.name, "': the name is taken");
    const auto sizes = tensor.value.shape.sizes();
    header[tensor.name] = {{"dtype", name_of_type(tensor.value.dtype)},
                           {"shape", std::vector<std::int64_t>(sizes.begin(), sizes.end())},
                           {"data_offsets", {offset, offset + tensor.value.bytes()}}};
    offset += tensor.value.bytes();
  }
  // Text from elsewhere may be in any encoding.
  std::string text_header = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text_header.resize((text_header.size() + 63) / 64 * 64 - 8 + 64, ' ');
  const std::uint64_t length = text_header.size();
  require(length <= kMostHeader, "a file whose header takes ", length, " bytes, of ", kMostHeader,
          " that are read");

  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text_header);
  for (const NamedView& tensor : tensors)
    if (tensor.queue)
      write_downloaded(file, *tensor.queue, tensor.value);
    else
      file.write(std::span(static_cast<const std::byte*>(tensor.value.data), tensor.value.bytes()));
  file.commit();
}

}  // namespace ratnet::inline v1
