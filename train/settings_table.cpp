#include "settings_table.h"

#include "../core/printable.h"
#include "training_provenance.h"

namespace ratnet::inline v1 {
namespace {

std::string escaped(const std::string& words) {
  std::string result;
  for (const char c : printable(words)) {
    if (c == '<')
      result += "&lt;";
    else if (c == '&')
      result += "&amp;";
    else if (std::string_view(R"(\`*_{}[]|)").find(c) != std::string_view::npos)
      result += {'\\', c};
    else
      result += c;
  }
  return result;
}

}  // namespace

std::string settings_table(const Graph& graph, const Objective& objective,
                           const TrainerOptions& options, std::int64_t training_samples,
                           std::int64_t validation_samples) {
  std::string table = "| setting | value |\n|---|---|\n";
  const auto add = [&](const std::string& name, const std::string& value) {
    table += "| " + escaped(name) + " | " + escaped(value) + " |\n";
  };
  std::int64_t numbers = 0;
  for (const auto& weight : graph.weights()) numbers += weight.spec.shape.count();
  add("losses", to_json(objective));
  add("layers", std::to_string(graph.nodes().size()));
  add("weights", std::to_string(numbers));
  add("training samples an epoch", std::to_string(training_samples));
  add("validation samples", std::to_string(validation_samples));
  for (const auto& [name, value] : options.further_settings) add(name, value);
  add("epochs", std::to_string(options.epochs));
  add("steps", std::to_string(options.schedule.total_steps));
  if (options.patience > 0)
    add("patience", text(options.patience, " epochs, of the ", name_of(options.monitor)));
  for (const auto& [name, value] : training_settings(options, options.data_hash)) add(name, value);
  return table;
}

}  // namespace ratnet::inline v1
