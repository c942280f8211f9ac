// The bus between host and device: pinned memory, one direction and both at once.
#include "../../core/buffer.h"
#include "../../kernels/open.h"
#include "measurement.h"
#include "repeated.h"

namespace ratnet::inline v1 {
namespace {

struct Ends {
  QueueHandle up, down;  // two, so that the directions do not wait for each other
  HostBuffer host_up, host_down;
  Buffer device_up, device_down;

  Ends(const Subject& subject, std::size_t bytes)
      : up(subject.queue),
        down(open_queue({.device = subject.device, .threads = 0, .executor = {}})),
        host_up(up, bytes),
        host_down(down, bytes),
        device_up(up, bytes),
        device_down(down, bytes) {
    device_down.clear();
  }
};

Prepared prepare(const Subject& subject, bool up, bool down) {
  const std::size_t bytes = subject.quick ? std::size_t{1} << 16 : std::size_t{64} << 20;
  const auto ends = std::make_shared<Ends>(subject, bytes);
  const auto copy = [ends, up, down, bytes] {
    if (up) ends->device_up.upload(ends->host_up.data(), bytes);
    if (down) ends->device_down.download(ends->host_down.data(), bytes);
  };
  const auto repeated =
      std::make_shared<Repeated>(std::vector{ends->up, ends->down}, copy, subject.least_seconds());
  const double moved = static_cast<double>(bytes) * (up + down);
  return {.round = [repeated, moved] {
    return Values{{"gb_per_s", moved * 1e-9 / repeated->seconds()}};
  }};
}

}  // namespace

void add_bus(Measurements& all, const Subject& subject) {
  all.push_back({"bus/upload", [&subject] { return prepare(subject, true, false); }});
  all.push_back({"bus/download", [&subject] { return prepare(subject, false, true); }});
  // The sum of both directions.
  all.push_back({"bus/both", [&subject] { return prepare(subject, true, true); }});
}

}  // namespace ratnet::inline v1
