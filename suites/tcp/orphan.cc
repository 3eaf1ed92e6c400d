// Connections that no application holds any more and whose FIN nobody acknowledges: RFC 9293
// section 3.8.3, and how soon Linux gives them up, tcp_orphan_retries of ip-sysctl.rst.
#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"

using namespace sockproof;

namespace {

constexpr const char* kRetries = "net.ipv4.tcp_orphan_retries";

// What so many retransmissions from the least timeout of 200 ms on take, and the wait after the
// last: for 8 of them, the documented default (of which the sysctl shows 0), 102.2 s.
Duration GiveUpMinimum(const Facts& facts) {
  constexpr int kDefault = 8;
  const int set = facts.Sysctl(kRetries);
  return 200ms * ((1 << ((set == 0 ? kDefault : set) + 1)) - 1);
}

class OrphanTest : public PeerTest {
 protected:
  void ExpectGivenUpAsDocumented() {
    const Duration at_least = GiveUpMinimum(sut.facts());
    ASSERT_THAT(connection.socket.Close(), Succeeds());
    const Segment fin = connection.peer.Expect(Fin().Seq(connection.peer.rcv_nxt));
    ExpectState(TcpState::kFinWait1, connection);

    // The end comes with the first timeout past the documented time, and timeouts double.
    const Time gone = WaitUntilGone(connection, FiresAfter(2 * at_least).latest() + kPatience);
    EXPECT_GE(gone - fin.time, at_least);
    ExpectEverMoreRarely(fin, AllArrived(connection.peer));
    Observe("time to the end of the orphan", gone - fin.time);
  }

  Connection connection = Connected();
};

}  // namespace

TEST_WITH(OrphanTest, Orphan, WhoseFinIsNeverAcknowledgedIsGivenUpByDefault,
          .claims = {"linux:tcp_orphan_retries"}, .needs = {"states"}, .lasts = GiveUpMinimum) {
  ExpectGivenUpAsDocumented();
}

TEST_WITH(
    OrphanTest, Orphan, IsGivenUpAsSoonAsTcpOrphanRetriesSays,
    .claims = {"linux:tcp_orphan_retries"}, .needs = {"sysctl", "states"},
    .lasts = [](const Facts&) -> Duration { return 4s; }) {
  sut.SetSysctl(kRetries, 3);
  ExpectGivenUpAsDocumented();
}
