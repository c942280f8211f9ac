#include "../../apps/report/page.h"

#include <cmath>

#include "../../apps/report/chart.h"
#include "../../apps/report/colour_scale.h"
#include "../../apps/report/html.h"
#include "../../apps/report/picture_grid.h"
#include "../../core/error.h"
#include "../../imaging/png.h"
#include "../catch.h"
#include "pages.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

constexpr const char* kHostile = "</title><script>alert(\"&'\")</script>\xFF\x01\xE2\x80\xAE.html";

Picture picture(const std::string& id, double rank) {
  const std::vector<std::uint8_t> pixels = {0, 80, 160, 255};
  return {.id = id,
          .name = kHostile,
          .caption = kHostile,
          .image = grey_png(pixels, 2, 2),
          .rank = rank};
}

}  // namespace

TEST_CASE("text from outside stays text") {
  CHECK(escaped("a<b> & \"c\"") == "a&lt;b&gt; &amp; &quot;c&quot;");
  CHECK(escaped("\xC3\xA9\xFF\n") == "\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(element("p", {{"title", "\"><b>"}}, "x") == "<p title=\"&quot;&gt;&lt;b&gt;\">x</p>");
  CHECK(element("img", {{"alt", ""}}) == "<img alt=\"\"/>");
  CHECK(element("span", {}) == "<span></span>");
}

TEST_CASE("links lead to files beside the page and nowhere else") {
  CHECK(relative_link("sub-01.html") == "./sub-01.html");
  CHECK(relative_link("pages/sub 1.html") == "./pages/sub%201.html");
  CHECK(relative_link("javascript:alert(1)") == "./javascript%3Aalert%281%29");
  CHECK(relative_link("//elsewhere/x") == ".///elsewhere/x");
  CHECK(relative_link("a\"b\xC3\xA9?#") == "./a%22b%C3%A9%3F%23");
}

TEST_CASE("tables have headers, and rows of one length") {
  const std::string made =
      table("what it is", {{"name"}, {"score", true}}, {{"a", "1"}, {"b", "2"}});
  CHECK(is_well_formed(made));
  CHECK(occurrences(made, "scope=\"row\"") == 2);
  CHECK(occurrences(made, "scope=\"col\"") == 2);
  CHECK(occurrences(made, "<td class=\"number\">") == 2);
  CHECK_THROWS_AS(table("", {{"name"}}, {{"a", "b"}}), Error);
}

TEST_CASE("a page is well formed and stands alone, whatever its names are") {
  Page page(kHostile, kHostile, kHostile);
  page.verdict(Tone::alert, kHostile, {kHostile});
  page.warnings({});
  page.warnings({kHostile});
  Chart chart({.name = kHostile}, {.name = kHostile, .low = -1, .high = 1});
  chart.band(-0.5, 0.5);
  chart.level(0);
  chart.dashed_at(0.5);
  chart.label(0, 0, kHostile);
  chart.dot(0.5, 0.5, Tone::unclear, kHostile, "#a");
  chart.hollow_dot(7, NAN, kHostile);
  page.section(kHostile, facts({{kHostile, kHostile}}) + chart.svg(kHostile));
  page.section("pictures", picture_grid({.pictures = {picture("a", 1), picture("b", 2)}}) +
                               heat_legend(kHostile, kHostile, kHostile));
  page.folded(kHostile, table(kHostile, {{kHostile}}, {{thumbnail("", "", kHostile)}}));
  const std::string html = page.html();
  CHECK(stands_alone(html));
  CHECK(occurrences(html, "alert(") == occurrences(html, "&lt;script&gt;alert("));
  CHECK(occurrences(html, "class=\"warnings\"") == 1);
  CHECK(occurrences(html, "<circle") == 1);
  CHECK(html == page.html());
}

TEST_CASE("the check of pages finds what is wrong") {
  const std::string good = Page("a", "b").html();
  CHECK(stands_alone(good));
  for (const char* bad :
       {"<img src=\"x.png\" alt=\"\"/>", "<p>", "<img src=\"data:image/png;base64,\"/>",
        "<a href=\"https://x\">x</a>", "<p>see http://x</p>"}) {
    std::string page = good;
    page.insert(page.find("</main>"), bad);
    CHECK_FALSE(stands_alone(page));
  }
}

TEST_CASE("pictures stand by rank, and know their places") {
  const std::string grid =
      picture_grid({.pictures = {picture("first", 1), picture("second", 3), picture("third", 2)}});
  CHECK(grid.find("id=\"second\" data-rank=\"0\" data-place=\"1\"") <
        grid.find("id=\"third\" data-rank=\"1\" data-place=\"2\""));
  CHECK(grid.find("id=\"first\" data-rank=\"2\" data-place=\"0\"") != std::string::npos);
  CHECK(occurrences(grid, "type=\"range\"") == 1);
  CHECK(occurrences(grid, "data-toggle") == 0);  // nothing stands beside these
  Picture with = picture("with", 1);
  with.companion = with.image;
  CHECK(occurrences(picture_grid({.pictures = {with}}), "data-toggle") == 1);
  CHECK_THROWS_AS(picture_grid({.pictures = {picture("a\"b", 1)}}), Error);
  CHECK_THROWS_AS(picture_grid({.pictures = {picture("", 1)}}), Error);
  CHECK_THROWS_AS(picture_grid({.pictures = {picture("a", NAN)}}), Error);
}

TEST_CASE("charts put dots where they belong") {
  Chart chart({.low = 0, .high = 2}, {.low = 0, .high = 10}, 260);
  chart.dot(1, 5, Tone::calm, "middle");
  chart.dot(9, 99, Tone::calm, "beyond");
  const std::string svg = chart.svg("dots");
  // 58 pixels at the left, 16 at the right of 900; 22 above and 42 below of 260.
  CHECK(svg.find("cx=\"471.0\" cy=\"120.0\"") != std::string::npos);
  CHECK(svg.find("cx=\"884.0\" cy=\"22.0\"") != std::string::npos);
  CHECK(svg.find(">0.5</text>") != std::string::npos);
  CHECK(occurrences(svg, "nan") == 0);
  CHECK_THROWS_AS(Chart({.low = 1, .high = 1}, {}), Error);
  CHECK_THROWS_AS(Chart({}, {.low = 0, .high = NAN}), Error);
}

TEST_CASE("the overlay's colours grow lighter all the way") {
  double before = 0;
  for (int i = 0; i <= 50; ++i) {
    const Colour c = heat_of(i / 50.0);
    const auto linear = [](std::uint8_t v) { return std::pow(v / 255.0, 2.2); };
    const double lightness =
        std::cbrt(0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue));
    CHECK(lightness > before);
    if (i > 0) CHECK(lightness - before < 0.02);  // in even steps: 0.5 over 50 of them
    before = lightness;
  }
  CHECK(heat_of(-1) == heat_of(0));
  CHECK(heat_of(2) == heat_of(1));
}
