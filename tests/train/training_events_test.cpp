// What a training tells TensorBoard beside its curves, and how it goes on after it was resumed.
#include <limits>

#include "../network/temporary_folder.h"
#include "event_file.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

TrainerOptions into(const std::string& folder) {
  TrainerOptions o = options();
  o.events_folder = folder;
  return o;
}

std::string settings_of(const std::vector<Told>& told) {
  const auto texts = with_tag(told, "training/settings");
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].step == 0);
  return texts[0].text;
}

}  // namespace

TEST_CASE("a training tells what it was asked for, and learns the same") {
  const TemporaryFolder folder;
  TrainerOptions o = into(folder / "events");
  o.data_hash = "abc";
  o.optimiser.groups = {{"*/bias", 0, 2}};
  o.patience = 7;
  TrainerOptions silent = o;
  silent.events_folder = "";
  o.further_settings = {{"a|b", "<i>*c_`\n\xFF\xC2\xB5"}};
  check_same(train(o), train(silent));
  const std::vector<Told> told = told_in(o.events_folder);
  const std::string table = settings_of(told);
  INFO(table);
  CHECK(table.rfind("| setting | value |\n|---|---|\n| losses | \\[\\{\"class\\_weights\":", 0) ==
        0);
  for (const char* row :
       {"| training samples an epoch | 150 |\n", "| validation samples | 50 |\n",
        "| epochs | 3 |\n", "| steps | 30 |\n", "| seed | 5 |\n", "| batch | 16 |\n",
        "| data\\_hash | abc |\n", "| learning\\_rate | 0.01 |\n", "| group \\*/bias | 0:2 |\n",
        "| weights | 338 |\n", "| patience | 7 epochs, of the loss |\n",
        "| a\\|b | &lt;i>\\*c\\_\\`\xEF\xBF\xBD\xEF\xBF\xBD\xC2\xB5 |\n"})
    CHECK(table.find(row) != std::string::npos);
  for (const Told& t : told) CHECK(t.png.empty());  // a class has no picture
}

TEST_CASE("a training that resumes tells what one that was not interrupted tells, once") {
  const TemporaryFolder folder;
  TrainerOptions o = into(folder / "whole");
  train(o);
  const std::vector<Told> whole = told_in(o.events_folder);
  settings_of(whole);
  CHECK(with_tag(whole, "epoch/validation_loss").size() == 3);
  for (const std::int64_t step : {3, 10, 14, 20}) {
    INFO("interrupted after step " << step);
    const std::string name = std::to_string(step);
    TrainerOptions parts = into(folder / name);
    parts.checkpoint_path = folder / ("checkpoint" + name);
    parts.resume = true;
    CHECK(train(parts, until(step)).interrupted);
    train(parts);
    CHECK(told_in(parts.events_folder) == whole);
  }
  // Killed before there was a checkpoint, and after.
  for (const bool kept : {false, true}) {
    TrainerOptions again = into(folder / (kept ? "kept" : "lost"));
    again.checkpoint_path = folder / (kept ? "kept checkpoint" : "lost checkpoint");
    again.resume = true;
    const std::string copy = folder / "copy";
    train(again, [&](const TrainingProgress& progress) {
      if (progress.step == 11 && kept) std::filesystem::copy_file(again.checkpoint_path, copy);
      return progress.step < 25;
    });
    std::filesystem::remove(again.checkpoint_path);
    if (kept) std::filesystem::rename(copy, again.checkpoint_path);
    train(again);
    CHECK(told_in(again.events_folder) == whole);
  }
}
