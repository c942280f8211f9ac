#include "../../network/safetensors.h"

#include <cstring>

#include "../../core/atomic_file.h"
#include "../../network/model.h"
#include "../../network/predictor.h"
#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "allocation_watch.h"
#include "refused.h"
#include "temporary_folder.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

std::string file_of(const std::string& header, const std::string& data, std::int64_t lie = 0) {
  const std::uint64_t length = header.size() + static_cast<std::uint64_t>(lie);
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

std::string refused_file(const std::string& part, const std::string& bytes) {
  return refused(ErrorKind::input, part, [&] {
    SafetensorsFile(std::as_bytes(std::span(bytes.data(), bytes.size())), "some.file");
  });
}

std::string tensor_entry(const std::string& name, const std::string& type, const std::string& shape,
                         const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

// A small network with one of everything a file can hold.
Model small_model() {
  GraphBuilder b;
  int last = b.input("image", {8, 8, 1});
  last = b.add("conv", layers::Conv{.out = 3, .kernel = {3, 3}}, {last});
  last = b.add("relu", layers::Relu{}, {last});
  last = b.add("pool", layers::MaxPool{.kernel = {2, 2}}, {last});
  last = b.add("flat", layers::Flatten{}, {last});
  last = b.add("logits", layers::Dense{.out = 2}, {last});
  last = b.add("probability", layers::Softmax{}, {last});
  Model model;
  model.system = "test";
  model.graph = b.build({last});
  model.weights = Weights::initialised(model.graph, 1);
  model.preprocessing = {{"resample", {{"rows", 8}, {"columns", 8}}}};
  model.class_names = {"good", "dark"};
  model.metrics = {{"auroc", 0.9}};
  model.coefficients = {{"logistic", {1, 2, 3}}};
  model.provenance = {{"seed", "1"}};
  model.warnings = {"a warning"};
  return model;
}

}  // namespace

TEST_CASE("tensors of every type come back from a file") {
  const TemporaryFolder folder;
  Random random(1);
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const DType dtype : {DType::u8, DType::f64, DType::i8, DType::f32, DType::i16, DType::i64,
                            DType::u16, DType::i32})
    for (const Shape& shape :
         {Shape{3}, Shape{2, 3, 1}, Shape{}, Shape{0, 4}, Shape{1, 1, 1, 1, 1, 5}})
      tensors.emplace_back(text(name_of(dtype), shape, "\"\\ \n\xc3\xa9"),
                           random_tensor(shape, dtype, random, 0, 100));
  for (const DType dtype : {DType::f16, DType::bf16}) {
    tensors.emplace_back(std::string(name_of(dtype)), Tensor({7}, dtype));
    std::memset(tensors.back().second.data(), 0x3c, 14);
  }
  std::vector<NamedView> views;
  for (const auto& [name, tensor] : tensors) views.push_back({name, tensor.view()});
  const std::map<std::string, std::string> metadata = {{"a", "b \"quoted\" \n"}, {"", ""}};
  write_safetensors(folder / "all", metadata, views);

  const SafetensorsFile file(folder / "all");
  CHECK(file.metadata() == metadata);
  CHECK(file.tensors().size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    const ConstView view = file.find(name);
    CHECK(view.shape == tensor.shape());
    CHECK(view.dtype == tensor.dtype());
    CHECK(reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.dtype) == 0);
    REQUIRE(view.bytes() == tensor.bytes());
    CHECK((view.bytes() == 0 || std::memcmp(view.data, tensor.data(), tensor.bytes()) == 0));
  }
  CHECK(refused(ErrorKind::input, "no tensor 'x'", [&] { file.find("x"); }) == "");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file is written whole or not at all") {
  const TemporaryFolder folder;
  const Tensor a({2}, DType::f32);
  CHECK(refused(ErrorKind::usage, "'a'", [&] {
          write_safetensors(folder / "x", {}, {{"a", a}, {"a", a}});
        }) == "");
  CHECK(refused(ErrorKind::usage, "__metadata__", [&] {
          write_safetensors(folder / "x", {}, {{"__metadata__", a}});
        }) == "");
  CHECK(refused(ErrorKind::file_system, "none", [&] {
          write_safetensors(folder / "none/x", {}, {{"a", a}});
        }) == "");
  // A header that readers refuse to read.
  CHECK(refused(ErrorKind::usage, "header takes 16777", [&] {
          write_safetensors(folder / "x", {{"key", std::string(16 << 20, 'k')}}, {{"a", a}});
        }) == "");
  CHECK(folder.files() == 0);
  write_safetensors(folder / "x", {{"key", "not UTF-8: \xff\xfe"}}, {{"a\xff", a}});
  CHECK(SafetensorsFile(folder / "x").tensors().size() == 1);
}

