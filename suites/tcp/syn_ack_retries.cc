// An unanswered SYN,ACK: when it is sent again, and when the passive open ends. RFC 9293 section
// 3.8.3, RFC 6298, and what Linux documents in ip-sysctl.rst.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

constexpr const char* kSynAckRetries = "net.ipv4.tcp_synack_retries";

Duration SynAckGiveUp(const Facts& facts) { return LinuxSynAckSchedule(facts).give_up; }

}  // namespace

TEST_WITH_PEER(SynAckRetries, TheDefaultScheduleIsTheDocumentedOne,
               .claims = {"linux:tcp_synack_retries"}, .needs = {"sysctl", "states"},
               .lasts = SynAckGiveUp) {
  const SynAckSchedule documented = LinuxSynAckSchedule(sut.facts());
  Connection connection = InState(TcpState::kListen);
  auto& [listener, peer] = connection;

  peer.Send(Syn());
  const Segment first = ExpectSchedule(peer, SynAck(), documented.retransmissions);
  ExpectState(TcpState::kSynReceived, connection);
  const Time gone = WaitUntilGone(connection, AtMost(documented.give_up).value);
  EXPECT_THAT(gone - first.time, FiresAfter(documented.give_up, "SYN,ACK give-up"));
  Observe("SYN,ACK give-up", gone - first.time);
  EXPECT_EQ(peer.waiting(), 0U) << "a SYN,ACK too many";
}

TEST_WITH_PEER(
    SynAckRetries, TcpSynackRetriesSetsTheirNumber, .claims = {"linux:tcp_synack_retries"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  sut.SetSysctl(kSynAckRetries, 1);
  const SynAckSchedule documented = LinuxSynAckSchedule(sut.facts());
  auto [listener, peer] = InState(TcpState::kListen);

  peer.Send(Syn());
  const Segment first = ExpectSchedule(peer, SynAck(), documented.retransmissions);
  peer.ExpectSilence(first.time + FiresAfter(documented.give_up).latest() - Clock::now());

  // Nothing is left that an acknowledgment could complete.
  const Segment late = peer.Send(Ack());
  peer.Expect(Rst().Seq(late.ack));
}

TEST_WITH_PEER(
    SynAckRetries, TheTimeoutGrowsNoFurtherThanTcpRtoMaxMs, .claims = {"linux:tcp_rto_max_ms"},
    .needs = {"sysctl", "states"}, .lasts = [](const Facts&) -> Duration { return 7s; }) {
  sut.SetSysctl("net.ipv4.tcp_rto_max_ms", 2000);
  sut.SetSysctl(kSynAckRetries, 3);
  const SynAckSchedule documented = LinuxSynAckSchedule(sut.facts());
  Connection connection = InState(TcpState::kListen);

  connection.peer.Send(Syn());
  const Segment first = ExpectSchedule(connection.peer, SynAck(), documented.retransmissions);
  const Time gone = WaitUntilGone(connection, AtMost(documented.give_up).value);
  EXPECT_THAT(gone - first.time, FiresAfter(documented.give_up));
  EXPECT_EQ(connection.peer.waiting(), 0U) << "a SYN,ACK too many";
}

TEST_WITH_PEER(
    SynAckRetries, AnAcknowledgmentOfALateRetransmissionEstablishes,
    .claims = {"rfc9293:3.10.7.4-syn-received-ack", "rfc9293:MUST-22", "man:accept(2)-queue"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  Pending<Accepted> accepting = listener.StartAccept();
  Deciding("rfc9293:MUST-22");
  for (int i = 0; i < 2; ++i) peer.Expect(SynAck().Seq(peer.irs), OpeningPatience());

  Deciding("rfc9293:3.10.7.4-syn-received-ack");
  const Segment ack = peer.Send(Ack());
  const Outcome<Accepted> accepted = accepting.Await();
  ASSERT_THAT(accepted, Succeeds());
  ExpectStateIfShown(TcpState::kEstablished, {accepted.value().socket, peer});
  Deciding("man:accept(2)-queue");
  EXPECT_GT(accepted.end, ack.time) << "accept() does not wait for a connection";
}
