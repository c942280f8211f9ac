#include "../../train/event_writer.h"

#include <bit>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <map>
#include <vector>

#include <sys/resource.h>

#include "../../core/error.h"
#include "../../train/protobuf.h"
#include "../../train/record_file.h"
#include "../network/temporary_folder.h"
#include "event_file.h"

using namespace ratnet;
using namespace ratnet::testing;
using namespace std::string_literals;

namespace {

// A picture of 3 x 2 pixels in grey: as far as its header, which is all that is read of it.
const std::string kPng = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\3\0\0\0\2\x08\0\0\0\0\1\2\3\4"s;

}  // namespace

TEST_CASE("CRC-32C of RFC 3720") {
  // Appendix B.4, and the check value of the catalogue of CRCs.
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("messages are the bytes of Protocol Buffers") {
  // The examples of protobuf.dev/programming-guides/encoding.
  CHECK(ProtoMessage().integer(1, 150).encoded() == "\x08\x96\x01");
  CHECK(ProtoMessage().bytes(2, "testing").encoded() == "\x12\x07testing");
  CHECK(ProtoMessage().message(3, ProtoMessage().integer(1, 150)).encoded() ==
        "\x1a\x03\x08\x96\x01");
  CHECK(ProtoMessage().integer(1, -2).encoded() == "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  CHECK(ProtoMessage().integer(16, 0).encoded() == "\x80\x01\x00"s);
  CHECK(ProtoMessage().real(1, 1).encoded() == "\x09\0\0\0\0\0\0\xf0\x3f"s);
  CHECK(ProtoMessage().single(2, 1).encoded() == "\x15\0\0\x80\x3f"s);
  CHECK(ProtoMessage().reals(6, std::vector<double>{1}).encoded() ==
        "\x32\x08\0\0\0\0\0\0\xf0\x3f"s);
}

TEST_CASE("events hold what was said, framed and in order") {
  const TemporaryFolder folder;
  EventWriter writer(folder / "new/run");
  CHECK(writer.path().find("/events.out.tfevents.1") != std::string::npos);
  writer.scalar("loss/train", 0.1, 7);
  writer.scalar("loss/train", std::numeric_limits<double>::quiet_NaN(), 0);
  writer.image("picture", kPng, 3);
  writer.text("note", "**bold** \xC2\xB5m", 4);
  writer.histogram("weights", std::vector<double>{-1, 0, 0, 2}, 5);
  writer.histogram("same", std::vector<double>{3, 3}, 5);
  const Records records = read_records(writer.path());
  CHECK(records.whole);
  REQUIRE(records.bodies.size() == 7);

  CHECK(one(fields_of(records.bodies[0]), 3) == "brain.Event:2");
  CHECK(real(one(fields_of(records.bodies[0]), 1)) > 1.6e9);  // s since 1970

  CHECK(whole(fields_of(records.bodies[1]), 2) == 7);
  const Fields scalar = value_of(records.bodies[1]);
  CHECK(one(scalar, 1) == "loss/train");
  CHECK(whole(scalar, 2) == std::bit_cast<std::uint32_t>(0.1f));
  CHECK(fields_of(records.bodies[2]).count(2) == 0);  // step 0 is the default
  CHECK(whole(value_of(records.bodies[2]), 2) ==
        std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN()));

  const Fields image = fields_of(one(value_of(records.bodies[3]), 4));
  CHECK(whole(image, 1) == 2);
  CHECK(whole(image, 2) == 3);
  CHECK(whole(image, 3) == 1);
  CHECK(one(image, 4) == kPng);

  const Fields text = value_of(records.bodies[4]);
  const Fields tensor = fields_of(one(text, 8));
  CHECK(whole(tensor, 1) == 7);
  CHECK(one(tensor, 2).empty());
  CHECK(one(tensor, 8) == "**bold** \xC2\xB5m");
  CHECK(one(fields_of(one(fields_of(one(text, 9)), 1)), 1) == "text");

  const Fields histogram = fields_of(one(value_of(records.bodies[5]), 5));
  CHECK(real(one(histogram, 1)) == -1);
  CHECK(real(one(histogram, 2)) == 2);
  CHECK(real(one(histogram, 3)) == 4);
  CHECK(real(one(histogram, 4)) == 1);
  CHECK(real(one(histogram, 5)) == 5);
  const std::string limits = one(histogram, 6), counts = one(histogram, 7);
  REQUIRE(limits.size() == 30 * 8);
  REQUIRE(counts.size() == 30 * 8);
  double before = -std::numeric_limits<double>::infinity();
  for (std::size_t b = 0; b < 30; ++b) {
    const double limit = real(std::string_view(limits).substr(8 * b, 8));
    double inside = 0;  // (before, limit]
    for (const double v : {-1.0, 0.0, 0.0, 2.0}) inside += v > before && v <= limit ? 1 : 0;
    CHECK(real(std::string_view(counts).substr(8 * b, 8)) == inside);
    before = limit;
  }
  CHECK(before == 2);
  CHECK(one(fields_of(one(value_of(records.bodies[6]), 5)), 7).size() == 8);
}

TEST_CASE("the graph is written with its edges and shapes") {
  const TemporaryFolder folder;
  GraphBuilder builder;
  const auto input = builder.input("image", {8, 8, 1});
  const auto conv = builder.add("enc/conv", layers::Conv{.out = 4, .kernel = {3, 3}}, {input});
  const auto sum = builder.add("sum", layers::Add{}, {conv, conv});
  EventWriter writer(folder / "", 12);
  writer.graph(builder.build({sum}));

  const Records records = read_records(writer.path());
  REQUIRE(records.bodies.size() == 3);
  CHECK(whole(fields_of(records.bodies[1]), 2) == 13);  // from here on older files are void
  CHECK(whole(fields_of(one(fields_of(records.bodies[1]), 7)), 1) == 1);
  const Fields graph = fields_of(one(fields_of(records.bodies[2]), 4));
  REQUIRE(graph.count(1) == 3);
  std::vector<Fields> nodes;
  for (auto [at, end] = graph.equal_range(1); at != end; ++at)
    nodes.push_back(fields_of(at->second));
  CHECK(one(nodes[0], 1) == "image");
  CHECK(one(nodes[0], 2) == "input");
  CHECK(nodes[0].count(3) == 0);
  CHECK(one(nodes[1], 1) == "enc/conv");
  CHECK(one(nodes[1], 3) == "image");
  CHECK(nodes[2].count(3) == 2);
  std::map<std::string, Fields> attributes;
  for (auto [at, end] = nodes[1].equal_range(5); at != end; ++at) {
    const Fields entry = fields_of(at->second);
    attributes[one(entry, 1)] = fields_of(one(entry, 2));
  }
  CHECK(one(attributes["layer"], 2).find("out 4") != std::string::npos);
  const Fields shape = fields_of(one(fields_of(one(attributes["_output_shapes"], 1)), 7));
  std::vector<std::int64_t> sizes;
  for (auto [at, end] = shape.equal_range(2); at != end; ++at)
    sizes.push_back(static_cast<std::int64_t>(whole(fields_of(at->second), 1)));
  REQUIRE(sizes.size() == 4);
  CHECK(sizes[0] == -1);
  CHECK(sizes[3] == 4);
}

TEST_CASE("what cannot be written is refused") {
  const TemporaryFolder folder;
  const std::string file = folder / "file";
  write_file(file, "x");
  try {
    EventWriter writer(file);
    FAIL("a file taken for a folder");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::file_system);
    CHECK(std::string(error.what()).find(file) == 0);
  }
  CHECK_THROWS_AS(EventWriter(file + "/below"), Error);
  CHECK_THROWS_AS(RecordFile(file), Error);  // never over what is there
  CHECK(read_file(file, 10) == "x");

  EventWriter writer(folder / "");
  CHECK_THROWS_AS(writer.scalar("", 1, 1), Error);
  CHECK_THROWS_AS(writer.scalar("\xFF", 1, 1), Error);
  CHECK_THROWS_AS(writer.scalar("a\nb", 1, 1), Error);
  CHECK_THROWS_AS(writer.image("a", "GIF89a", 1), Error);
  CHECK_THROWS_AS(writer.image("a", std::string_view(kPng).substr(0, 32), 1), Error);
  std::string odd = kPng;
  odd[25] = 5;  // no such colour type
  CHECK_THROWS_AS(writer.image("a", odd, 1), Error);
  CHECK_THROWS_AS(writer.histogram("a", std::vector<double>{1, INFINITY}, 1), Error);
  writer.histogram("empty", {}, 1);
  writer.histogram("wide", std::vector<double>{-1e308, 1e308}, 1);
  CHECK(read_records(writer.path()).bodies.size() == 3);
}

TEST_CASE("a disk that fills up leaves whole records, and room is used again") {
  const TemporaryFolder folder;
  RecordFile file(folder / "records");
  file.append("first");
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(file.append(std::string(200, 'x')), Error);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old);

  CHECK(std::filesystem::file_size(file.path()) == 5 + 16);
  file.append("second");
  const Records records = read_records(file.path());
  CHECK(records.whole);
  CHECK(records.bodies == std::vector<std::string>{"first", "second"});

  // A file cut anywhere gives the records before the cut.
  const std::string all = read_file(file.path(), 1000);
  for (std::size_t size = 0; size < all.size(); ++size) {
    const std::string cut = folder / "cut";
    write_file(cut, std::string_view(all).substr(0, size));
    CHECK(read_records(cut).bodies.size() == (size < 21 ? 0u : 1u));
  }
}
