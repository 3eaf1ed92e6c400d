// What the system under test documents of itself, whichever system that is: the values are those of
// harness/claims/systems.tsv. The wire alone tells here, so that the tests need nothing but
// sockets.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "suites/listen/listen_test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

Duration SynGiveUp(const Facts& facts) { return OwnSynSchedule(facts).give_up; }

Duration OwnSynAckEnd(const Facts& facts) {
  const OpeningSchedule documented = OwnSynAckSchedule(facts);
  Duration sum{0};
  for (const Duration gap : documented.retransmissions) sum += gap;
  return std::max(sum, documented.give_up);
}

// A connection that is closed but for the peer's FIN: acknowledged while the system under test
// remembers the connection, reset when it no longer does.
class Remembering : public PeerTest {
 protected:
  // How long connections that `make` makes are remembered, which is to be `documented`. Each is
  // asked once, for an answer may prolong its life. Returns the last answer, a reset.
  Segment ExpectRemembered(Duration documented, const std::string& name,
                           const std::function<ScriptedTcp*()>& make,
                           const std::function<Segment(ScriptedTcp&)>& send_fin) {
    constexpr int kAskedLater = 3;
    const FiresAfter timer = OwnTimer(documented, sut.facts());
    std::vector<ScriptedTcp*> peers;
    const Time first_began = Clock::now();
    for (int i = 0; i <= kAskedLater; ++i) peers.push_back(make());
    const Time last_began = Clock::now();

    const Time early = first_began + timer.earliest() - 2s;
    WaitUntil(early, *peers.front());
    send_fin(*peers.front());
    peers.front()->Expect(Ack().Ack(peers.front()->snd_nxt));

    Duration remembered = timer.earliest() - 2s;
    for (int i = 1; i <= kAskedLater; ++i) {
      ScriptedTcp& peer = *peers[static_cast<std::size_t>(i)];
      const Duration after = documented + (timer.latest() - documented) * i / kAskedLater;
      WaitUntil(last_began + after, peer);
      const Segment fin = send_fin(peer);
      const Segment answer = peer.Expect(AnySegment());
      if (answer.Has(kRst) || i == kAskedLater) {
        EXPECT_TRUE(answer.Has(kRst) && answer.seq == fin.ack)
            << "still remembered after " << FormatDuration(after);
        Observe(name, fmt::format("{} to {}", FormatDuration(remembered), FormatDuration(after)));
        return answer;
      }
      remembered = after;
    }
    throw HarnessError("the loop ends with its last answer");
  }

 private:
  static void WaitUntil(Time when, ScriptedTcp& peer) { peer.ExpectSilence(when - Clock::now()); }
};

class OpeningSegments : public ListenTest {
 protected:
  // Each in its time; returns the first. `name` is that of such a segment: "SYN".
  Segment ExpectOwnSchedule(ScriptedTcp& peer, const PartialSegment& kind, const std::string& name,
                            const std::vector<Duration>& gaps) {
    const Segment first = peer.Expect(kind);
    Segment previous = first;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      const FiresAfter timer =
          OwnTimer(gaps[i], sut.facts(), fmt::format("{} retransmission {}", name, i + 1));
      const Segment again =
          peer.Expect(PartialSegment(kind).Seq(first.seq), Within(timer.latest() + kPatience));
      EXPECT_THAT(again.time - previous.time, timer);
      previous = again;
    }
    return first;
  }
};

}  // namespace

TEST_WITH(Remembering, OwnDocumentation, TimeWaitLastsAsLongAsTheSystemDocuments,
          .claims = {"system:time-wait", "rfc9293:MUST-13", "rfc9293:3.10.8-time-wait", "notes:C7"},
          .lasts = OwnTimeWait) {
  Deciding("system:time-wait");
  const Segment answer = ExpectRemembered(
      OwnTimeWait(sut.facts()), "TIME-WAIT", [this] { return &InState(TcpState::kTimeWait).peer; },
      [](ScriptedTcp& peer) { return peer.Send(Fin().Seq(peer.snd_nxt - 1)); });
  // It lingered, for as long as it takes its MSL to be, and then no longer.
  for (const char* claim : {"rfc9293:MUST-13", "rfc9293:3.10.8-time-wait", "notes:C7"}) {
    Deciding(claim);
    EXPECT_TRUE(answer.Has(kRst));
  }
}

