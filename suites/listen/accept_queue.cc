// The queue of established connections that wait for accept(): how many it holds, and what becomes
// of those that find it full. listen(2), and what Linux documents.
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

constexpr std::uint16_t kPort = 8080;

// Two connections fill the queue of a backlog of 1 while a third is half-open.
class FullQueue : public PeerTest {
 protected:
  void Fill() {
    listener.Bind(kPort).value();
    listener.Listen(1).value();
    HalfOpen(first);
    first.Send(Ack());
    HalfOpen(second);
    HalfOpen(third);
    second.Send(Ack());
  }

  Socket listener = sut.NewSocket(ip);
  ScriptedTcp& first = host.Towards(sut.At(ip, kPort), NextPort());
  ScriptedTcp& second = host.Towards(sut.At(ip, kPort), NextPort());
  ScriptedTcp& third = host.Towards(sut.At(ip, kPort), NextPort());

 private:
  static void HalfOpen(ScriptedTcp& peer) {
    peer.Send(Syn());
    peer.Expect(SynAck());
  }
};

}  // namespace

TEST_WITH_PEER(AcceptQueue, HoldsOneConnectionMoreThanTheBacklog,
               .claims = {"linux:backlog-plus-one", "man:listen(2)-backlog",
                          "man:listen(2)-full-queue", "posix:listen-backlog-hint", "notes:B2"},
               .needs = {"sysctl"}) {
  for (const int backlog : {0, 1, 5}) {
    SCOPED_TRACE("backlog " + std::to_string(backlog));
    const auto port = static_cast<std::uint16_t>(kPort + backlog);
    Socket listener = sut.NewSocket(ip);
    ASSERT_THAT(listener.Bind(port), Succeeds());
    ASSERT_THAT(listener.Listen(backlog), Succeeds());

    const int holds = LinuxAcceptQueueHolds(backlog, sut.facts());
    for (int i = 0; i < holds; ++i) {
      ScriptedTcp& peer = host.Towards(sut.At(ip, port), NextPort());
      peer.Send(Syn());
      peer.Expect(SynAck());
      peer.Send(Ack());
    }
    ScriptedTcp& one_too_many = host.Towards(sut.At(ip, port), NextPort());
    one_too_many.Send(Syn());
    Settle();
    EXPECT_EQ(one_too_many.waiting(), 0U) << "the SYN that finds the queue full is answered";

    // Once there is room, the same request gets in.
    ASSERT_THAT(listener.Accept(), Succeeds());
    one_too_many.Send(Syn().Seq(one_too_many.iss));
    one_too_many.Expect(SynAck().Ack(one_too_many.iss + 1));
  }
}

TEST_WITH(FullQueue, AcceptQueue, TheLastAckIsIgnoredWhenItIsFull,
          .claims = {"linux:tcp_abort_on_overflow", "man:listen(2)-full-queue"},
          .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Fill();
  third.Send(Ack());
  // Still half-open: its SYN,ACK comes again. Once there is room its ACK is taken.
  third.Expect(SynAck().Seq(third.irs));
  EXPECT_EQ(listener.Accept().value().remote.ToString(), first.local().ToString());
  third.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), second.local().ToString());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), third.local().ToString());
}

TEST_WITH(FullQueue, AcceptQueue, TheLastAckIsResetWhenItIsFullAndTcpAbortOnOverflowIsSet,
          .claims = {"linux:tcp_abort_on_overflow"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_abort_on_overflow", 1);
  Fill();
  const Segment ack = third.Send(Ack());
  third.Expect(Rst().Seq(ack.ack));
}

TEST_WITH_PEER(AcceptQueue, ConnectionsAreAcceptedInTheOrderInWhichTheyWereEstablished,
               .claims = {"man:accept(2)-queue"}) {
  Socket listener = sut.NewSocket(ip);
  ASSERT_THAT(listener.Bind(kPort), Succeeds());
  ASSERT_THAT(listener.Listen(8), Succeeds());
  std::vector<ScriptedTcp*> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(&host.Towards(sut.At(ip, kPort), NextPort()));
    peers.back()->Send(Syn());
    peers.back()->Expect(SynAck());
  }
  // Established in another order than they were asked for.
  for (const size_t i : {2U, 0U, 1U}) {
    peers[i]->Send(Ack());
    Settle();
  }
  for (const size_t i : {2U, 0U, 1U}) {
    EXPECT_EQ(listener.Accept().value().remote.ToString(), peers[i]->local().ToString());
  }
}

TEST_WITH_PEER(AcceptQueue, ListenMakesTheSocketPassive,
               .claims = {"man:listen(2)-passive", "notes:B1"}) {
  Socket listener = sut.NewSocket(ip);
  ASSERT_THAT(listener.Bind(kPort), Succeeds());
  ScriptedTcp& early = host.Towards(sut.At(ip, kPort), NextPort());
  early.Send(Syn());
  early.Expect(Rst());

  ASSERT_THAT(listener.Listen(1), Succeeds());
  ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), NextPort());
  ExpectState(TcpState::kListen, {listener, peer});
  peer.Send(Syn());
  peer.Expect(SynAck());
}