TEST_CASE("files that cannot be are refused") {
  const TemporaryFolder folder;
  CHECK(refused(ErrorKind::file_system, "none: cannot read",
                [&] { SafetensorsFile(folder / "none"); }) == "");
  CHECK(refused(ErrorKind::input, "not a file", [&] { SafetensorsFile(folder / ""); }) == "");
  write_file(folder / "empty", "");
  CHECK(refused(ErrorKind::input, "empty", [&] { SafetensorsFile(folder / "empty"); }) == "");

  const std::string data(16, '\0');
  const auto one = [&](const std::string& type, const std::string& shape,
                       const std::string& offsets) {
    return file_of("{" + tensor_entry("a", type, shape, offsets) + "}", data);
  };
  REQUIRE(refused_file("", one("F32", "[4]", "[0,16]")) == "was accepted");
  CHECK(refused_file("some.file: is too short", "") == "");
  CHECK(refused_file("too short", "1234567") == "");
  CHECK(refused_file("type 'Q3'", one("Q3", "[4]", "[0,16]")) == "");
  CHECK(refused_file("needs 16", one("F32", "[4]", "[0,12]")) == "");
  CHECK(refused_file("needs 8", one("F32", "[2]", "[0,16]")) == "");
  CHECK(refused_file("truncated", one("F32", "[5]", "[0,20]")) == "");
  CHECK(refused_file("", one("F32", "[4]", "[16,0]")) == "");
  CHECK(refused_file("", one("F32", "[4]", "[-1,15]")) == "");
  CHECK(refused_file("", one("F32", "[4]", "[0]")) == "");
  CHECK(refused_file("", one("F32", "[4]", "[0,16,16]")) == "");
  CHECK(refused_file("", one("F32", "[4.0]", "[0,16]")) == "");
  CHECK(refused_file("", one("F32", "[-4]", "[0,16]")) == "");
  CHECK(refused_file("", one("F32", "4", "[0,16]")) == "");
  CHECK(refused_file("", one("F32", "[1,1,1,1,1,1,4]", "[0,16]")) == "");
  CHECK(refused_file("absurd", one("F32", "[4611686018427387904]", "[0,0]")) == "");
  CHECK(refused_file("absurd", one("F32", "[1099511627776,1099511627776]", "[0,0]")) == "");
  CHECK(refused_file("absurd", one("U8", "[4294967296,4294967296]", "[0,0]")) == "");
  CHECK(refused_file("", one("F32", "[4]", "[0,18446744073709551615]")) == "");
  CHECK(refused_file("", file_of("{\"a\":3}", data)) == "");
  CHECK(refused_file("", file_of("{\"a\":{}}", data)) == "");
  CHECK(refused_file("", file_of("{\"__metadata__\":{\"a\":3}}", data)) == "");
  CHECK(refused_file("", file_of("{\"__metadata__\":3}", data)) == "");
  CHECK(refused_file("JSON", file_of("[]", data)) == "");
  CHECK(refused_file("JSON", file_of("{", data)) == "");
  CHECK(refused_file("JSON", file_of("", data)) == "");
}

TEST_CASE("a header's length that lies is refused") {
  const std::string header = "{" + tensor_entry("a", "F32", "[4]", "[0,16]") + "}";
  const std::string data(16, '\0');
  for (const std::int64_t lie : {-1, 1, 8, 17, 1 << 24, 1 << 30}) {
    INFO(lie);
    CHECK(refused_file("", file_of(header, data, lie)) == "");
  }
  for (const std::uint64_t length :
       {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 32, std::uint64_t{0} - 8}) {
    std::string bytes = file_of(header, data);
    std::memcpy(bytes.data(), &length, 8);
    CHECK(refused_file("", bytes) == "");
  }
}

