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
  const Outcome<std::string> received = receiving.Await(AtMost(2 * at_least));
  EXPECT_THAT(received, FailsWith(ETIMEDOUT));
  EXPECT_GE(received.end - data.time, at_least);
  EXPECT_GE(received.end - data.time, 100s);  // rfc9293:SHLD-11
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

  const Time begin = Clock::now();
  while (Clock::now() < begin + 1h) {
    peer.Expect(Ack().Seq(peer.rcv_nxt - 1), AtMost(kLargestGap));
    peer.Send(Ack());
  }
  peer.rcv_wnd = 65535;
  peer.Send(Ack());
  peer.Expect(Data("still here").Seq(peer.rcv_nxt));
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
