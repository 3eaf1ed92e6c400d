// Explicit congestion notification: what a SYN and its answer say of it, how an unanswered SYN
// falls back, and what follows once both ends have agreed. RFC 3168 sections 6.1.1 to 6.1.4, and
// what Linux documents in ip-sysctl.rst.
#include <optional>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// Of the traffic class: the field, and what it says (RFC 3168 section 5).
constexpr std::uint8_t kEcnField = 3, kEcnCapable = 2, kCongestionExperienced = 3;

class SynWithEcn : public PeerTest {
 protected:
  // The SYNs of a connect() that nobody answers.
  ScriptedTcp& Connect(int tcp_ecn) {
    sut.SetSysctl("net.ipv4.tcp_ecn", tcp_ecn);
    ScriptedTcp& peer = host.Listen(ip, 80);
    socket.emplace(sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"}));
    socket->Connect(peer.local());  // EINPROGRESS
    return peer;
  }

  // The answer of a new listener.
  Segment AnswerTo(const PartialSegment& syn, int tcp_ecn) {
    sut.SetSysctl("net.ipv4.tcp_ecn", tcp_ecn);
    ScriptedTcp& peer = InState(TcpState::kListen).peer;
    peer.Send(syn);
    return peer.Expect(SynAck().Ack(peer.snd_nxt));
  }

  // A connection on which both ends have agreed to use it.
  ScriptedTcp& Agreed() {
    ScriptedTcp& peer = Connect(1);
    peer.Expect(Syn().With(kEce | kCwr));
    peer.Send(SynAck().With(kEce));
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    return peer;
  }

  std::optional<Socket> socket;
};

}  // namespace

TEST_WITH(SynWithEcn, SynEcn, ASynAsksForEcnByEceAndCwr,
          .claims = {"linux:tcp_ecn", "rfc3168:6.1.1-ecn-setup", "rfc3168:6.1.1-syn-not-ect"},
          .needs = {"sysctl"}) {
  const Segment syn = Connect(1).Expect(Syn());
  Deciding("linux:tcp_ecn");
  EXPECT_TRUE(syn.Has(kEce));
  Deciding("rfc3168:6.1.1-ecn-setup");
  EXPECT_TRUE(syn.Has(kCwr));
  Deciding("rfc3168:6.1.1-syn-not-ect");
  EXPECT_EQ(syn.traffic_class & kEcnField, 0);
}

TEST_WITH(SynWithEcn, SynEcn, ASynDoesNotAskWhereOnlyOthersMay,
          .claims = {"linux:tcp_ecn", "rfc3168:6.1.1-unwilling"}, .needs = {"sysctl"}) {
  for (const int unwilling : {0, 2}) {
    SCOPED_TRACE("tcp_ecn=" + std::to_string(unwilling));
    const Segment syn = Connect(unwilling).Expect(Syn());
    for (const char* claim : {"linux:tcp_ecn", "rfc3168:6.1.1-unwilling"}) {
      Deciding(claim);
      EXPECT_FALSE(syn.Has(kEce) || syn.Has(kCwr)) << TcpFlagsName(syn.flags);
    }
  }
}

TEST_WITH(SynWithEcn, SynEcn, ASynAckGrantsEcnByEceAlone,
          .claims = {"linux:tcp_ecn-incoming", "rfc3168:6.1.1-ecn-setup-syn-ack",
                     "rfc3168:6.1.1-syn-not-ect"},
          .needs = {"sysctl"}) {
  for (const int willing : {1, 2}) {
    SCOPED_TRACE("tcp_ecn=" + std::to_string(willing));
    const Segment syn_ack = AnswerTo(Syn().With(kEce | kCwr), willing);
    Deciding("linux:tcp_ecn-incoming");
    EXPECT_TRUE(syn_ack.Has(kEce));
    Deciding("rfc3168:6.1.1-ecn-setup-syn-ack");
    EXPECT_FALSE(syn_ack.Has(kCwr));
    Deciding("rfc3168:6.1.1-syn-not-ect");
    EXPECT_EQ(syn_ack.traffic_class & kEcnField, 0);
  }
}

TEST_WITH(SynWithEcn, SynEcn, ASynAckGrantsNoEcnToWhoDidNotAskOrWhereItIsOff,
          .claims = {"rfc3168:6.1.1-not-granted", "linux:tcp_ecn-incoming"}, .needs = {"sysctl"}) {
  Deciding("rfc3168:6.1.1-not-granted");
  EXPECT_TRUE(SynAck().Without(kEce | kCwr).Matches(AnswerTo(Syn(), 1)));
  Deciding("linux:tcp_ecn-incoming");
  EXPECT_TRUE(SynAck().Without(kEce | kCwr).Matches(AnswerTo(Syn().With(kEce | kCwr), 0)));
}

// --- Once both have agreed -----------------------------------------------------------------------

