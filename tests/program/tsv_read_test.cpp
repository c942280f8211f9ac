#include "../../apps/program/tsv_read.h"

#include "../../core/error.h"
#include "../catch.h"
#include "run_program.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

// What reading the table and its cell (0, "volume") as an index says; "" where all is well.
std::string complaint(const std::string& content) {
  const Folder folder;
  const std::string path = folder / "table.tsv";
  std::ofstream(path, std::ios::binary) << content;
  try {
    TsvTable(path).index(0, "volume");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).rfind(path, 0) == 0);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a table is read with either line end") {
  const Folder folder;
  const std::string path = folder / "table.tsv";
  for (const std::string end : {"\n", "\r\n"}) {
    std::ofstream(path, std::ios::binary)
        << "slice\tvolume\tstate" << end << "3\t12\tdark" << end << end << "4\t0\t" << end;
    const TsvTable table(path);
    CHECK(table.rows() == 2);
    CHECK(table.index(0, "volume") == 12);
    CHECK(table.index(1, "slice") == 4);
    CHECK(table.text(0, "state") == "dark");
    CHECK(table.text(1, "state").empty());
    CHECK(table.has("state"));
    CHECK_FALSE(table.has("State"));
  }
}

TEST_CASE("what is no table is refused in a line that says why") {
  CHECK(complaint("volume\n1\n").empty());
  CHECK(complaint("volume\n1").empty());
  CHECK(complaint("").find("has no rows") != std::string::npos);
  CHECK(complaint("volume\n").find("has no rows") != std::string::npos);
  CHECK(complaint("slice\n1\n").find("no column 'volume'") != std::string::npos);
  CHECK(complaint("volume\n1\t2\n").find("line 2 has 2 cells") != std::string::npos);
  CHECK(complaint(std::string(300, '\t') + "\n1\n").find("has 301 columns") != std::string::npos);
  for (const char* cell : {"-1", "1.5", "x", "", " 1", "99999999999"})
    CHECK(complaint("slice\tvolume\n0\t" + std::string(cell) + "\n")
              .find("expected a whole number") != std::string::npos);
}
