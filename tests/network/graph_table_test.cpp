#include "../../network/graph_table.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("the table of RatNet has the numbers one works out by hand") {
  const GraphTable table = graph_table(ratnet_graph());
  REQUIRE(table.rows.size() == 15);
  const GraphRow& conv = table.rows[4];
  CHECK(conv.name == "conv2");
  CHECK(conv.kind == "conv");
  CHECK(conv.fields == "kernel 3 x 3, out 32");
  CHECK(conv.inputs == std::vector<std::string>{"pool1"});
  CHECK(conv.output == Shape{32, 32, 32});
  CHECK(conv.parameters == 3 * 3 * 32 * 32 + 32);
  CHECK(conv.trainable == conv.parameters);
  CHECK(conv.multiply_adds == 32. * 32 * 32 * 3 * 3 * 32);
  CHECK(conv.output_bytes == 32 * 32 * 32 * 4);
  CHECK(table.rows[0].inputs.empty());
  CHECK(table.rows[10].kind == "flatten");
  CHECK(table.rows[10].output_bytes == 0);  // the pooled image under another shape

  CHECK(table.parameters == 320 + 2 * 9248 + 2048 * 128 + 128 + 128 * 2 + 2);
  CHECK(table.trainable == table.parameters);
  CHECK(table.multiply_adds ==
        64. * 64 * 32 * 9 + 32. * 32 * 32 * 9 * 32 + 16. * 16 * 32 * 9 * 32 + 2048. * 128 + 256);
  CHECK(table.output_bytes == 4 * (64 * 64 + 2 * 64 * 64 * 32 + 3 * 32 * 32 * 32 +
                                   3 * 16 * 16 * 32 + 8 * 8 * 32 + 128 + 128 + 2 + 2));
  CHECK(totals_in_words(table) ==
        std::vector<std::string>{"281346 parameters, all trainable",
                                 "13.24 million multiply-adds for one sample",
                                 "1.493 MiB of outputs for one sample"});
}

TEST_CASE("running statistics are parameters that nobody trains") {
  GraphBuilder builder;
  const int x = builder.input("x", {5, 3, 7});
  const int y = builder.input("y", {5, 3, 7});
  const int norm = builder.add("norm", layers::BatchNorm{}, {x});
  const GraphTable table =
      graph_table(builder.build({builder.add("sum", layers::Add{}, {norm, y})}));
  CHECK(table.parameters == 4 * 7);
  CHECK(table.trainable == 2 * 7);
  CHECK(table.rows[3].inputs == std::vector<std::string>{"norm", "y"});
  CHECK(totals_in_words(table)[0] == "28 parameters, 14 trainable");
}
