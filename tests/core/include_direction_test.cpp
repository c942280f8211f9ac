// The house's one rule: a room includes what stands to its right, never back.
//   apps -> train -> network -> layers -> kernels -> core,  train -> imaging -> core
// And a dependency's header stays in .cpp files, so that nobody who includes ours needs it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "../catch.h"

namespace fs = std::filesystem;

namespace {

// Path inside the repository -> content.
using Files = std::map<std::string, std::string>;

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"core", {}},
    {"kernels", {"core"}},
    {"layers", {"kernels", "core"}},
    {"network", {"layers", "kernels", "core"}},
    {"imaging", {"core"}},
    {"train", {"network", "layers", "kernels", "imaging", "core"}},
    {"apps", {"train", "network", "layers", "kernels", "imaging", "core"}},
};

struct Room {
  std::string name;      // "core", "apps", ...
  std::string app;       // "dark_slices", "report", "program": apps only
  bool program = false;  // compiled into the program, not into the library
};

Room room_of(const std::string& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(path)) parts.push_back(part.string());
  Room room{.name = parts[0], .app = {}, .program = false};
  if (room.name == "apps" && parts.size() > 2) {
    room.app = parts[1];
    room.program = room.app == "report" || room.app == "program" || parts[2] == "commands";
  }
  return room;
}

// Why one file may not include the other, or "".
std::string objection(const std::string& from, const std::string& to) {
  const Room a = room_of(from), b = room_of(to);
  if (!kMayInclude.contains(b.name)) return b.name + "/ is no room of the library";
  if (a.name != b.name)
    return kMayInclude.at(a.name).contains(b.name) ? "" : a.name + "/ may not see " + b.name + "/";
  if (a.name != "apps") return "";
  if (b.program && !a.program) return "the library may not see what is only in the program";
  if (a.app == b.app || a.app == "program") return "";
  if (b.app == "report" || (b.app == "program" && a.app != "report")) return "";
  return "apps/" + a.app + " may not see apps/" + b.app + "; what two systems need moves right";
}

struct Dependency {
  std::string header;   // regular expression
  std::string allowed;  // regular expression of the paths that may include it
};

const std::vector<Dependency> kDependencies = {
    {"(hwy|Eigen)/.*", R"(.*\.cpp|kernels/cpu/.*-inl\.h)"},
    {"nlohmann/.*", R"(.*\.cpp)"},
    {"(hdf5(_hl)?|H5\\w+)\\.h", R"(.*hdf5[^/]*\.cpp)"},
    {"zlib\\.h", R"(.*\.cpp)"},
    {"(cuda|ratnet_ptx|cublas|cudnn).*\\.h", R"(kernels/cuda/.*)"},
    {"CLI/.*|cairo.*\\.h|cairo/.*", R"(apps/([^/]+/commands|report|program)/.*\.cpp)"},
    {"(catch2|benchmark)/.*", "(?!)"},
};

std::vector<std::string> wrong_includes(const Files& files) {
  static const std::regex include(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<std::string> wrong;
  for (const auto& [path, content] : files) {
    std::istringstream lines(content);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string header = match[2];
      const auto complain = [&, &file = path](const std::string& why) {
        wrong.push_back(file + ":" + std::to_string(number) + " includes " + header + ": " + why);
      };
      const auto dependency = std::find_if(
          kDependencies.begin(), kDependencies.end(),
          [&](const Dependency& d) { return std::regex_match(header, std::regex(d.header)); });
      if (dependency != kDependencies.end()) {
        if (!std::regex_match(path, std::regex(dependency->allowed)))
          complain("only " + dependency->allowed + " may");
      } else if (match[1] == "\"") {
        const std::string target = (fs::path(path).parent_path() / header).lexically_normal();
        if (!files.contains(target))
          complain("no such file; ours are named relative to the including file");
        else if (const std::string why = objection(path, target); !why.empty())
          complain(why);
      }
    }
  }
  return wrong;
}

Files read_rooms() {
  Files files;
  const fs::path root = RATNET_SOURCE_DIR;
  for (const auto& room : kMayInclude) {
    if (!fs::exists(root / room.first)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / room.first)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
      std::ostringstream content;
      content << std::ifstream(entry.path()).rdbuf();
      files[fs::relative(entry.path(), root).generic_string()] = content.str();
    }
  }
  return files;
}

}  // namespace

TEST_CASE("includes point one way, and dependencies stay out of headers") {
  const Files files = read_rooms();
  REQUIRE(files.contains("core/error.h"));
  for (const std::string& line : wrong_includes(files)) FAIL_CHECK(line);
}

TEST_CASE("a planted wrong include is found") {
  const Files good = {
      {"core/a.h", "#include <vector>\n"},
      {"kernels/b.h", "#include \"../core/a.h\"\n"},
      {"kernels/cpu/b-inl.h", "#include \"hwy/highway.h\"\n#include \"../b.h\"\n"},
      {"imaging/c.cpp", "#include <zlib.h>\n#include \"../core/a.h\"\n"},
      {"train/d.h", "#include \"../imaging/e.h\"\n"},
      {"train/hdf5_d.cpp", "#include <hdf5.h>\n#include \"d.h\"\n"},
      {"imaging/e.h", ""},
      {"apps/rats/model.h", "#include \"../../train/d.h\"\n"},
      {"apps/rats/commands/run.cpp", "#include \"../model.h\"\n#include \"../../report/map.h\"\n"},
      {"apps/rats/commands/run.h", "#include \"../../program/command.h\"\n"},
      {"apps/mice/model.h", ""},
      {"apps/report/map.h", ""},
      {"apps/program/command.h", ""},
      {"apps/program/main.cpp", "#include <CLI/CLI.hpp>\n#include \"../rats/commands/run.h\"\n"},
  };
  CHECK(wrong_includes(good).empty());

  const std::vector<std::pair<std::string, std::string>> planted = {
      {"core/x.h", "#include \"../kernels/b.h\"\n"},
      {"kernels/x.cpp", "\n  #  include \"../train/d.h\"\n"},
      {"imaging/x.h", "#include \"../kernels/b.h\"\n"},
      {"network/x.h", "#include \"../imaging/e.h\"\n"},
      {"train/x.h", "#include \"../apps/mice/model.h\"\n"},
      {"apps/rats/x.cpp", "#include \"../mice/model.h\"\n"},
      {"apps/rats/commands/x.cpp", "#include \"../../mice/model.h\"\n"},
      {"apps/rats/x.h", "#include \"../report/map.h\"\n"},
      {"apps/report/x.h", "#include \"../rats/model.h\"\n"},
      {"apps/report/y.h", "#include \"../program/command.h\"\n"},
      {"core/x.h", "#include \"../tests/data.h\"\n"},
      {"core/x.h", "#include \"core/a.h\"\n"},
      {"train/x.h", "#include <nlohmann/json.hpp>\n"},
      {"kernels/x.h", "#include <Eigen/Core>\n"},
      {"kernels/cpu/x.h", "#include \"hwy/highway.h\"\n"},
      {"train/loader.cpp", "#include <hdf5.h>\n"},
      {"train/hdf5_x.h", "#include <H5public.h>\n"},
      {"apps/rats/x.cpp", "#include <CLI/CLI.hpp>\n"},
      {"apps/report/x.h", "#include <cairo.h>\n"},
      {"core/x.cpp", "#include <catch2/catch.hpp>\n"},
  };
  for (const auto& [path, content] : planted) {
    Files files = good;
    files[path] = content;
    INFO(path << ": " << content);
    CHECK(wrong_includes(files).size() == 1);
  }
}
