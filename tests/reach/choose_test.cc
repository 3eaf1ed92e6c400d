// From what a user names of a kernel to functions of its record.
#include "src/reach/choose.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "src/run/usage_error.h"

namespace sockproof::reach {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A little tree of source, and a record of the kernel that was built of it.
class ChooseTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "sockproof-choose-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    tree_ = folder;
    Write("net/ipv4/tcp_timer.c",
          "static int inlined(void)\n{\n\treturn 1;\n}\n\n"
          "void tcp_timer(void)\n{\n\tinlined();\n}\n\n"
          "int knob = 1;\n");
    Write("include/net/tcp.h", "#define LIMIT 3\n\nstatic inline int tcp_help(void)\n{\n\treturn 0;\n}\n");
    Write("net/ipv4/tcp.c", "int tcp_sendmsg(void)\n{\n\treturn tcp_help();\n}\n");
    record_.tests = {"A.B"};
    record_.functions = {{"tcp_timer", {0}}, {"tcp_sendmsg", {0}}, {"udp_rcv", {}}};
  }
  void TearDown() override { fs::remove_all(tree_); }

  void Write(const fs::path& file, const std::string& text) {
    fs::create_directories((tree_ / file).parent_path());
    std::ofstream(tree_ / file) << text;
  }

  Choice ByPatch(const std::string& file, const std::string& hunk) {
    Write("a.patch", "--- a/" + file + "\n+++ b/" + file + "\n" + hunk);
    return ByChange(tree_ / "a.patch", tree_, record_);
  }

  fs::path tree_;
  Record record_;
};

TEST_F(ChooseTest, NamesAndGlobsAreFunctions) {
  EXPECT_THAT(ByItems({"tcp_*"}, "", record_).functions, ElementsAre("tcp_sendmsg", "tcp_timer"));
  EXPECT_THROW(ByItems({"tcp_tmier"}, "", record_), UsageError);
}

TEST_F(ChooseTest, FilesAndLinesNeedTheSource) {
  EXPECT_THAT(ByItems({"net/ipv4/tcp_timer.c:6-9"}, tree_, record_).functions,
              ElementsAre("tcp_timer"));
  EXPECT_THROW(ByItems({"net/ipv4/tcp_timer.c:6-9"}, "", record_), UsageError);
  for (const char* wrong : {"net/none.c", "net/ipv4/tcp.c:0", "net/ipv4/tcp.c:3-2",
                            "net/ipv4/tcp.c:a", "net/ipv4/tcp.c:1-2x"}) {
    EXPECT_THROW(ByItems({wrong}, tree_, record_), UsageError) << wrong;
  }
}

TEST_F(ChooseTest, WhatIsInlinedIsItsCallersAndSaid) {
  const Choice choice = ByItems({"net/ipv4/tcp_timer.c:3"}, tree_, record_);
  EXPECT_THAT(choice.functions, ElementsAre("tcp_timer"));
  EXPECT_THAT(choice.notes, SizeIs(1));
  EXPECT_THAT(ByItems({"tcp_help"}, tree_, record_).functions, ElementsAre("tcp_sendmsg"));
}

TEST_F(ChooseTest, AChangeIsWhatItsLinesAreIn) {
  EXPECT_THAT(ByPatch("net/ipv4/tcp.c", "@@ -3,1 +3,1 @@\n-old\n+\treturn tcp_help();\n").functions,
              ElementsAre("tcp_sendmsg"));
  EXPECT_THAT(ByPatch("include/net/tcp.h", "@@ -5,1 +5,1 @@\n-old\n+\treturn 0;\n").functions,
              ElementsAre("tcp_sendmsg"));
}

TEST_F(ChooseTest, WhatIsOutsideOfFunctionsIsTheWholeFileOrEverything) {
  const Choice file = ByPatch("net/ipv4/tcp_timer.c", "@@ -11,1 +11,1 @@\n-old\n+int knob = 1;\n");
  EXPECT_THAT(file.functions, ElementsAre("tcp_timer"));
  EXPECT_FALSE(file.everything);
  const Choice header = ByPatch("include/net/tcp.h", "@@ -1,1 +1,1 @@\n-old\n+#define LIMIT 3\n");
  EXPECT_TRUE(header.everything);
}

TEST_F(ChooseTest, AShortFunctionIsItsCallersToo) {
  record_.functions["inlined"] = {};
  EXPECT_THAT(ByItems({"inlined"}, tree_, record_).functions, ElementsAre("inlined", "tcp_timer"));
  EXPECT_THAT(ByItems({"net/ipv4/tcp_timer.c:3"}, tree_, record_).functions,
              ElementsAre("inlined", "tcp_timer"));
}

TEST_F(ChooseTest, WhatCannotBeToldIsMoreAndNotLess) {
  Write("net/ipv4/tcp.c", "int tcp_sendmsg(void)\n{\n\treturn 0;\n}\n\nint unheard_of(void)\n{\n}\n");
  const Choice unknown = ByPatch("net/ipv4/tcp.c", "@@ -7,1 +7,1 @@\n-x\n+{\n");
  EXPECT_THAT(unknown.functions, ElementsAre("tcp_sendmsg"));
  EXPECT_TRUE(ByPatch("net/ipv4/Kconfig", "@@ -1,1 +1,1 @@\n-x\n+y\n").everything);
  EXPECT_FALSE(ByPatch("Documentation/a.rst", "@@ -1,1 +1,1 @@\n-x\n+y\n").everything);
  Write("a.patch", "--- a/net/gone.c\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n");
  EXPECT_TRUE(ByChange(tree_ / "a.patch", tree_, record_).everything);
}

TEST_F(ChooseTest, WhatIsNoChangeIsRefused) {
  EXPECT_THROW(ByChange("HEAD", tree_, record_), UsageError) << "no repository";
  EXPECT_THROW(ByChange("--output=/tmp/x", tree_, record_), UsageError);
  Write("a.patch", "nothing\n");
  EXPECT_THROW(ByChange(tree_ / "a.patch", tree_, record_), UsageError);
  EXPECT_THROW(ByChange("HEAD", "", record_), UsageError);
}

}  // namespace
}  // namespace sockproof::reach
