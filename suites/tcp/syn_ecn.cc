// What a SYN says of explicit congestion notification, and how an unanswered one falls back:
// RFC 3168 section 6.1.1, and what Linux documents in ip-sysctl.rst.
#include <optional>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

constexpr std::uint8_t kEcnField = 3;  // of the traffic class

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

  std::optional<Socket> socket;
};

}  // namespace

TEST_WITH(SynWithEcn, SynEcn, ASynAsksForEcnByEceAndCwr,
          .claims = {"linux:tcp_ecn", "rfc9293:SHLD-8", "rfc3168:6.1.1-ecn-setup",
                     "rfc3168:6.1.1-syn-not-ect"},
          .needs = {"sysctl"}) {
  const Segment syn = Connect(1).Expect(Syn().With(kEce | kCwr));
  EXPECT_EQ(syn.traffic_class & kEcnField, 0);
}

TEST_WITH(SynWithEcn, SynEcn, ASynDoesNotAskWhereOnlyOthersMay,
          .claims = {"linux:tcp_ecn", "rfc3168:6.1.1-unwilling"}, .needs = {"sysctl"}) {
  for (const int unwilling : {0, 2}) {
    SCOPED_TRACE("tcp_ecn=" + std::to_string(unwilling));
    Connect(unwilling).Expect(Syn().Without(kEce | kCwr));
  }
}

TEST_WITH(
    SynWithEcn, SynEcn, ARetransmittedSynNoLongerAsks,
    .claims = {"linux:tcp_ecn_fallback", "rfc3168:6.1.1.1-fallback"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  sut.SetSysctl("net.ipv4.tcp_ecn_fallback", 1);
  ScriptedTcp& peer = Connect(1);
  const Segment first = peer.Expect(Syn().With(kEce | kCwr));
  for (int i = 0; i < 2; ++i) {
    const Segment again = peer.Expect(Syn().Seq(first.seq));
    EXPECT_TRUE(Syn().Without(kEce | kCwr).Matches(again)) << TcpFlagsName(again.flags);
  }
}

TEST_WITH(
    SynWithEcn, SynEcn, WithoutTcpEcnFallbackARetransmittedSynStillAsks,
    .claims = {"linux:tcp_ecn_fallback"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  sut.SetSysctl("net.ipv4.tcp_ecn_fallback", 0);
  ScriptedTcp& peer = Connect(1);
  const Segment first = peer.Expect(Syn().With(kEce | kCwr));
  for (int i = 0; i < 2; ++i) {
    const Segment again = peer.Expect(Syn().Seq(first.seq));
    EXPECT_TRUE(Syn().With(kEce | kCwr).Matches(again)) << TcpFlagsName(again.flags);
  }
}

TEST_WITH_PEER(SynEcn, WithoutEceInTheAnswerDataIsNotEcnCapable,
               .claims = {"rfc3168:6.1.1-no-ect", "linux:tcp_ecn"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_ecn", 1);
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("not ECN-capable"), Succeeds());
  const Segment data = peer.Expect(Data("not ECN-capable"));
  EXPECT_EQ(data.traffic_class & kEcnField, 0);
}

// The answer to the first SYN comes late, when a SYN that does not ask has been sent too.
TEST_WITH(
    SynWithEcn, SynEcn, AsTheRfcSaysDataIsNotEcnCapableAfterTheFallback,
    .claims = {"rfc3168:6.1.1-no-ect", "rfc3168:6.1.1.1-fallback"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  ScriptedTcp& peer = Connect(1);
  const Segment first = peer.Expect(Syn().With(kEce | kCwr));
  peer.Expect(Syn().Seq(first.seq));
  peer.Send(SynAck().With(kEce));
  peer.Expect(Ack().Seq(first.seq + 1).Ack(peer.snd_nxt));

  ASSERT_THAT(socket->Send("not ECN-capable"), Succeeds());
  const Segment data = peer.Expect(Data("not ECN-capable"));
  EXPECT_EQ(data.traffic_class & kEcnField, 0);
}
