// Timers that take minutes or hours at their default values: where time is virtual, no sysctl needs
// to shorten them. RFC 9293 sections 3.8.3 and 3.8.6.1, and what Linux documents in ip-sysctl.rst.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

TEST_WITH_PEER(DefaultTimes, UnacknowledgedDataEndsTheConnectionAfterAQuarterOfAnHour,
               .claims = {"linux:tcp_retries2", "rfc9293:MUST-20", "rfc9293:SHLD-11",
                          "man:tcp(7)-ETIMEDOUT"},
               .needs = {"virtual-time"}, .lasts = LinuxDataGiveUpMinimum) {
  const Duration at_least = LinuxDataGiveUpMinimum(sut.facts());
  auto [socket, peer] = Connected();
  Pending<std::string> receiving = socket.StartReceive(64);
  ASSERT_THAT(socket.Send("anyone there?"), Returns(13));
  const Segment data = peer.Expect(Data("anyone there?").Seq(peer.rcv_nxt));

  // The end comes with the first timeout past the documented time, and timeouts double.
  Deciding("rfc9293:MUST-20");
  const Outcome<std::string> received = receiving.Await(AtMost(2 * at_least));
  EXPECT_THAT(received, testing::Not(Succeeds()));
  Deciding("linux:tcp_retries2");
  EXPECT_THAT(received.end - data.time, LastsAtLeast(at_least));
  Deciding("rfc9293:SHLD-11");
  EXPECT_THAT(received.end - data.time, LastsAtLeast(RfcR2Minimum()));
  Deciding("man:tcp(7)-ETIMEDOUT");
  EXPECT_THAT(received, FailsWith(ETIMEDOUT));
  Observe("time to ETIMEDOUT", received.end - data.time);
}

TEST_WITH_PEER(
    DefaultTimes, AZeroWindowIsProbedForAsLongAsProbesAreAnswered,
    .claims = {"rfc9293:MUST-36", "rfc9293:MUST-37"}, .needs = {"virtual-time"},
    .lasts = [](const Facts&) -> Duration { return 1h; }) {
  constexpr Duration kLargestGap = 2min;
  auto [socket, peer] = Connected();
  peer.rcv_wnd = 0;
  peer.Send(Ack());
  ASSERT_THAT(socket.Send("still here"), Returns(10));

  // An octet of new data, or something old: what a closed window has no room for.
  const std::uint32_t next = peer.rcv_nxt;
  const Time begin = Clock::now();
  while (Clock::now() < begin + 1h) {
    const Segment probe = peer.Expect(AnySegment(), AtMost(kLargestGap));
    ASSERT_TRUE(probe.length() > 0 || probe.seq != next) << "nothing that must be answered";
    peer.rcv_nxt = next;
    peer.Send(Ack());
  }
  peer.rcv_wnd = 65535;
  peer.Send(Ack());
  peer.ExpectEventually(Data("still here").Seq(next));
}

TEST_WITH_PEER(
    DefaultTimes, DataPastTheEdgeOfAWindowThatHasShrunkDoesNotEndTheConnection,
    .claims = {"rfc9293:SHLD-17", "rfc9293:MUST-35", "rfc9293:MUST-37"}, .needs = {"virtual-time"},
    .lasts = [](const Facts&) -> Duration { return 1h; }) {
  constexpr Duration kLargestGap = 2min;
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("too much"), Returns(8));
  const Segment data = peer.Expect(Data("too much"));

  // What is in flight has no room any more, and is never acknowledged.
  peer.rcv_wnd = 0;
  const Time begin = Clock::now();
  while (Clock::now() < begin + 1h) {
    peer.Send(Ack().Ack(data.seq));
    peer.Expect(AnySegment(), AtMost(kLargestGap));
  }
  peer.rcv_wnd = 65535;
  peer.Send(Ack().Ack(data.seq));
  peer.ExpectEventually(Data("too much").Seq(data.seq), AtMost(kLargestGap));
  peer.Send(Ack());
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
}
