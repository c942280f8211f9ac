#include "event_writer.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <vector>

#include <unistd.h>

#include "../core/error.h"
#include "protobuf.h"
#include "record_file.h"

namespace ratnet::inline v1 {
namespace {

// Field numbers, by message.
namespace event {
constexpr int wall_time = 1, step = 2, file_version = 3, graph_def = 4, summary = 5,
              session_log = 7;
}
namespace session {
constexpr int status = 1, start = 1;
}
namespace value {
constexpr int tag = 1, simple_value = 2, image = 4, histogram = 5, tensor = 8, metadata = 9;
}
namespace metadata {
constexpr int plugin = 1, plugin_name = 1, data_class = 4, class_tensor = 2;
}
namespace tensor {
constexpr int dtype = 1, shape = 2, string_value = 8, type_string = 7;
}
namespace shape {
constexpr int dimension = 2, size = 1;
}
namespace image {
constexpr int height = 1, width = 2, colourspace = 3, encoded = 4;
}
namespace histogram {
constexpr int min = 1, max = 2, count = 3, sum = 4, sum_of_squares = 5, bucket_limit = 6,
              bucket = 7;
}
namespace graph_def {
constexpr int node = 1, versions = 4, producer = 1;
}
namespace node {
constexpr int name = 1, op = 2, input = 3, attribute = 5;
}
namespace attribute {
constexpr int key = 1, value = 2, list = 1, string = 2, list_of_shapes = 7;
}

constexpr std::size_t kHistogramBins = 30;

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "host";
  std::string host = name;
  for (char& c : host)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '-';
  return host;
}

std::string new_path(const std::string& folder) {
  static std::atomic<unsigned> counter{0};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(ErrorKind::file_system, folder, ": cannot make the folder: ", error.message());
  return v1::text(folder, "/events.out.tfevents.", static_cast<std::int64_t>(seconds_since_1970()),
                  ".", host_name(), ".", getpid(), ".", counter++);
}

ProtoMessage new_event(std::int64_t step) {
  ProtoMessage message;
  message.real(event::wall_time, seconds_since_1970());
  if (step != 0) message.integer(event::step, step);
  return message;
}

ProtoMessage new_value(std::string_view tag) {
  // Readers refuse a whole event for a string that is no UTF-8.
  require(!tag.empty() &&
              std::all_of(tag.begin(), tag.end(), [](char c) { return c >= ' ' && c <= '~'; }),
          "the tag '", tag, "' of an event is not printable ASCII");
  ProtoMessage message;
  message.bytes(value::tag, tag);
  return message;
}

void append(RecordFile& file, const ProtoMessage& value, std::int64_t step) {
  const ProtoMessage summary = ProtoMessage().message(1, value);
  file.append(new_event(step).message(event::summary, summary).encoded());
}

struct PngHeader {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t channels = 0;
};

// Of the chunk IHDR, which comes first (ISO/IEC 15948, 11.2.2).
PngHeader png_header(std::string_view png) {
  using namespace std::string_view_literals;
  constexpr std::string_view kStart = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv;
  const auto at = [&](std::size_t i) { return std::int64_t{static_cast<unsigned char>(png[i])}; };
  const auto u32 = [&](std::size_t i) {
    return at(i) << 24 | at(i + 1) << 16 | at(i + 2) << 8 | at(i + 3);
  };
  if (png.size() < 33 || png.substr(0, kStart.size()) != kStart)
    fail(ErrorKind::input, "an image of ", png.size(), " bytes for an event is no PNG file");
  constexpr std::int64_t kChannels[] = {1, 0, 3, 3, 2, 0, 4};  // by colour type; 3 is a palette
  const std::int64_t type = at(25);
  const PngHeader header{u32(16), u32(20), type < 7 ? kChannels[type] : 0};
  if (header.width < 1 || header.height < 1 || header.channels == 0)
    fail(ErrorKind::input, "a PNG image of ", header.width, " x ", header.height,
         " pixels, colour type ", type, ", for an event is not valid");
  return header;
}

ProtoMessage shape_message(const Shape& output) {
  ProtoMessage message;
  for (int i = 0; i < output.rank(); ++i)
    message.message(shape::dimension, ProtoMessage().integer(shape::size, i == 0 ? -1 : output[i]));
  return message;
}

ProtoMessage attribute_entry(std::string_view key, const ProtoMessage& value) {
  return ProtoMessage().bytes(attribute::key, key).message(attribute::value, value);
}

}  // namespace

