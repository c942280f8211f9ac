#include "../../core/json_depth.h"

#include <string>

#include "../../core/error.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("the depth of JSON counts brackets outside strings") {
  CHECK(json_depth("") == 0);
  CHECK(json_depth("3") == 0);
  CHECK(json_depth(R"({"a": [1, [2]], "b": {}})") == 3);
  CHECK(json_depth(R"({"a": "[[[[", "b\"[": 1, "c\\": [1]})") == 2);
  CHECK(json_depth("]]]][[") == 0);  // not JSON; the parser says so
  CHECK(json_depth(std::string(1000000, '[')) == 1000000);
  CHECK_NOTHROW(check_json_depth(std::string(32, '[')));
  CHECK_THROWS_AS(check_json_depth(std::string(33, '[')), Error);
}