TEST_WITH(SynWithEcn, SynEcn, ACongestionMarkIsEchoedUntilItIsAcknowledged,
          .claims = {"rfc9293:SHLD-8", "rfc3168:6.1.3-echo"}, .needs = {"sysctl"}) {
  ScriptedTcp& peer = Agreed();
  Deciding("rfc9293:SHLD-8");
  peer.Send(Data("marked").TrafficClass(kCongestionExperienced));
  peer.Expect(Ack().Ack(peer.snd_nxt).With(kEce));
  Deciding("rfc3168:6.1.3-echo");
  peer.Send(Data("not marked").TrafficClass(kEcnCapable));
  peer.Expect(Ack().Ack(peer.snd_nxt).With(kEce));
  peer.Send(Data("understood").With(kCwr).TrafficClass(kEcnCapable));
  peer.Expect(Ack().Ack(peer.snd_nxt).Without(kEce));
}

TEST_WITH(SynWithEcn, SynEcn, AnEchoIsAcknowledgedWithTheNextNewData,
          .claims = {"rfc3168:6.1.2-cwr", "rfc3168:6.1.2-ect", "rfc3168:6.1.4-pure-ack-not-ect"},
          .needs = {"sysctl"}) {
  ScriptedTcp& peer = Agreed();
  Deciding("rfc3168:6.1.4-pure-ack-not-ect");
  peer.Send(Data("answer me"));
  EXPECT_EQ(peer.Expect(Ack().Ack(peer.snd_nxt)).traffic_class & kEcnField, 0);

  Deciding("rfc3168:6.1.2-ect");
  ASSERT_THAT(socket->Send("first"), Returns(5));
  const int sent_as = peer.Expect(Data("first")).traffic_class & kEcnField;
  if (sent_as == 0) {
    NotTaken("rfc3168:6.1.2-ect", "data is sent as not ECN-capable, which section 6.1.1 allows");
  } else {
    EXPECT_EQ(sent_as, kEcnCapable);
  }

  Deciding("rfc3168:6.1.2-cwr");
  peer.Send(Ack().With(kEce));
  Settle();
  ASSERT_THAT(socket->Send("second"), Returns(6));
  // A window of one segment cannot be halved: what is next waits for the timer then.
  peer.Expect(Data("second").With(kCwr), FirstTimeout());
}

// --- Without an agreement ------------------------------------------------------------------------

TEST_WITH(
    SynWithEcn, SynEcn, ARetransmittedSynNoLongerAsks,
    .claims = {"linux:tcp_ecn_fallback", "rfc3168:6.1.1.1-fallback"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  sut.SetSysctl("net.ipv4.tcp_ecn_fallback", 1);
  ScriptedTcp& peer = Connect(1);
  const Segment first = peer.Expect(Syn().With(kEce | kCwr));
  Deciding("linux:tcp_ecn_fallback");
  bool asks = false;
  for (int i = 0; i < 2; ++i) {
    const Segment again = peer.Expect(Syn().Seq(first.seq), OpeningPatience());
    asks = again.Has(kEce) || again.Has(kCwr);
    EXPECT_FALSE(asks) << TcpFlagsName(again.flags);
  }
  if (asks) NotTaken("rfc3168:6.1.1.1-fallback", "a SYN that is sent again asks for ECN too");
  Deciding("rfc3168:6.1.1.1-fallback");
}

TEST_WITH(
    SynWithEcn, SynEcn, WithoutTcpEcnFallbackARetransmittedSynStillAsks,
    .claims = {"linux:tcp_ecn_fallback"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  sut.SetSysctl("net.ipv4.tcp_ecn_fallback", 0);
  ScriptedTcp& peer = Connect(1);
  const Segment first = peer.Expect(Syn().With(kEce | kCwr));
  for (int i = 0; i < 2; ++i) {
    const Segment again = peer.Expect(Syn().Seq(first.seq), OpeningPatience());
    EXPECT_TRUE(Syn().With(kEce | kCwr).Matches(again)) << TcpFlagsName(again.flags);
  }
}

TEST_WITH_PEER(SynEcn, WithoutEceInTheAnswerDataIsNotEcnCapable, .claims = {"rfc3168:6.1.1-no-ect"},
               .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_ecn", 1);
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("not ECN-capable"), Succeeds());
  const Segment data = peer.Expect(Data("not ECN-capable"));
  EXPECT_EQ(data.traffic_class & kEcnField, 0);
}

// The answer to the first SYN comes late, when a SYN that does not ask has been sent too.
TEST_WITH(
    SynWithEcn, SynEcn, AsTheRfcSaysDataIsNotEcnCapableAfterTheFallback,
    .claims = {"rfc3168:6.1.1-no-ect"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  ScriptedTcp& peer = Connect(1);
  const Segment first = peer.Expect(Syn().With(kEce | kCwr));
  peer.Expect(Syn().Seq(first.seq), OpeningPatience());
  peer.Send(SynAck().With(kEce));
  peer.Expect(Ack().Seq(first.seq + 1).Ack(peer.snd_nxt));

  ASSERT_THAT(socket->Send("not ECN-capable"), Succeeds());
  const Segment data = peer.Expect(Data("not ECN-capable"));
  EXPECT_EQ(data.traffic_class & kEcnField, 0);
}
