#include "serve.h"

#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "../../core/atomic_file.h"
#include "../../network/plan.h"
#include "../../train/trainer.h"
#include "ratnet_sizes.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

void write_logits(const Subject& subject, const std::string& from, const std::string& to) {
  const std::string slices = read_file(from, std::size_t{1} << 30);
  const auto n = static_cast<std::int64_t>(slices.size()) / (kImageSize * kImageSize);
  require(n >= 1 && static_cast<std::size_t>(n * kImageSize * kImageSize) == slices.size(), from,
          " does not hold slices of ", kImageSize, "x", kImageSize, " bytes");
  Plan plan(logits_graph(subject.model.graph),
            std::make_shared<Parameters>(subject.queue, subject.model.weights),
            {.batch = n, .input_type = DType::u8});
  const std::vector<float> scales(static_cast<std::size_t>(n), kPixelScale);
  upload(plan.queue(), plan.input_scales(n).data, scales.data(), scales.size() * sizeof(float));
  wait(plan.queue());
  std::string logits(plan.output(0, n).bytes(), '\0');
  const ConstView inputs[] = {{slices.data(), DType::u8, plan.input(0, n).shape}};
  const View outputs[] = {{logits.data(), DType::f32, plan.output(0, n).shape}};
  plan.run(inputs, outputs);
  write_file(to, logits);
}

}  // namespace

void serve(const Measurements& all, const Subject& subject, const std::string& inputs,
           const std::string& outputs) {
  write_logits(subject, inputs, outputs);
  std::cout << Json{{"contender", "ratnet"}, {"description", subject.queue->description}}.dump()
            << std::endl;
  std::string line, key;
  Prepared prepared;
  while (std::getline(std::cin, line)) {
    Json answer = Json::object();
    try {
      if (line != key) {
        const auto found =
            std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.key == line; });
        require(found != all.end(), "there is no measurement '", line, "'");
        prepared = {};  // its memory goes first
        key.clear();
        prepared = found->prepare();
        key = line;
      }
      for (const auto& [unit, value] : prepared.round()) answer[unit] = value;
    } catch (const Error& error) {
      answer = {{"failed", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}

}  // namespace ratnet::inline v1
