// All of the library is one namespace: two types of one name, in two headers, are one to the
// linker.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "../catch.h"

TEST_CASE("no two headers define a type of the same name") {
  namespace fs = std::filesystem;
  const std::regex definition(R"(^(?:struct|class|enum class) ([A-Za-z_]\w*)(?!\w|::)[^;]*\{.*$)");
  std::map<std::string, std::string> defined;
  int types = 0;
  // The layers have a namespace of their own.
  const fs::path root = RATNET_SOURCE_DIR;
  for (const char* room : {"core", "kernels", "network", "imaging", "train", "apps"})
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      // A device's own types live in a module of its own.
      const std::string path = fs::relative(entry.path(), root).string();
      if (entry.path().extension() != ".h" || path.find("/cuda/") != std::string::npos) continue;
      std::ifstream file(entry.path());
      std::smatch found;
      for (std::string line; std::getline(file, line);) {
        if (!std::regex_match(line, found, definition)) continue;
        ++types;
        const auto [other, fresh] = defined.emplace(found[1].str(), path);
        INFO(found[1].str() << " in " << other->second << " and " << path);
        CHECK((fresh || other->second == path));
      }
    }
  CHECK(types > 300);
}
