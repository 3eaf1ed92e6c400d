// How initial sequence numbers are chosen, RFC 9293 section 3.4.1.
#include <set>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

class InitialSequenceNumberTest : public PeerTest {
 protected:
  // A SYN from this port to that of the peer, who refuses it, so that the next can have the same
  // addresses and ports.
  Segment SynFrom(std::uint16_t port, ScriptedTcp& peer) {
    Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    socket.SetOption("SO_REUSEADDR", 1).value();
    socket.Bind(port).value();
    socket.Connect(peer.local());  // EINPROGRESS
    const Segment syn = peer.Expect(Syn());
    peer.Send(Rst().With(kAck).Seq(0));
    Settle();
    socket.Close().value();
    return syn;
  }
};

}  // namespace

TEST_WITH(
    InitialSequenceNumberTest, InitialSequenceNumber, GrowsByAtLeastOneEveryFourMicroseconds,
    .claims = {"rfc9293:MUST-8", "rfc9293:SHLD-1"},
    .lasts = [](const Facts&) -> Duration { return 200ms; }) {
  // Roughly, says the RFC, and that the clock need not be precise: a tenth is left out.
  const Duration tick = RfcIsnTick() * 11 / 10;
  ScriptedTcp& peer = host.Listen(ip, 80);
  const Segment first = SynFrom(50000, peer);
  peer.ExpectSilence(200ms);
  const Segment second = SynFrom(50000, peer);
  const Duration passed = second.time - first.time;
  const std::uint32_t grown = second.seq - first.seq;
  EXPECT_GE(static_cast<std::int64_t>(grown), passed / tick);
  EXPECT_LT(grown, 0x8000'0000) << "it went back";
}

TEST_WITH(InitialSequenceNumberTest, InitialSequenceNumber, IsAnotherForEachPairOfPorts,
          .claims = {"rfc9293:SHLD-1", "rfc9293:MUST-9"}) {
  // All that the clock can count meanwhile: it must not come round within an MSL.
  const auto counted_by_clock = [](Duration passed) {
    return static_cast<std::uint64_t>(passed.count()) * (std::uint64_t{1} << 32) /
           static_cast<std::uint64_t>((RfcTimeWait() / 2).count());
  };
  Segment last = SynFrom(50001, host.Listen(ip, 50001));
  int beyond_the_clock = 0;
  for (std::uint16_t port = 50002; port < 50009; ++port) {
    const Segment next = SynFrom(port, host.Listen(ip, port));
    if (next.seq - last.seq > counted_by_clock(next.time - last.time)) ++beyond_the_clock;
    last = next;
  }
  Deciding("rfc9293:SHLD-1");
  EXPECT_GT(beyond_the_clock, 0) << "of 7 pairs of ports; a clock alone gives none";
  // Whoever opens a connection of its own could compute those of others from its number.
  Deciding("rfc9293:MUST-9");
  EXPECT_GT(beyond_the_clock, 0) << "each follows from the one before and the clock";
}
