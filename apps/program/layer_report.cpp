#include "layer_report.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "../../kernels/cpu/instruction_set.h"
#include "../report/map_legend.h"
#include "../report/roofline_svg.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

// Without the reasons why others were declined, and what comes several times in a row once.
std::string short_algorithm(const std::string& algorithm) {
  std::string words, last;
  int times = 0;
  const auto take = [&](const std::string& next) {
    if (next == last) {
      ++times;
      return;
    }
    if (times > 1) words += text(" x ", times);
    words += (words.empty() ? "" : " + ") + next;
    last = next;
    times = 1;
  };
  for (std::size_t begin = 0; begin < algorithm.size();) {
    const std::size_t end = std::min(algorithm.find(" + ", begin), algorithm.size());
    const std::string one = algorithm.substr(begin, end - begin);
    take(one.substr(0, one.find(';')));
    begin = end + 3;
  }
  if (times > 1) words += text(" x ", times);
  return words;
}

std::string padded(const std::string& words, std::size_t width, bool to_the_right = false) {
  const std::string blanks(width > words.size() ? width - words.size() : 0, ' ');
  return to_the_right ? blanks + words : words + blanks;
}

std::string in_threads(int threads) { return text(threads, threads == 1 ? " thread" : " threads"); }

}  // namespace

std::string layers_in_words(const LayerTimes& times, const LayerSetting& setting) {
  const MachinePeaks& peaks = times.peaks;
  std::string words = text(
      setting.model, ", ", instruction_set(), ", ", in_threads(peaks.threads), ", batch ",
      setting.batch, ", median of ", setting.rounds, setting.rounds == 1 ? " round" : " rounds",
      "\npeaks measured: ", format("%.4g GF/s, reads of ", peaks.flops_per_s / 1e9),
      format("%.3g GB/s from memory, ", peaks.memory_bytes_per_s / 1e9),
      format("%.3g GB/s from the cache\n\n", peaks.cache_bytes_per_s / 1e9));
  std::size_t name = std::string("whole pass").size(), algorithm = std::string("algorithm").size();
  for (const LayerTime& layer : times.layers) {
    name = std::max(name, layer.name.size());
    algorithm = std::max(algorithm, short_algorithm(layer.algorithm).size());
  }
  const auto line = [&](const std::string& first, const std::string& second,
                        std::initializer_list<std::string> numbers) {
    std::string made = padded(first, name) + "  " + padded(second, algorithm);
    for (const std::string& number : numbers) made += padded(number, 10, true);
    words += made.substr(0, made.find_last_not_of(' ') + 1) + "\n";
  };
  const auto rated = [&](const std::string& first, const std::string& second, double seconds,
                         double flops, const std::string& bytes_per_s) {
    const bool computes = flops > 0 && seconds > 0;
    line(first, second,
         {format("%.4f", seconds * 1e3), format("%.1f %%", 100 * seconds / times.sum()),
          computes ? format("%.2f", flops / 1e6) : "",
          computes ? format("%.1f", flops / seconds / 1e9) : "",
          computes ? format("%.1f %%", 100 * flops / seconds / peaks.flops_per_s) : "",
          bytes_per_s});
  };
  line("layer", "algorithm", {"ms", "of sum", "MFLOP", "GF/s", "of peak", "GB/s"});
  for (const LayerTime& layer : times.layers)
    rated(layer.name, short_algorithm(layer.algorithm), layer.seconds, layer.work.flops,
          layer.seconds > 0 ? format("%.1f", layer.work.bytes / layer.seconds / 1e9) : "");
  rated("sum", "", times.sum(), times.flops(), "");
  rated("whole pass", "", times.pass_seconds, times.flops(), "");
  return words;
}

std::string layers_json(const LayerTimes& times, const LayerSetting& setting) {
  const MachinePeaks& peaks = times.peaks;
  const auto rate = [](double amount, double seconds) {
    return seconds > 0 ? Json(amount / seconds) : Json(nullptr);
  };
  Json layers = Json::array();
  for (const LayerTime& layer : times.layers)
    layers.push_back(
        {{"name", layer.name},
         {"kind", layer.kind},
         {"algorithm", layer.algorithm},
         {"seconds", layer.seconds},
         {"seconds_range", {layer.least, layer.most}},
         {"flops", layer.work.flops},
         {"bytes", layer.work.bytes},
         {"flops_per_s", rate(layer.work.flops, layer.seconds)},
         {"bytes_per_s", rate(layer.work.bytes, layer.seconds)},
         {"share_of_peak", rate(layer.work.flops / peaks.flops_per_s, layer.seconds)}});
  return Json{{"model", setting.model},
              {"batch", setting.batch},
              {"threads", peaks.threads},
              {"rounds", setting.rounds},
              {"stored", setting.stored},
              {"device", "cpu"},
              {"instruction_set", instruction_set()},
              {"peak_flops_per_s", peaks.flops_per_s},
              {"memory_bytes_per_s", peaks.memory_bytes_per_s},
              {"cache_bytes_per_s", peaks.cache_bytes_per_s},
              {"layers", layers},
              {"flops", times.flops()},
              {"sum_of_layers_s", times.sum()},
              {"pass_s", times.pass_seconds},
              {"flops_per_s", rate(times.flops(), times.pass_seconds)},
              {"share_of_peak", rate(times.flops() / peaks.flops_per_s, times.pass_seconds)}}
             .dump(2) +
         "\n";
}

std::string layers_svg(const LayerTimes& times, const LayerSetting& setting) {
  Roofline roofline{.flops_per_s = times.peaks.flops_per_s,
                    .slopes = {{"cache", times.peaks.cache_bytes_per_s},
                               {"memory", times.peaks.memory_bytes_per_s}},
                    .layers = {}};
  for (const LayerTime& layer : times.layers)
    roofline.layers.push_back({.name = layer.name,
                               .flops = layer.work.flops,
                               .bytes = layer.work.bytes,
                               .seconds = layer.seconds});
  return roofline_svg(
      roofline,
      std::filesystem::path(setting.model).stem().string() + ": layers under this machine's roofs",
      text(instruction_set(), ", ", in_threads(times.peaks.threads), ", batch ", setting.batch,
           format("; whole pass %.4g ms, ", times.pass_seconds * 1e3),
           format("%.3g GF/s, ", times.flops() / times.pass_seconds / 1e9),
           format("%.0f %% of the peak",
                  100 * times.flops() / times.pass_seconds / times.peaks.flops_per_s)));
}

}  // namespace ratnet::inline v1