TEST_WITH(Remembering, OwnDocumentation, AnOrphanStaysInFinWait2AsLongAsTheSystemDocuments,
          .claims = {"system:fin-wait-2"}, .lasts = OwnFinWait2) {
  ExpectRemembered(
      OwnFinWait2(sut.facts()), "FIN-WAIT-2 of an orphan",
      [this] {
        Connection connection = InState(TcpState::kFinWait2);
        connection.socket.Close().value();
        return &connection.peer;
      },
      [](ScriptedTcp& peer) { return peer.Send(Fin()); });
}

TEST_WITH(OpeningSegments, OwnDocumentation, AnUnansweredSynIsSentAgainAndGivenUpAsDocumented,
          .claims = {"system:syn"}, .lasts = SynGiveUp) {
  const SynSchedule documented = OwnSynSchedule(sut.facts());
  ScriptedTcp& peer = host.Listen(ip, kPort);
  Pending<int> connecting = sut.NewSocket(ip).StartConnect(peer.local());
  const Segment first = ExpectOwnSchedule(peer, Syn(), "SYN", documented.retransmissions);
  ExpectStillBlocked(connecting);

  const FiresAfter timer = OwnTimer(documented.give_up, sut.facts(), "SYN give-up");
  const Outcome<int> connected = connecting.Await(Within(timer.latest() + kPatience));
  EXPECT_FALSE(connected.ok()) << "connect() succeeded";
  EXPECT_THAT(connected.end - first.time, timer);
  Observe("SYN give-up", connected.end - first.time);
  // Where no document says when, there may be any number of them.
  if (documented.retransmissions.empty()) return;
  EXPECT_EQ(peer.waiting(), 0U) << "a SYN too many";
}

TEST_WITH(OpeningSegments, OwnDocumentation, AnUnansweredSynAckIsSentAgainAsDocumented,
          .claims = {"system:syn-ack"}, .lasts = OwnSynAckEnd) {
  const OpeningSchedule documented = OwnSynAckSchedule(sut.facts());
  Listening(1);
  ScriptedTcp& peer = Client();
  peer.Send(Syn());
  const Segment first = ExpectOwnSchedule(peer, SynAck(), "SYN,ACK", documented.retransmissions);
  // And no more of them until the attempt ends, where a document says when.
  const FiresAfter end = OwnTimer(documented.give_up, sut.facts());
  peer.ExpectSilence(first.time + end.earliest() - Clock::now());
}

TEST_WITH_PEER(OwnDocumentation, KeepaliveHasTheTimesThatTheSystemDocuments,
               .claims = {"system:keepalive"}) {
  const auto seconds = [](Duration duration) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  const KeepaliveSchedule documented = OwnKeepalive(sut.facts());
  Socket socket = sut.NewSocket(ip);
  EXPECT_THAT(socket.GetOption("TCP_KEEPIDLE"), Returns(seconds(documented.idle)));
  EXPECT_THAT(socket.GetOption("TCP_KEEPINTVL"), Returns(seconds(documented.interval)));
  EXPECT_THAT(socket.GetOption("TCP_KEEPCNT"), Returns(documented.probes));
  Observe("keepalive", fmt::format("{}, then {} x {}", FormatDuration(documented.idle),
                                   documented.probes, FormatDuration(documented.interval)));
}

TEST_WITH(ListenTest, OwnDocumentation, TheAcceptQueueHoldsAsManyAsTheSystemDocuments,
          .claims = {"system:accept-queue", "posix:listen-backlog-hint", "notes:B2"}) {
  constexpr int kTooMany = 3;
  std::vector<int> lengths;
  for (const int backlog : {1, 4}) {
    SCOPED_TRACE("backlog " + std::to_string(backlog));
    const int documented = OwnAcceptQueueHolds(backlog, sut.facts());
    const auto port = static_cast<std::uint16_t>(kPort + backlog);
    Socket listener = Listening(backlog, port);
    for (int i = 0; i < documented + kTooMany; ++i) {
      ScriptedTcp& client = Client(port);
      if (!SynIsAnswered(client)) continue;
      client.Expect(SynAck().Ack(client.snd_nxt));
      client.Send(Ack());
    }
    Settle();

    int held = 0;
    while (held < documented + kTooMany &&
           listener.Poll({"POLLIN"}).value() == Events{"POLLIN"}) {
      listener.Accept().value();
      ++held;
    }
    Deciding("system:accept-queue");
    EXPECT_EQ(held, documented);
    Deciding("notes:B2");
    EXPECT_LT(held, documented + kTooMany) << "no limit is to be seen";
    lengths.push_back(held);
    Observe(fmt::format("queue for a backlog of {}", backlog), std::to_string(held));
  }
  Deciding("posix:listen-backlog-hint");
  EXPECT_LE(lengths[0], lengths[1]) << "a larger backlog makes a shorter queue";
}
