// An unanswered SYN: when it is sent again, and when the attempt is given up. RFC 9293 section
// 3.8.3, RFC 6298, and what Linux documents in ip-sysctl.rst.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

Duration SynGiveUp(const Facts& facts) { return LinuxSynSchedule(facts).give_up; }
Duration SynAckGiveUp(const Facts& facts) { return LinuxSynAckSchedule(facts).give_up; }

// How long the documented value `nominal` may take at most.
Within AtMost(Duration nominal) { return Within(FiresAfter(nominal).latest() + kPatience); }

// Each retransmission in its time, the same segment again; returns the first.
Segment ExpectSchedule(ScriptedTcp& peer, const PartialSegment& kind,
                       const std::vector<Duration>& retransmissions) {
  const Segment first = peer.Expect(kind);
  Segment previous = first;
  for (const Duration gap : retransmissions) {
    const Segment again = peer.Expect(PartialSegment(kind).Seq(first.seq), AtMost(gap));
    EXPECT_THAT(again.time - previous.time, FiresAfter(gap));
    previous = again;
  }
  return first;
}

}  // namespace

TEST_WITH_PEER(SynRetries, TheDefaultScheduleIsTheDocumentedOne,
               .claims = {"linux:tcp_syn_retries", "linux:tcp_syn_linear_timeouts",
                          "linux:TCP_TIMEOUT_INIT", "rfc6298:2.1-initial-rto",
                          "rfc6298:5.5-back-off", "man:connect(2)-ETIMEDOUT"},
               .needs = {"sysctl"}, .lasts = SynGiveUp) {
  const SynSchedule documented = LinuxSynSchedule(sut.facts());
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());

  const Segment first = ExpectSchedule(peer, Syn(), documented.retransmissions);
  const Outcome<int> connected = connecting.Await(AtMost(documented.give_up));
  EXPECT_THAT(connected, FailsWith(ETIMEDOUT));
  EXPECT_THAT(connected.end - first.time, FiresAfter(documented.give_up));
  Observe("SYN give-up", connected.end - first.time);
  EXPECT_EQ(peer.waiting(), 0U) << "a SYN too many";
}

TEST_WITH_PEER(
    SynRetries, WithoutLinearTimeoutsEachWaitIsTwiceTheOneBefore,
    .claims = {"linux:tcp_syn_retries", "rfc6298:5.5-back-off", "man:connect(2)-ETIMEDOUT"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 7s; }) {
  if (sut.facts().Find("sysctl.net.ipv4.tcp_syn_linear_timeouts")) {
    sut.SetSysctl("net.ipv4.tcp_syn_linear_timeouts", 0);
  }
  sut.SetSysctl("net.ipv4.tcp_syn_retries", 2);
  const SynSchedule documented = LinuxSynSchedule(sut.facts());
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());

  const Segment first = ExpectSchedule(peer, Syn(), documented.retransmissions);
  const Outcome<int> connected = connecting.Await(AtMost(documented.give_up));
  EXPECT_THAT(connected, FailsWith(ETIMEDOUT));
  EXPECT_THAT(connected.end - first.time, FiresAfter(documented.give_up));
}

TEST_WITH_WIRE(
    SynRetries, AConnectionComesUpWhenTheFirstSynIsLost, .claims = {"rfc9293:MUST-22", "notes:L1"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  wire.Drop(Syn());
  Connected();
  const std::vector<Segment> syns = wire.Seen(Syn().From(client));
  ASSERT_EQ(syns.size(), 2U);
  EXPECT_EQ(syns[1].seq, syns[0].seq);
}

TEST_WITH_WIRE(
    SynRetries, AConnectionComesUpWhenTheFirstSynAckIsLost,
    .claims = {"rfc9293:MUST-22", "notes:L2", "notes:L4"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  wire.Drop(SynAck());
  Connected();
  const std::vector<Segment> syn_acks = wire.Seen(SynAck().From(server));
  ASSERT_GE(syn_acks.size(), 2U);
  EXPECT_EQ(syn_acks[1].seq, syn_acks[0].seq);
}

TEST_WITH_PEER(SynAckRetries, TheDefaultScheduleIsTheDocumentedOne,
               .claims = {"linux:tcp_synack_retries", "rfc6298:5.5-back-off"},
               .needs = {"sysctl", "diag"}, .lasts = SynAckGiveUp) {
  const SynAckSchedule documented = LinuxSynAckSchedule(sut.facts());
  Connection connection = InState(TcpState::kListen);
  auto& [listener, peer] = connection;

  peer.Send(Syn());
  const Segment first = ExpectSchedule(peer, SynAck(), documented.retransmissions);
  ExpectState(TcpState::kSynReceived, connection);
  peer.ExpectSilence(first.time + FiresAfter(documented.give_up).latest() - Clock::now());
  ExpectState(TcpState::kClosed, connection);
}
