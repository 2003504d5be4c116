// SPDX-License-Identifier: MIT
#include "reports/table.h"

#include <gtest/gtest.h>

namespace kdbench {
namespace {

const Table kTable{"Scores",
                   {"task", "method", "accuracy"},
                   {{"RTE", "kd|x", "0.700 (0.010)"}, {"MRPC", "fine-tüne", "-"}},
                   {"A note."}};

TEST(Table, ConsoleAlignsNumbersRight) {
  EXPECT_EQ(write_console(kTable),
            "Scores\n"
            "task  method          accuracy\n"
            "----  ---------  -------------\n"
            "RTE   kd|x       0.700 (0.010)\n"
            "MRPC  fine-tüne              -\n"
            "A note.\n");
}

TEST(Table, MarkdownEscapesBars) {
  EXPECT_EQ(write_markdown(kTable),
            "**Scores**\n\n"
            "| task | method | accuracy |\n"
            "|---|---|---:|\n"
            "| RTE | kd\\|x | 0.700 (0.010) |\n"
            "| MRPC | fine-tüne | - |\n"
            "\nA note.\n");
}

TEST(Table, WithoutRows) { EXPECT_EQ(write_console({"", {"a", "b"}, {}, {}}), "a  b\n-  -\n"); }

}  // namespace
}  // namespace kdbench
