// sockproof explore, as a user starts it.
#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using testing::HasSubstr;

// As Ctrl-C in a terminal.
TEST(ExploreProgram, ToldToStopTellsWhatItHasFound) {
  Workplace place(SOCKPROOF_PROGRAM);
  const pid_t pid = place.StartCommand({"explore", "--time", "600", "--out", "explored"});
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(place.folder() / "explored"); }));
  kill(pid, SIGINT);
  const Finished stopped = place.Wait(pid);
  EXPECT_EQ(stopped.exit_code, 128 + SIGINT) << stopped.err;
  EXPECT_THAT(stopped.out, HasSubstr("INTERRUPTED"));
  EXPECT_EQ(place.ReadFile("explored/report.txt"), stopped.out);
  EXPECT_TRUE(place.AllGone());
}

TEST(ExploreProgram, ReplaysASequence) {
  Workplace place(SOCKPROOF_PROGRAM);
  std::ofstream(place.folder() / "open.seq") << "sockproof sequence 1\n"
                                                "connect()\n"
                                                "SYN,ACK seq=ISS\n";
  const Finished replayed = place.Command({"explore", "--replay", "open.seq"});
  EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
  EXPECT_THAT(replayed.out, HasSubstr("allowed by RFC 9293"));
}

}  // namespace
}  // namespace sockproof