EventWriter::EventWriter(const std::string& folder, std::optional<std::int64_t> resumed_steps)
    : file_(std::make_unique<RecordFile>(new_path(folder))) {
  file_->append(new_event(0).bytes(event::file_version, "brain.Event:2").encoded());
  if (resumed_steps) {
    const std::int64_t first = *resumed_steps > 0 ? *resumed_steps + 1 : 0;
    const ProtoMessage log = ProtoMessage().integer(session::status, session::start);
    file_->append(new_event(first).message(event::session_log, log).encoded());
  }
}

EventWriter::~EventWriter() = default;

const std::string& EventWriter::path() const { return file_->path(); }

void EventWriter::scalar(std::string_view tag, double value, std::int64_t step) {
  append(*file_, new_value(tag).single(value::simple_value, static_cast<float>(value)), step);
}

void EventWriter::image(std::string_view tag, std::string_view png, std::int64_t step) {
  const PngHeader header = png_header(png);
  ProtoMessage message;
  message.integer(image::height, header.height)
      .integer(image::width, header.width)
      .integer(image::colourspace, header.channels)
      .bytes(image::encoded, png);
  append(*file_, new_value(tag).message(value::image, message), step);
}

void EventWriter::text(std::string_view tag, std::string_view markdown, std::int64_t step) {
  ProtoMessage scalar;  // of no dimensions
  scalar.integer(tensor::dtype, tensor::type_string)
      .message(tensor::shape, ProtoMessage())
      .bytes(tensor::string_value, markdown);
  ProtoMessage about;
  about.message(metadata::plugin, ProtoMessage().bytes(metadata::plugin_name, "text"))
      .integer(metadata::data_class, metadata::class_tensor);
  append(*file_, new_value(tag).message(value::tensor, scalar).message(value::metadata, about),
         step);
}

void EventWriter::histogram(std::string_view tag, std::span<const double> values,
                            std::int64_t step) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      fail(ErrorKind::input, "value ", i, " of the histogram '", tag, "' is not finite");
    sum += values[i];
    squares += values[i] * values[i];
  }
  double low = 0, high = 0;
  if (!values.empty()) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    low = *least, high = *most;
  }
  // In halves, since high - low may be beyond any number.
  const double width = 2 * ((high / 2 - low / 2) / static_cast<double>(kHistogramBins));
  const std::size_t bins = width > 0 ? kHistogramBins : 1;
  std::vector<double> limits(bins, high), counts(bins);
  for (std::size_t b = 0; b + 1 < bins; ++b) limits[b] = low + width * static_cast<double>(b + 1);
  for (const double v : values)
    ++counts[static_cast<std::size_t>(std::lower_bound(limits.begin(), limits.end() - 1, v) -
                                      limits.begin())];
  ProtoMessage message;
  message.real(histogram::min, low)
      .real(histogram::max, high)
      .real(histogram::count, static_cast<double>(values.size()))
      .real(histogram::sum, sum)
      .real(histogram::sum_of_squares, squares)
      .reals(histogram::bucket_limit, limits)
      .reals(histogram::bucket, counts);
  append(*file_, new_value(tag).message(value::histogram, message), step);
}

void EventWriter::graph(const Graph& graph) {
  const std::vector<LayerShapes> shapes = graph.infer(1, false);
  ProtoMessage definition;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& layer = graph.nodes()[i];
    ProtoMessage message;
    message.bytes(node::name, layer.name).bytes(node::op, kind_of(layer.layer));
    for (const int input : layer.inputs)
      message.bytes(node::input, graph.nodes()[static_cast<std::size_t>(input)].name);
    const ProtoMessage list =
        ProtoMessage().message(attribute::list_of_shapes, shape_message(shapes[i].output));
    message.message(node::attribute, attribute_entry("_output_shapes", ProtoMessage().message(
                                                                           attribute::list, list)));
    if (const std::string words = summary(layer.layer); !words.empty())
      message.message(node::attribute,
                      attribute_entry("layer", ProtoMessage().bytes(attribute::string, words)));
    definition.message(graph_def::node, message);
  }
  definition.message(graph_def::versions, ProtoMessage().integer(graph_def::producer, 22));
  file_->append(new_event(0).bytes(event::graph_def, definition.encoded()).encoded());
}

}  // namespace ratnet::inline v1
