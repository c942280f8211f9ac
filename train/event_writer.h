// A training for TensorBoard: curves, pictures, texts, histograms and the network in an event file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../network/graph.h"

namespace ratnet::inline v1 {

class RecordFile;

// Writes FOLDER/events.out.tfevents.<time>.<host>.<process>.<count>: the messages Event, Summary
// and GraphDef of TensorFlow (event.proto, summary.proto, graph.proto), framed as in record_file.h.
// Each call is on its own in the file when it returns. Tags are printable ASCII; those with the
// same words before a '/' stand together in TensorBoard. Calls throw Error: usage (a tag),
// file_system.
class EventWriter {
 public:
  // Makes the folder where it is missing. Where a training resumes after `resumed_steps` steps,
  // TensorBoard drops what older files of the folder say of later ones; all that they say where it
  // has to begin again (0). Throws Error (file_system).
  explicit EventWriter(const std::string& folder, std::optional<std::int64_t> resumed_steps = {});
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  // Kept in single precision, NaN and infinities too.
  void scalar(std::string_view tag, double value, std::int64_t step);
  // The bytes of a PNG file. Throws Error (input) for others.
  void image(std::string_view tag, std::string_view png, std::int64_t step);
  // Markdown, UTF-8.
  void text(std::string_view tag, std::string_view markdown, std::int64_t step);
  // How values are spread, in 30 bins of equal width. Throws Error (input) for a value that is not
  // finite.
  void histogram(std::string_view tag, std::span<const double> values, std::int64_t step);
  // The layers with their hyper-parameters, the edges, and the shape of each output, its batch
  // unknown.
  void graph(const Graph& graph);

  const std::string& path() const;

 private:
  std::unique_ptr<RecordFile> file_;
};

}  // namespace ratnet::inline v1
