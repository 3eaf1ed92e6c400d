// Lines of the source: of a kernel's code, and those that a change touches.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "src/reach/choose.h"
#include "src/reach/debug_lines.h"
#include "src/reach/line_choice.h"

namespace sockproof::reach {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// By its lines, from 1.
const std::vector<std::string> kWritten = {"int f(int a)",  // 1, has code
                                           "{",
                                           "\tint b = 0;",
                                           "",
                                           "\tif (a > 1) {",  // 5, has code
                                           "\t\t/* a comment */",
                                           "again:",
                                           "\t\tb = 2;",  // 8, has code
                                           "\t}",
                                           "\tif (a > 2 &&",  // 10, has code
                                           "\t    a < 9)",
                                           "\t\tb = 3;",   // 12, has code
                                           "\treturn b;",  // 13, has code
                                           "}"};

std::string TextOf(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

RecordedFile Recorded() {
  return {TextOf(kWritten), {{1, 0}, {5, 0}, {8, 0}, {10, 0}, {12, 0}, {13, 0}}};
}

// With lines put in before line `number`; they are the place.
TouchedLines AfterAdding(int number, const std::vector<std::string>& added) {
  std::vector<std::string> now = kWritten;
  now.insert(now.begin() + number - 1, added.begin(), added.end());
  return LinesTouched(Recorded(), TextOf(now),
                      {{"f.c", number, number + static_cast<int>(added.size()) - 1}})
      .value();
}

std::set<int> Unchanged(int first, int last) {
  return LinesTouched(Recorded(), TextOf(kWritten), {{"f.c", first, last}}).value().lines;
}

TEST(LineChoice, ALineWithCodeIsItself) {
  EXPECT_THAT(Unchanged(12, 12), ElementsAre(12));
  EXPECT_THAT(Unchanged(8, 9), ElementsAre(5, 8, 10, 12, 13)) << "a brace is the block around it";
  EXPECT_THAT(Unchanged(6, 7), IsEmpty()) << "a comment and a label do nothing";
}

TEST(LineChoice, APartOfAStatementIsAllOfIt) {
  EXPECT_THAT(Unchanged(11, 11), ElementsAre(10, 12));
}

TEST(LineChoice, WhatIsNewIsReachedWithTheStatementBehindIt) {
  EXPECT_THAT(AfterAdding(6, {"\t\tg();"}).lines, ElementsAre(8)) << "in a block, from its begin";
  EXPECT_THAT(AfterAdding(13, {"\tif (a == 7)", "\t\tgoto again;"}).lines, ElementsAre(13));
}

TEST(LineChoice, WhatIsNewAtTheEndOfABlockIsTheBlock) {
  EXPECT_THAT(AfterAdding(9, {"\t\tg();"}).lines, ElementsAre(8));
  EXPECT_THAT(AfterAdding(14, {"\tg();"}).lines, ElementsAre(5, 8, 10, 12, 13));
}

TEST(LineChoice, WhatDoesNothingTouchesNothing) {
  for (const char* line : {"\tstruct sock *sk, *other;", "", "\t/* why */", "elsewhere:"}) {
    const TouchedLines touched = AfterAdding(4, {line});
    EXPECT_THAT(touched.lines, IsEmpty()) << line;
    EXPECT_THAT(touched.outside, IsEmpty()) << line;
  }
}

TEST(LineChoice, AFunctionThatIsNewIsReachedByItsCallsAlone) {
  const TouchedLines touched = AfterAdding(15, {"", "int g(void)", "{", "\treturn 1;", "}"});
  EXPECT_THAT(touched.lines, IsEmpty());
  EXPECT_THAT(touched.outside, IsEmpty());
  EXPECT_FALSE(AfterAdding(15, {"int knob = 1;"}).outside.empty());
}

TEST(LineChoice, WhatIsTakenAwayWasReachedWhereItWas) {
  std::vector<std::string> now = kWritten;
  now.erase(now.begin() + 7);
  EXPECT_THAT(LinesTouched(Recorded(), TextOf(now), {{"f.c", 8, 7}}).value().lines, ElementsAre(8));
  // The record may be of the kernel without it.
  EXPECT_THAT(LinesTouched(Recorded(), TextOf(kWritten), {{"f.c", 13, 12}}).value().lines,
              ElementsAre(13));
}

TEST(LineChoice, AnotherChangeMovesLinesOnly) {
  std::vector<std::string> now = kWritten;
  now.insert(now.begin(), {"#include <a.h>", ""});
  now[13] = "\t\tb = 4;";
  EXPECT_THAT(LinesTouched(Recorded(), TextOf(now), {{"f.c", 14, 14}}).value().lines,
              ElementsAre(12));
}

TEST(LineChoice, TextsThatHaveLittleInCommonSayNothing) {
  std::vector<std::string> now(3000);
  for (std::size_t i = 0; i < now.size(); ++i) now[i] = std::to_string(i);
  EXPECT_FALSE(LinesTouched(Recorded(), TextOf(now), {{"f.c", 1, 1}}).has_value());
}

TEST(Source, ADiffNamesPlacesOfTheNewFile) {
  const auto places = PlacesIn(
      "--- a/f.c\n"
      "+++ b/f.c\n"
      "@@ -10,4 +10,5 @@\n"
      " a\n"
      "-b\n"
      "+c\n"
      "+d\n"
      " e\n"
      " f\n"
      "@@ -40,2 +40,0 @@\n"
      "-gone\n"
      "-gone too\n");
  EXPECT_THAT(places, ElementsAre(Lines{"f.c", 11, 12}, Lines{"f.c", 41, 40}));
}

// A tree with the files that the table names.
class DebugLinesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "sockproof-lines-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    source_ = folder;
    for (const char* file : {"net/ipv4/tcp.c", "include/net/tcp.h"}) {
      fs::create_directories((source_ / file).parent_path());
      std::ofstream(source_ / file) << TextOf(kWritten);
    }
  }
  void TearDown() override { fs::remove_all(source_); }

