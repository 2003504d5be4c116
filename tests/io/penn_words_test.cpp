// SPDX-License-Identifier: MIT
// Examples derived from the rules one by one; each names words by single spaces.
#include "io/words/penn_words.h"

#include <gtest/gtest.h>

#include "io/base/text.h"
#include "io/words/code_points.h"

namespace kdbench::penn_words_test {
namespace {

std::string words(std::string_view text) { return joined(penn_words(text), " "); }

TEST(PennWords, PunctuationStandsAlone) {
  EXPECT_EQ(words("Yes, it is; no: $5 (5%) #1 a&b @x what?! *"),
            "Yes , it is ; no : $ 5 ( 5 % ) # 1 a & b @ x what ? ! *");
  EXPECT_EQ(words("[a]{b}<c>"), "[ a ] { b } < c >");
  EXPECT_EQ(words("a--b---c - d-e"), "a -- b -- -c - d-e");
  EXPECT_EQ(words("wait... what.. ...so"), "wait ... what .. ... so");
  EXPECT_EQ(words("a\u2014b \u2013 \u00ABc\u00BB"), "a \u2014 b \u2013 \u00AB c \u00BB");
}

TEST(PennWords, NumbersKeepTheirMarks) {
  EXPECT_EQ(words("3,400 at 10:30 for $3.88"), "3,400 at 10:30 for $ 3.88");
  EXPECT_EQ(words("a,b x:y a, :3 end,"), "a , b x : y a , :3 end ,");
}

TEST(PennWords, AFinalPeriodStandsAlone) {
  EXPECT_EQ(words("He left."), "He left .");
  EXPECT_EQ(words("(He left.)"), "( He left . )");
  EXPECT_EQ(words("He \"left.\""), "He `` left . ''");
  EXPECT_EQ(words("It was the U.S."), "It was the U.S .");  // the end of the text is an end
  EXPECT_EQ(words("He left. She came."), "He left . She came .");
  EXPECT_EQ(words("a version of 2.5 a"), "a version of 2.5 a");
  EXPECT_EQ(words("."), ".");
}

TEST(PennWords, AnAbbreviationKeepsItsPeriod) {
  EXPECT_EQ(words("Mr. J. Smith of the U.S. Army"), "Mr. J. Smith of the U.S. Army");
  EXPECT_EQ(words("No. 9 of Wash. , then etc. and"), "No. 9 of Wash. , then etc. and");
  EXPECT_EQ(words("He said no. She went."), "He said no . She went .");
}

TEST(PennWords, DoubleQuotesOpenAndClose) {
  EXPECT_EQ(words("\"a\" and (\"b\") c\""), "`` a '' and ( `` b '' ) c ''");
  EXPECT_EQ(words("``a'' ''b''"), "`` a '' `` b ''");
  EXPECT_EQ(words("\u201Ca\u201D \u2018b\u2019"), "\u201C a \u201D \u2018 b \u2019");
}

TEST(PennWords, CliticsAreWords) {
  EXPECT_EQ(words("I don't, can't, WON'T"), "I do n't , ca n't , WO N'T");
  EXPECT_EQ(words("he's I'm I'd they'll we're I've JOHN'S"),
            "he 's I 'm I 'd they 'll we 're I 've JOHN 'S");
  EXPECT_EQ(words("boys' books"), "boys ' books");
  EXPECT_EQ(words("they'll's I'd've"), "they 'll 's I'd 've");
  EXPECT_EQ(words("o'clock rock'n'roll"), "o'clock rock'n'roll");
  EXPECT_EQ(words("'hello' 'em 's"), "' hello ' ' em 's");
}

TEST(PennWords, ContractionsAreTwoWords) {
  EXPECT_EQ(words("I cannot Gimme gonna gotta lemme wanna more'n d'ye"),
            "I can not Gim me gon na got ta lem me wan na more 'n d 'ye");
  EXPECT_EQ(words("gonnas"), "gonnas");
}

TEST(PennWords, WhiteSpaceOfAnyKindSeparates) {
  EXPECT_TRUE(penn_words("").empty());
  EXPECT_TRUE(penn_words(" \t\u00A0 ").empty());
  EXPECT_EQ(words(" a\u00A0b\u3000c  d "), "a b c d");
  // Text that is cut into words already (SST-2) stays as it is, but for quotes that stand alone:
  // after a space they open.
  EXPECT_EQ(words("it 's a `` good '' film , but not n't . "),
            "it 's a `` good `` film , but not n't .");
}

TEST(CodePoints, BeginningsAndEndingsAreLetters) {
  EXPECT_EQ(first_letter("\u00E9t\u00E9"), "\u00E9");
  EXPECT_EQ(last_letters("\u00E9t\u00E9", 2), "t\u00E9");
  EXPECT_EQ(last_letters("ab", 3), "ab");
  EXPECT_EQ(first_letter(""), "");
  EXPECT_EQ(small_letters("\u00C9TÉ A"), "\u00E9té a");
}

}  // namespace
}  // namespace kdbench::penn_words_test