TEST_CASE("tensors that overlap are refused before they are copied") {
  const std::string data(100, '\0');
  const auto two = [&](const std::string& a, const std::string& b) {
    return file_of(
        "{" + tensor_entry("a", "U8", "[10]", a) + "," + tensor_entry("b", "U8", "[10]", b) + "}",
        data);
  };
  CHECK(refused_file("overlap", two("[0,10]", "[9,19]")) == "");
  CHECK(refused_file("overlap", two("[9,19]", "[0,10]")) == "");
  CHECK(refused_file("overlap", two("[5,15]", "[5,15]")) == "");
  CHECK(refused_file("", two("[0,10]", "[10,20]")) == "was accepted");

  // 20,000 tensors, each a whole megabyte, none on its type's boundary.
  std::string header = "{";
  for (int i = 0; i < 20000; ++i)
    header += (i ? "," : "") + tensor_entry(std::to_string(i), "F64", "[131072]", "[1,1048577]");
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string file = file_of(header, std::string((1 << 20) + 1, '\0'));
  watch_allocations();
  const std::string result = refused_file("overlap", file);
  const Allocations seen = end_watching();
  CHECK(result == "");
  CHECK(seen.largest < (1 << 20));
}

TEST_CASE("a header of brackets does not end the stack") {
  CHECK(refused_file("nested", file_of(std::string(1 << 24, '['), "")) == "");
  CHECK(refused_file("nested", file_of("{\"__metadata__\":" + std::string(1 << 20, '['), "")) ==
        "");
}

// Every damaged file ends in a result or an Error of input; nothing crashes, hangs or is large.
TEST_CASE("thousands of damaged model files end in a result or an error") {
  const TemporaryFolder folder;
  const std::string path = folder / "model";
  save_model(small_model(), path);
  const std::string good = read_file(path, 1 << 20);
  std::uint64_t good_header = 0;
  std::memcpy(&good_header, good.data(), 8);
  const std::string header = good.substr(8, good_header);
  const std::string data = good.substr(8 + good_header);
  const char* const values[] = {"0",
                                "-1",
                                "1",
                                "3",
                                "18446744073709551615",
                                "9223372036854775807",
                                "4294967296",
                                "99999999999",
                                "1e308",
                                "-0.5",
                                "null",
                                "true",
                                "[]",
                                "{}",
                                "[[[[]]]]",
                                "\\\"x\\\"",
                                "",
                                "conv",
                                "\\\"name\\\":\\\"a\\\""};

  Random random(2024);
  const auto position = [&](const std::string& s) {
    return static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(s.size())));
  };
  int accepted = 0, refusals = 0;
  std::size_t largest = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string h = header, bytes;
    for (std::int64_t change = random.integer(2); change >= 0; --change) {
      const std::size_t at = position(h);
      switch (random.integer(6)) {
        case 0: h[at] = static_cast<char>(random.integer(256)); break;
        case 1: h.erase(at, static_cast<std::size_t>(random.integer(20))); break;
        case 2:
          h.insert(at, h.substr(position(h), static_cast<std::size_t>(random.integer(60))));
          break;
        default: {  // a number becomes something else
          const std::size_t digit = h.find_first_of("0123456789", at);
          if (digit == std::string::npos) break;
          const std::size_t end = h.find_first_not_of("0123456789", digit);
          h.replace(digit, end - digit,
                    values[random.integer(static_cast<std::int64_t>(std::size(values)))]);
        }
      }
      if (h.empty()) h = "{";
    }
    switch (random.integer(10)) {
      case 0: bytes = good.substr(0, position(good)); break;  // truncated
      case 1: bytes = file_of(h, data, random.integer(200) - 100); break;
      case 2: {  // bits flipped anywhere
        bytes = good;
        for (int k = 0; k < 4; ++k)
          bytes[position(bytes)] ^= static_cast<char>(1 << random.integer(8));
        break;
      }
      default: bytes = file_of(h, data); break;
    }
    std::filesystem::remove(path);  // a file cut short and written again goes to the disk at once
    std::FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);

    watch_allocations();
    try {
      const Model model = load_model(path);
      ++accepted;
      if (model.graph.inputs().size() == 1 && model.graph.outputs().size() == 1 &&
          !model.weights.entries().empty()) {
        Predictor predictor(model, {.batch = 2, .threads = 1});
        predictor.run(
            std::vector<float>(static_cast<std::size_t>(predictor.input_size()) * 3, 0.5f));
      }
    } catch (const Error& error) {
      // Loading is refused as input; a graph that loads and cannot be run is refused by name.
      CHECK((error.kind() == ErrorKind::input || error.kind() == ErrorKind::usage));
      ++refusals;
    }
    largest = std::max(largest, end_watching().largest);
  }
  CHECK(refusals > 3000);
  CHECK(accepted > 200);  // the changes reach behind the first check
  CHECK(largest < (1 << 20));
}