  std::vector<std::pair<std::string, int>> At(const DebugLines& lines, std::uint64_t begin,
                                              std::uint64_t end) const {
    std::vector<std::pair<std::string, int>> found;
    for (const std::size_t number : lines.At(begin, end)) found.push_back(lines.Numbered()[number]);
    return found;
  }

  fs::path source_;
};

constexpr const char* kTable =
    "vmlinux:     file format elf64-x86-64\n\n"
    "CU: /src/net/ipv4/tcp.c:\n"
    "File name                            Line number    Starting address    View    Stmt\n"
    "tcp.c                                          5  0xffffffff81000000               x\n"
    "tcp.c                                          8  0xffffffff81000004       1       x\n\n"
    "/src/net/ipv4/../../include/net/tcp.h:[++]\n"
    "tcp.h                                         12  0xffffffff81000008\n\n"
    "/src/mm/slub.c:\n"
    "slub.c                                        99  0xffffffff8100000c\n"
    "slub.c                                         -  0xffffffff81000010\n"
    "CU: ../net/ipv4/tcp.c:\n"
    "tcp.c                                         13  0xffffffff81000010               x\n"
    "tcp.c                                          -  0xffffffff81000014\n";

TEST_F(DebugLinesTest, CodeIsOfLinesOfTheNetworksFiles) {
  const DebugLines lines(kTable, source_);
  EXPECT_THAT(At(lines, 0xffffffff81000000, 0xffffffff81000004),
              ElementsAre(Pair("net/ipv4/tcp.c", 5)));
  EXPECT_THAT(At(lines, 0xffffffff81000006, 0xffffffff8100000c),
              ElementsAre(Pair("net/ipv4/tcp.c", 8), Pair("include/net/tcp.h", 12)));
  EXPECT_THAT(At(lines, 0xffffffff8100000c, 0xffffffff81000010), IsEmpty()) << "of another's";
  EXPECT_THAT(At(lines, 0xffffffff81000011, 0xffffffff81000013),
              ElementsAre(Pair("net/ipv4/tcp.c", 13)));
  EXPECT_THAT(At(lines, 0xffffffff81000014, 0xffffffff81000020), IsEmpty()) << "behind all";
}

TEST_F(DebugLinesTest, WhatIsNoTableHasNone) {
  for (const char* text :
       {"", "a b c\n", "net/ipv4/tcp.c:\ntcp.c x 0x1\ntcp.c 1 y\ntcp.c 1\n:\n::\n"}) {
    EXPECT_THAT(DebugLines(text, source_).Numbered(), IsEmpty()) << text;
  }
}

TEST_F(DebugLinesTest, AChangeChoosesTestsByLines) {
  Record record;
  record.tests = {"A.B", "C.D"};
  record.functions = {{"f", {0, 1}}};
  record.files["net/ipv4/tcp.c"].text = TextOf(kWritten);
  for (const int line : {1, 5, 13}) record.SetLine("net/ipv4/tcp.c", line, {0, 1});
  record.SetLine("net/ipv4/tcp.c", 8, {1});
  record = FromText(ToText(record));
  std::ofstream(source_ / "a.patch")
      << "--- a/net/ipv4/tcp.c\n+++ b/net/ipv4/tcp.c\n@@ -8 +8 @@\n-\t\tb = 1;\n+\t\tb = 2;\n";
  const Choice choice = ByChange(source_ / "a.patch", source_, record);
  EXPECT_THAT(NamesIn(choice), ElementsAre("net/ipv4/tcp.c:8"));
  EXPECT_THAT(Reaching(choice, record), ElementsAre("C.D"));
  EXPECT_THAT(NamesIn(ByItems({"net/ipv4/tcp.c:8"}, source_, record)),
              ElementsAre("net/ipv4/tcp.c:8"));
  EXPECT_THAT(NamesIn(ByItems({"net/ipv4/tcp.c"}, source_, record)), ElementsAre("f"));
}

TEST(ReachRecord, LinesOfAFileThatIsAnotherNowAreForgotten) {
  Record older;
  older.tests = {"A.Old", "A.Both"};
  older.files["net/a.c"].text = older.files["net/b.c"].text = "before";
  for (const char* file : {"net/a.c", "net/b.c"}) older.SetLine(file, 3, {0, 1});
  Record newer;
  newer.tests = {"A.Both"};
  newer.files["net/a.c"].text = "before";
  newer.files["net/b.c"].text = "after";
  for (const char* file : {"net/a.c", "net/b.c"}) newer.SetLine(file, 3, {0});
  newer.AddTestsOf(older);
  EXPECT_THAT(newer.Reaching("net/a.c", {3}), ElementsAre("A.Both", "A.Old"));
  EXPECT_FALSE(newer.files.contains("net/b.c"));
}

}  // namespace
}  // namespace sockproof::reach
