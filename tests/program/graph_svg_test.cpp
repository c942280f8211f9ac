#include "../../apps/report/graph_svg.h"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"
#include "drawn_graphs.h"
#include "lab.h"
#include "well_formed.h"

using namespace ratnet;
using namespace ratnet::test;
using Json = nlohmann::json;

TEST_CASE("the check of XML finds what is wrong") {
  CHECK(is_well_formed("<a b=\"1\"><c/>x &lt; y</a>\n"));
  for (const char* bad : {"", "<a>", "<a></b>", "<a b=1/>", "<a>&x;</a>", "<a/><b/>",
                          "<a b=\"<\"/>", "<a b=\"1\" b=\"2\"/>", "x<a/>", "<a>\x01</a>"})
    CHECK_FALSE(is_well_formed(bad));
}

TEST_CASE("a graph's drawing is SVG that stands alone") {
  for (const Graph& graph : {ratnet_graph(), u_net(5, 64), two_by_two(), residual(50)}) {
    const std::string svg = graph_svg(graph, "a network");
    CHECK(is_well_formed(svg));
    CHECK(svg.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0) == 0);
    CHECK(occurrences(svg, "<g><title>") == graph.nodes().size());
    for (const Node& node : graph.nodes())
      CHECK(svg.find(">" + node.name + "<") != std::string::npos);
    for (const char* foreign : {"<script", "<style", "href", "url(", "@import", "nan", "inf"})
      CHECK(svg.find(foreign) == std::string::npos);
    CHECK(graph_svg(graph, "a network") == svg);
  }
  const std::string svg = graph_svg(ratnet_graph(), "RatNet");
  for (const char* words : {"281346 parameters, all trainable", "71.3 %", "262.3 k params",
                            "conv, kernel 3 \xC3\x97 3, out 32", "normalisation"})
    CHECK((svg.find(words) != std::string::npos) == (words != std::string("normalisation")));
}

TEST_CASE("names from outside do no harm in a drawing") {
  GraphBuilder builder;
  const int x = builder.input("</text><script>alert(\"&'\")</script>", {3, 5, 1});
  const int y = builder.add(std::string(256, 'W'), layers::Relu{}, {x});
  const std::string svg = graph_svg(builder.build({y}), "\xFF<b>\x01&amp;");
  CHECK(is_well_formed(svg));
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(svg.find("&lt;script&gt;alert(&quot;&amp;") != std::string::npos);
  CHECK(svg.find('\xFF') == std::string::npos);
}

TEST_CASE("inspect prints and draws a graph") {
  const Folder folder;
  const std::string file = folder / "two.json", svg = folder / "two.svg";
  std::ofstream(file) << two_by_two().to_json();
  const std::string printed = well("inspect " + file + " --svg " + svg).out;
  for (const char* words :
       {"t1w/conv", "t1w/conv, t2w/conv", "multiply-adds", "reads", "parameters, all trainable"})
    CHECK(printed.find(words) != std::string::npos);
  CHECK(is_well_formed(contents(svg)));
  CHECK(files_below(folder.path()) == std::vector<std::string>{"two.json", "two.svg"});

  const Json json = Json::parse(well("inspect --json " + file).out);
  CHECK(json.at("type") == "graph");
  CHECK(json.at("outputs") == Json({"map", "class"}));
  CHECK(json.at("layers").at(4).at("inputs") == Json({"t1w/conv", "t2w/conv"}));
  CHECK(json.at("layers").at(2).at("parameters") == 3 * 3 * 8 + 8);
  CHECK(json.at("parameters") == 2 * 80 + (9 * 64 + 8) + (16 + 2) + (2048 * 3 + 3));
  CHECK(json.at("layers").at(0).at("output") == Json({16, 16, 1}));

  // The model that ships, where it is.
  const std::string model = RATNET_SOURCE_DIR "/models/ratnet.safetensors";
  if (std::filesystem::exists(model)) {
    well("inspect " + model + " --svg " + svg);
    CHECK(contents(svg).find("dense_relu") != std::string::npos);
    CHECK(Json::parse(well("inspect --json " + model).out).at("parameters") == 281346);
  }
}

TEST_CASE("inspect refuses what is no graph, and drawings of what is none") {
  const Folder folder;
  const std::string file = folder / "g.json", whole = two_by_two().to_json();
  const auto refused_text = [&](const std::string& text) {
    std::ofstream(file) << text;
    const Finished finished = refused("inspect " + file + " --svg " + (folder / "g.svg"), 3);
    CHECK(finished.err.find(file) != std::string::npos);
    return finished.err;
  };
  Json more = Json::parse(whole);
  more["author"] = "nobody";
  CHECK(refused_text(more.dump()).find("'author'") != std::string::npos);
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string("7"),
        whole.substr(0, whole.size() / 2), std::string(5000, '[')})
    CHECK(refused_text(text).find("g.json") != std::string::npos);
  CHECK(files_below(folder.path()) == std::vector<std::string>{"g.json"});

  std::ofstream(file) << whole;
  refused("inspect " + file + " --svg " + file, 2);
  refused("inspect " + file + " --plan", 2);
  refused("inspect " + file + " --svg " + (folder / "missing/g.svg"), 5);
  refused("inspect " + (folder / "missing.json"), 5);
  refused("inspect scan.nii --svg " + (folder / "g.svg"), 2);
  CHECK(contents(file) == whole);
}
