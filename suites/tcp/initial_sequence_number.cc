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
    peer.Send(Rst().With(kAck));
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
  constexpr auto kTick = std::chrono::nanoseconds(4400);
  ScriptedTcp& peer = host.Listen(ip, 80);
  const Segment first = SynFrom(50000, peer);
  peer.ExpectSilence(200ms);
  const Segment second = SynFrom(50000, peer);
  const Duration passed = second.time - first.time;
  const std::uint32_t grown = second.seq - first.seq;
  EXPECT_GE(static_cast<std::int64_t>(grown), passed / kTick);
  EXPECT_LT(grown, 0x8000'0000) << "it went back";
}

TEST_WITH(InitialSequenceNumberTest, InitialSequenceNumber, IsAnotherForEachPairOfPorts,
          .claims = {"rfc9293:SHLD-1"}) {
  // A clock alone would keep them within what it counts meanwhile.
  constexpr std::uint32_t kNear = 0x0010'0000;
  std::vector<std::uint32_t> numbers;
  for (std::uint16_t port = 50001; port < 50009; ++port) {
    numbers.push_back(SynFrom(port, host.Listen(ip, port)).seq);
  }
  int far = 0;
  for (size_t i = 1; i < numbers.size(); ++i) {
    const std::uint32_t step = numbers[i] - numbers[i - 1];
    if (step > kNear && step < -kNear) ++far;
  }
  EXPECT_GE(far, 4) << testing::PrintToString(numbers);
}
