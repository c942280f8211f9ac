// evaluate's figures as they are printed.
#include "../../apps/graph/commands/print_evaluation.h"

#include <algorithm>
#include <cstdio>

#include "../catch.h"

using namespace ratnet;

TEST_CASE("a printed evaluation cannot steer the terminal") {
  GraphEvaluation e;
  e.images.resize(1);
  e.images[0].output = "image\x1b[2J";
  e.class_names = {"a\x1b[31m", "b\x07"};
  e.classes.emplace();
  e.classes->confusion =
      confusion_matrix(std::vector<std::uint8_t>{0, 1}, std::vector<std::uint8_t>{0, 1}, 2);
  e.classes->auroc_by_class = {1, 1};
  e.notes = {"note\x1b[1A"};
  e.warnings = {"warning\x1b]0;title\x07"};
  std::FILE* const file = std::tmpfile();
  REQUIRE(file);
  print_evaluation(e, file);
  std::rewind(file);
  std::string printed(1 << 16, '\0');
  printed.resize(std::fread(printed.data(), 1, printed.size(), file));
  std::fclose(file);
  for (const char* part : {"image", "a", "note", "warning"})
    CHECK(printed.find(std::string(part) + "\xEF\xBF\xBD") != std::string::npos);
  CHECK(std::ranges::none_of(printed, [](char c) { return c >= 0 && c < 32 && c != '\n'; }));
}
