// TCP_DEFER_ACCEPT, tcp(7): a connection is handed to accept() only once it has brought data.
#include "suites/listen/listen_test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// The wait for a whole number of SYN,ACK retransmissions, which come after 1 s and then after twice
// the time before, that is not shorter.
int RoundedUpToRetransmissions(int seconds) {
  int end = 1;
  for (int gap = 2; end < seconds; gap *= 2) end += gap;
  return end;
}

constexpr int kLong = 60;  // seconds; no test waits for their end
constexpr int kShort = 3;  // the end of the second wait for a SYN,ACK

}  // namespace

TEST_WITH(ListenTest, DeferAccept, ABareAckDoesNotWakeAcceptButDataDoes,
          .claims = {"man:tcp(7)-TCP_DEFER_ACCEPT"}) {
  Socket listener = Listening(8);
  listener.SetOption("TCP_DEFER_ACCEPT", kLong).value();
  Pending<Accepted> accepting = listener.StartAccept();
  ScriptedTcp& client = Established(Client());
  Settle();
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
  ExpectStillBlocked(accepting);

  const Segment data = client.Send(Data("GET /"));
  client.Expect(Ack().Ack(client.snd_nxt));
  const Outcome<Accepted> accepted = accepting.Await();
  EXPECT_GT(accepted.end, data.time) << "a bare ACK wakes accept()";
  EXPECT_THAT(Socket(accepted.value().socket).Receive(64), Returns("GET /"));
}

TEST_WITH(ListenTest, DeferAccept, DataInTheLastSegmentOfTheHandshakeWakesAccept,
          .claims = {"man:tcp(7)-TCP_DEFER_ACCEPT"}) {
  Socket listener = Listening(8);
  listener.SetOption("TCP_DEFER_ACCEPT", kLong).value();
  ScriptedTcp& client = HalfOpen(Client());
  client.Send(Data("GET /"));
  client.Expect(Ack().Ack(client.snd_nxt));
  EXPECT_THAT(Socket(listener.Accept().value().socket).Receive(64), Returns("GET /"));
}

TEST_WITH(
    ListenTest, DeferAccept, AfterTheTimeTheSynAckComesAgainAndABareAckIsEnough,
    .claims = {"man:tcp(7)-TCP_DEFER_ACCEPT", "linux:defer-accept-last-chance"},
    .lasts = [](const Facts&) -> Duration { return std::chrono::seconds(kShort); }) {
  Socket listener = Listening(8);
  listener.SetOption("TCP_DEFER_ACCEPT", kShort).value();
  Pending<Accepted> accepting = listener.StartAccept();
  ScriptedTcp& client = Client();
  client.Send(Syn());
  const Segment first = client.Expect(SynAck());
  client.Send(Ack());

  const Segment again = client.Expect(SynAck().Seq(first.seq), OpeningPatience());
  EXPECT_THAT(again.time - first.time, FiresAfter(std::chrono::seconds(kShort)));
  const Segment ack = client.Send(Ack());
  const Outcome<Accepted> accepted = accepting.Await();
  EXPECT_GT(accepted.end, ack.time) << "the first bare ACK wakes accept()";
  EXPECT_EQ(accepted.value().remote.ToString(), client.local().ToString());
}

TEST_WITH(ListenTest, DeferAccept, TheTimeIsRoundedUpToAWholeNumberOfRetransmissions,
          .claims = {"linux:defer-accept-rounding"}) {
  Socket listener = sut.NewSocket(ip);
  EXPECT_THAT(listener.GetOption("TCP_DEFER_ACCEPT"), Returns(0));
  for (const int seconds : {1, 2, 3, 4, 7, 8, 60}) {
    ASSERT_THAT(listener.SetOption("TCP_DEFER_ACCEPT", seconds), Succeeds());
    EXPECT_THAT(listener.GetOption("TCP_DEFER_ACCEPT"),
                Returns(RoundedUpToRetransmissions(seconds)));
  }
}

TEST_WITH(ListenTest, DeferAccept, WithoutItABareAckWakesAccept,
          .claims = {"man:accept(2)-queue"}) {
  Socket listener = Listening(8);
  listener.SetOption("TCP_DEFER_ACCEPT", kLong).value();
  listener.SetOption("TCP_DEFER_ACCEPT", 0).value();
  ScriptedTcp& client = Established(Client());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
}
