#include "judgement.h"

#include <nlohmann/json.hpp>

namespace ratnet::inline v1 {

std::string to_json(const Judgement& judgement) {
  nlohmann::ordered_json json = {{"samples", judgement.samples}, {"loss", judgement.loss}};
  if (!judgement.scores.empty()) {
    json["accuracy"] = judgement.accuracy;
    json["auroc"] = judgement.auroc;
  }
  if (!judgement.overlap.empty()) {
    json["dice"] = judgement.dice;
    for (const Overlap& overlap : judgement.overlap)
      json["dice_by_class"].push_back(overlap.dice());
  }
  return json.dump(1);
}

}  // namespace ratnet::inline v1
