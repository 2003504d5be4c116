// SPDX-License-Identifier: MIT
#include "reports/table.h"

#include <gtest/gtest.h>

#include <limits>

namespace kdbench::table_test {
namespace {

Table scores() {
  Table table;
  table.title = "Scores";
  Column accuracy("accuracy", "accuracy_mean", {.digits = 3});
  accuracy.spread_name = "accuracy_sd";
  table.header = {"task",
                  "method",
                  accuracy,
                  {"params (M)", "parameters", {.digits = 2, .scale = 1e6}, Show::kIfRoom},
                  {"id", "id", {}, Show::kData}};
  table.rows = {{"RTE", "kd|x", {0.7, 0.0125}, 17390594.0, "a,b"},
                {"MRPC", "fine-tüne", Cell(), 1e6 / 3, "say \"so\""}};
  table.notes = {"A note."};
  return table;
}

TEST(Table, ConsoleAlignsNumbersRight) {
  EXPECT_EQ(write_console(scores()),
            "Scores\n"
            "task  method          accuracy  params (M)\n"
            "----  ---------  -------------  ----------\n"
            "RTE   kd|x       0.700 (0.013)       17.39\n"
            "MRPC  fine-tüne              -        0.33\n"
            "A note.\n");
}

TEST(Table, ConsoleLeavesOutWhatIsTooWide) {
  const std::string narrow =
      "Scores\n"
      "task  method          accuracy\n"
      "----  ---------  -------------\n"
      "RTE   kd|x       0.700 (0.013)\n"
      "MRPC  fine-tüne              -\n"
      "A note.\n"
      "Not shown for lack of room: params (M).\n";
  EXPECT_EQ(write_console(scores(), 41), narrow);
  EXPECT_EQ(write_console(scores(), 10), narrow);  // the others have to stay
  EXPECT_EQ(write_console(scores(), 42), write_console(scores()));
}

TEST(Table, MarkdownEscapesBars) {
  EXPECT_EQ(write_markdown(scores()),
            "**Scores**\n\n"
            "| task | method | accuracy | params (M) |\n"
            "|---|---|---:|---:|\n"
            "| RTE | kd\\|x | 0.700 (0.013) | 17.39 |\n"
            "| MRPC | fine-tüne | - | 0.33 |\n"
            "\nA note.\n");
}

TEST(Table, CsvHasAllColumnsAndDigits) {
  EXPECT_EQ(write_csv(scores()),
            "task,method,accuracy_mean,accuracy_sd,parameters,id\n"
            "RTE,kd|x,0.7,0.0125,17390594,\"a,b\"\n"
            "MRPC,fine-tüne,,,333333.3333333333,\"say \"\"so\"\"\"\n");
}

TEST(Table, JsonHasAllColumnsAndDigits) {
  const auto json = write_json(scores());
  EXPECT_EQ(json.at("notes"), nlohmann::json({"A note."}));
  EXPECT_EQ(json.at("rows").dump(),
            R"([{"accuracy_mean":0.7,"accuracy_sd":0.0125,"id":"a,b","method":"kd|x",)"
            R"("parameters":17390594.0,"task":"RTE"},)"
            R"({"accuracy_mean":null,"accuracy_sd":null,"id":"say \"so\"","method":"fine-tüne",)"
            R"("parameters":333333.3333333333,"task":"MRPC"}])");
}

TEST(Table, JsonHasCountsAsIntegersAndNoNumberAsNull) {
  Table table;
  table.header = {"count", "number"};
  table.rows = {{integer_cell(12345678901), std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_EQ(write_json(table).at("rows").dump(), R"([{"count":12345678901,"number":null}])");
  EXPECT_EQ(write_csv(table), "count,number\n12345678901,\n");
  EXPECT_EQ(shown("count", table.rows[0][0]), "12345678901");
}

TEST(Table, CsvQuotesLineEndsAndDropsWhatIsNoNumber) {
  Table table;
  table.header = {"text", "number"};
  table.rows = {{"two\nlines", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_EQ(write_csv(table), "text,number\n\"two\nlines\",\n");
  EXPECT_EQ(write_markdown(table), "| text | number |\n|---|---:|\n| two lines | - |\n");
}

TEST(Table, NumbersAreShownAsTheColumnSays) {
  EXPECT_EQ(shown({"d", "d", {.digits = 2, .sign = true}}, {0.125, 0.5}), "+0.12 (0.50)");
  EXPECT_EQ(shown({"d", "d", {.digits = 2, .sign = true}}, -0.125), "-0.12");
  EXPECT_EQ(shown({"d", "d", {.digits = 2, .sign = true}}, -0.004), "+0.00");
  EXPECT_EQ(shown("steps", 123456.0), "123456");
  EXPECT_EQ(shown("epochs", 2.5), "2.5");
  EXPECT_EQ(shown("n", {2.0, "2 (1 failed)"}), "2 (1 failed)");
}

TEST(Table, WithoutRows) {
  Table table;
  table.header = {"a", "b"};
  hide_empty_columns(table);
  EXPECT_EQ(write_console(table), "a  b\n-  -\n");
}

TEST(Table, EmptyColumnsAreHidden) {
  Table table;
  table.header = {"a", "b"};
  table.rows = {{"x", Cell()}, {"y", Cell()}};
  hide_empty_columns(table);
  EXPECT_EQ(write_console(table), "a\n-\nx\ny\n");
  EXPECT_EQ(write_csv(table), "a,b\nx,\ny,\n");
}

}  // namespace
}  // namespace kdbench::table_test
