// Functions and changes in C source as kernels have it.
#include "src/reach/source.h"

#include <gmock/gmock.h>

namespace sockproof::reach {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kSource = R"(#include <net/tcp.h>

/* A limit that
 * many know of
 */
static int limit = 3;

static bool is_late(const struct sock *sk)
{
	return limit > 3;
}

/* Called by the timer. */
void tcp_write_timer_handler(struct sock *sk,
			     int event)
{
	if (is_late(sk)) {
		limit++;
	}
}
EXPORT_SYMBOL(tcp_write_timer_handler);

static const struct proto_ops ops = {
	.release = late_release,
};
)";

TEST(Source, AFunctionGoesFromItsHeadToTheBraceInTheFirstColumn) {
  const auto functions = FunctionsIn(kSource);
  ASSERT_THAT(functions, SizeIs(2));
  EXPECT_EQ(functions[0].name, "is_late");
  EXPECT_EQ(functions[0].first, 8);
  EXPECT_EQ(functions[0].last, 11);
  EXPECT_EQ(functions[1].name, "tcp_write_timer_handler");
  EXPECT_EQ(functions[1].first, 14);
  EXPECT_EQ(functions[1].last, 20);
}

TEST(Source, WhatIsNoSourceHasNoFunctions) {
  for (const char* text : {"", "{", "}\n{\n}", "f(\n{", "(\n{\n}\n", "\0\xff{\n"}) {
    EXPECT_THAT(FunctionsIn(text), IsEmpty()) << text;
  }
}

TEST(Source, LinesAreInAFunctionOrOutside) {
  EXPECT_THAT(FunctionsAt({"f.c", 16, 18}, kSource).functions,
              ElementsAre("tcp_write_timer_handler"));
  EXPECT_THAT(FunctionsAt({"f.c", 9, 15}, kSource).functions,
              ElementsAre("is_late", "tcp_write_timer_handler"));
  const Touched outside = FunctionsAt({"f.c", 3, 6}, kSource);
  EXPECT_THAT(outside.functions, IsEmpty());
  EXPECT_THAT(outside.outside, ElementsAre(Lines{"f.c", 6, 6})) << "comments do nothing";
  EXPECT_THAT(FunctionsAt({"f.c", 1, 0}, kSource).functions, SizeIs(2));
}

TEST(Source, ADiffNamesLinesOfTheNewFile) {
  const auto changed = ChangedBy(
      "diff --git a/net/ipv4/tcp.c b/net/ipv4/tcp.c\n"
      "--- a/net/ipv4/tcp.c\n"
      "+++ b/net/ipv4/tcp.c\n"
      "@@ -10,4 +10,5 @@ static int f(void)\n"
      " a\n"
      "-b\n"
      "+c\n"
      "+d\n"
      " e\n"
      " f\n"
      "@@ -40,2 +41,0 @@ g(void)\n"
      "-gone\n"
      "-gone too\n"
      "--- a/net/old.c\n"
      "+++ /dev/null\n"
      "@@ -1,1 +0,0 @@\n"
      "-all\n");
  EXPECT_THAT(changed, ElementsAre(Lines{"net/ipv4/tcp.c", 10, 12}, Lines{"net/ipv4/tcp.c", 41, 42},
                                   Lines{"net/old.c", 0, 0}));
}

TEST(Source, ALineThatLooksLikeAHeadIsAChangeInsideAHunk) {
  const auto changed = ChangedBy(
      "--- a/f.c\n"
      "+++ b/f.c\n"
      "@@ -1,0 +2,2 @@\n"
      "+++ b/not_a_file.c\n"
      "+x\n");
  EXPECT_THAT(changed, ElementsAre(Lines{"f.c", 2, 3}));
}

TEST(Source, TheSignatureBehindAPatchIsNoChange) {
  const auto changed = ChangedBy(
      "--- a/f.c\n"
      "+++ b/f.c\n"
      "@@ -4,3 +4,3 @@\n"
      " x\n"
      "-y\n"
      "+z\n"
      "\n"
      "-- \n"
      "2.39.5\n");
  EXPECT_THAT(changed, ElementsAre(Lines{"f.c", 4, 5}));
}

TEST(Source, ASystemCallHasTheNameThatTheKernelGivesIt) {
  const auto functions = FunctionsIn("SYSCALL_DEFINE3(socket, int, family, int, type, int, protocol)\n{\n}\n");
  ASSERT_THAT(functions, SizeIs(1));
  EXPECT_EQ(functions[0].name, "__x64_sys_socket");
}

TEST(Source, WhatHasNoSymbolIsReachedThroughItsCallers) {
  EXPECT_THAT(KnownCallers("is_late", {kSource}, {"tcp_write_timer_handler", "limit"}),
              ElementsAre("tcp_write_timer_handler"));
  EXPECT_THAT(KnownCallers("is_lat", {kSource}, {"tcp_write_timer_handler"}), IsEmpty())
      << "a part of a word is another word";
}

}  // namespace
}  // namespace sockproof::reach
