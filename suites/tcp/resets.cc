// Segments that must not harm a connection, forged ones above all, and resets that must end one.
// RFC 9293 sections 3.5.1 to 3.5.3 and 3.10.7, with what it takes from RFC 5961.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

class ResetsTest : public PeerTest {
 protected:
  // Data flows both ways as if nothing had happened.
  static void ExpectUnharmed(Connection& connection) {
    auto& [socket, peer] = connection;
    peer.Send(Data("hello"));
    peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns("hello"));
    ASSERT_THAT(socket.Send("goodbye"), Returns(7));
    peer.Expect(Data("goodbye").Seq(peer.rcv_nxt));
    EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
  }

  // Its segments find no connection any more.
  static void ExpectGone(Connection& connection) {
    EXPECT_THAT(connection.socket.Receive(64), testing::Not(Succeeds()));
    const Segment stray = connection.peer.Send(Ack());
    connection.peer.Expect(Rst().Seq(stray.ack));
  }

  static PartialSegment ChallengeAck(const ScriptedTcp& peer) {
    return Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt);
  }
};

}  // namespace

// --- Resets --------------------------------------------------------------------------------------

// RFC 9293 calls the mitigation of RFC 5961 optional; without it such a reset is one like any
// other.
TEST_WITH(ResetsTest, Resets, OneWithinTheWindowIsChallengedOrTaken,
          .claims = {"rfc9293:3.10.7.4-reset-in-window", "rfc5961:3.2-challenge"}) {
  for (const std::uint32_t offset : {1U, 100U}) {
    Connection connection = Connected();  // challenges of one connection may be rationed
    auto& [socket, peer] = connection;
    peer.Send(Rst().Seq(peer.snd_nxt + offset));
    Settle();
    Deciding("rfc9293:3.10.7.4-reset-in-window");
    if (peer.waiting() == 0) {
      ExpectGone(connection);
      NotTaken("rfc5961:3.2-challenge", "a reset within the window ends the connection");
      continue;
    }
    peer.Expect(ChallengeAck(peer));
    ExpectUnharmed(connection);
    Deciding("rfc5961:3.2-challenge");
  }
}

TEST_WITH(ResetsTest, Resets, OneOutsideTheWindowIsDroppedSilently,
          .claims = {"rfc9293:3.10.7.4-reset-outside-window"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  peer.Send(Rst().Seq(peer.snd_nxt - 1));
  peer.Send(Rst().Seq(peer.snd_nxt - 100'000));
  peer.Send(Rst().Seq(peer.snd_nxt + 0x4000'0000));  // no window reaches so far
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  ExpectUnharmed(connection);
}

TEST_WITH(ResetsTest, Resets, AHostThatMeetsAChallengeResetsAfterAll,
          .claims = {"rfc9293:3.10.7.4-reset"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  peer.Send(Rst().Seq(peer.snd_nxt + 1));
  Settle();
  if (peer.waiting() == 0) NotReached("no reset within the window is challenged");
  const Segment challenge = peer.Expect(ChallengeAck(peer));
  peer.Send(Rst().Seq(challenge.ack));
  ExpectGone(connection);
}

TEST_WITH(ResetsTest, Resets, OneMayCarryData, .claims = {"rfc9293:SHLD-2"}) {
  Connection connection = Connected();
  connection.peer.Send(Rst().Payload("no more of this"));
  ExpectGone(connection);
}

TEST_WITH_PEER(Resets, NothingIsSentToAnAddressThatResets, .claims = {"rfc9293:3.10.7.1-rst"}) {
  auto [socket, peer] = InState(TcpState::kClosed);
  peer.Send(Rst());
  peer.Send(Rst().With(kAck));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a reset is answered";
}

TEST_WITH_PEER(Resets, DataThatFindsNoConnectionAbortsItsSender,
               .claims = {"rfc9293:3.5.1-half-open-data", "rfc9293:MUST-12"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.Send("who are you?"), Returns(12));
  const Segment data = peer.Expect(Data("who are you?"));
  peer.Send(Rst().Seq(data.ack));
  Deciding("rfc9293:MUST-12");
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds())) << "as if the peer had closed normally";
  Deciding("rfc9293:3.5.1-half-open-data");
  ExpectStateIfShown(TcpState::kClosed, connection);
  const Segment stray = peer.Send(Ack());
  peer.Expect(Rst().Seq(stray.ack));
}

TEST_WITH_PEER(Resets, AnAbortAfterBothFinsSendsNone, .claims = {"rfc9293:3.10.5-abort-closing"}) {
  for (const TcpState state : {TcpState::kClosing, TcpState::kLastAck, TcpState::kTimeWait}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    Connection connection = InState(state);
    ASSERT_THAT(connection.socket.SetLinger(0), Succeeds());
    ASSERT_THAT(connection.socket.Close(), Succeeds());
    Settle();
    // A FIN that nobody has acknowledged may have come again by now.
    EXPECT_THAT(connection.peer.TakeArrived(), testing::IsEmpty()) << "a segment at the abort";
  }
}

// --- Other forgeries -----------------------------------------------------------------------------

// Within the window: without the mitigation of RFC 5961 it is an error, and the connection is
// reset.
TEST_WITH(ResetsTest, Resets, ASynForAConnectionIsChallengedOrEndsIt,
          .claims = {"rfc9293:3.10.7.4-challenge-ack", "rfc5961:4.2-challenge"}) {
  for (const std::uint32_t offset : {0U, 1000U}) {
    Connection connection = Connected();
    auto& [socket, peer] = connection;
    const std::uint32_t nxt = peer.snd_nxt;
    peer.Send(Syn().Seq(nxt + offset));
    peer.snd_nxt = nxt;
    Deciding("rfc9293:3.10.7.4-challenge-ack");
    const Segment answer = peer.Expect(AnySegment());
    if (answer.Has(kRst)) {
      ExpectGone(connection);
      NotTaken("rfc5961:4.2-challenge", "a SYN within the window resets the connection");
      continue;
    }
    EXPECT_TRUE(ChallengeAck(peer).Matches(answer)) << testing::PrintToString(answer);
    ExpectUnharmed(connection);
    Deciding("rfc5961:4.2-challenge");
  }
}

TEST_WITH(ResetsTest, Resets, AHostThatHasLostAConnectionEndsItByItsReset,
          .claims = {"rfc9293:3.5.1-half-open-syn"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  const std::uint32_t nxt = peer.snd_nxt;
  peer.Send(Syn().Seq(nxt - 50'000));  // a new connection, as it thinks
  const Segment challenge = peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(nxt));
  peer.Send(Rst().Seq(challenge.ack));
  ExpectGone(connection);
}

TEST_WITH(ResetsTest, Resets, AnAcknowledgmentOfWhatWasNotSentIsAnsweredAndDropped,
          .claims = {"rfc9293:3.10.7.4-future-ack"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  const std::uint32_t nxt = peer.snd_nxt;
  peer.Send(Data("forged").Ack(peer.rcv_nxt + 1000));
  peer.snd_nxt = nxt;
  peer.Expect(ChallengeAck(peer));
  ExpectUnharmed(connection);
}

// What asks for an answer that tells nothing new: empty segments from outside of the window.
TEST_WITH(ResetsTest, Resets, AnswersToInvalidSegmentsKeepTheDistanceOfTcpInvalidRatelimit,
          .claims = {"linux:tcp_invalid_ratelimit"}, .needs = {"sysctl"}) {
  const auto answers_to_three = [&](int distance_ms) {
    sut.SetSysctl("net.ipv4.tcp_invalid_ratelimit", distance_ms);
    auto [socket, peer] = Connected();
    for (int i = 0; i < 3; ++i) peer.Send(Ack().Seq(peer.snd_nxt - 1000));
    Settle();
    return peer.TakeArrived().size();
  };
  EXPECT_EQ(answers_to_three(0), 3U);
  EXPECT_EQ(answers_to_three(600'000), 1U);
}

// Without that check it is a duplicate, which can be ignored, of a segment that is taken.
TEST_WITH(ResetsTest, Resets, DataWithAnAcknowledgmentFromLongAgoIsDroppedOrTaken,
          .claims = {"rfc9293:MAY-12", "rfc9293:3.10.7.4-duplicate-ack"}) {
  Connection connection = Connected({.window = 5000});
  auto& [socket, peer] = connection;
  const std::uint32_t nxt = peer.snd_nxt;
  peer.Send(Data("forged").Ack(peer.rcv_nxt - 5001));
  const Segment answer = peer.Expect(Ack().Seq(peer.rcv_nxt));
  Deciding("rfc9293:3.10.7.4-duplicate-ack");
  if (answer.ack == nxt + 6) {
    EXPECT_THAT(socket.Receive(64), Returns("forged"));
    NotTaken("rfc9293:MAY-12", "data is taken whatever it acknowledges");
  } else {
    peer.snd_nxt = nxt;
    EXPECT_EQ(answer.ack, nxt);
    Deciding("rfc9293:MAY-12");
  }
  ExpectUnharmed(connection);
}

TEST_WITH_PEER(Resets, DataWithAnAcknowledgmentNotSoOldIsTaken,
               .claims = {"rfc9293:3.10.7.4-duplicate-ack"}) {
  auto [socket, peer] = Connected({.window = 5000});
  ASSERT_THAT(socket.Send("acknowledged"), Returns(12));
  peer.Expect(Data("acknowledged"));
  peer.Send(Ack());
  peer.Send(Data("late").Ack(peer.rcv_nxt - 12));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("late"));
}

TEST_WITH_PEER(Resets, OfASegmentThatIsPartlyOldOnlyTheNewPartIsRead,
               .claims = {"rfc9293:3.10.7.4-straddling"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("old "));
  peer.Expect(Ack().Ack(start + 4));
  peer.Send(Data("OLD new").Seq(start));
  peer.Expect(Ack().Ack(start + 7));
  EXPECT_THAT(socket.Receive(64), Returns("old new"));
}

TEST_WITH_PEER(Resets, OneInAStateAfterCloseEndsTheConnection,
               .claims = {"rfc9293:3.10.7.4-reset-closing"}) {
  for (const TcpState state : {TcpState::kFinWait1, TcpState::kFinWait2, TcpState::kCloseWait,
                               TcpState::kClosing, TcpState::kLastAck}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    Connection connection = InState(state);
    connection.peer.Send(Rst());
    const Segment stray = connection.peer.Send(Ack());
    connection.peer.Expect(Rst().Seq(stray.ack));
  }
}

TEST_WITH_PEER(Resets, AnUnacceptableSegmentIsAnswered,
               .claims = {"rfc9293:3.10.7.4-unacceptable-segment"}) {
  for (const TcpState state :
       {TcpState::kEstablished, TcpState::kFinWait2, TcpState::kCloseWait, TcpState::kTimeWait}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    auto [socket, peer] = InState(state);
    peer.Send(Data("old").Seq(peer.snd_nxt - 10'000));
    peer.Expect(Ack().Ack(peer.snd_nxt));
  }
}

// --- SYN-RECEIVED --------------------------------------------------------------------------------

TEST_WITH_PEER(Resets, AnUnacceptableAcknowledgmentInSynReceivedIsReset,
               .claims = {"rfc9293:3.10.7.4-syn-received-unacceptable-ack"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  // Of nothing. What was not sent yet RFC 5961 would answer with an ACK.
  const Segment wrong = peer.Send(Ack().Ack(peer.irs));
  peer.Expect(Rst().Seq(wrong.ack));
  peer.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), peer.local().ToString());
}

// --- LISTEN and SYN-SENT -------------------------------------------------------------------------

TEST_WITH_PEER(Resets, AListenerDropsASegmentWithoutSynAckAndRst,
               .claims = {"rfc9293:3.10.7.2-other"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  for (const TcpFlags flags : {TcpFlags(0), TcpFlags(kFin), TcpFlags(kPsh | kUrg)}) {
    peer.Send(Flags(flags));
  }
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  peer.snd_nxt = peer.iss;
  peer.Send(Syn());
  peer.Expect(SynAck().Ack(peer.snd_nxt));
}

TEST_WITH_PEER(Resets, AnAttemptToConnectDropsResetsThatDoNotAcknowledgeIt,
               .claims = {"rfc9293:3.10.7.3-reset-with-unacceptable-ack", "rfc9293:3.10.7.3-rst"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  peer.Send(Rst());
  peer.Send(Rst().With(kAck).Seq(0).Ack(peer.rcv_nxt + 1));
  peer.Send(Rst().With(kAck).Seq(0).Ack(peer.rcv_nxt - 1));
  Settle();  // a SYN may have come again by now, as Linux sends it early then; no answer may
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
  peer.Send(SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(Resets, AnAttemptToConnectDropsASegmentWithoutSynAndRst,
               .claims = {"rfc9293:3.10.7.3-other"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  peer.Send(Ack());
  peer.Send(Flags(kPsh).Payload("too early"));
  peer.Send(Flags(kFin));
  Settle();
  EXPECT_THAT(peer.TakeArrived(), testing::IsEmpty()) << "it is answered";
  peer.snd_nxt = peer.iss;
  peer.Send(SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(Resets, AsTheRfcSaysDataOnTheSynAckIsTaken, .claims = {"rfc9293:3.10.7.3-text"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  peer.Send(SynAck().Payload("welcome"));
  Settle();
  ASSERT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), Returns("welcome"));
  // The SYN may be acknowledged first, and the data a little later.
  peer.ExpectEventually(Ack().Seq(peer.rcv_nxt).Ack(peer.iss + 8));
}

TEST_WITH_PEER(Resets, AsTheRfcSaysDataOnTheSynIsKept,
               .claims = {"rfc9293:3.10.7.2-syn-with-text"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn().Payload("let me in"));
  peer.Expect(SynAck());
  peer.Send(Ack());
  Accepted accepted = listener.Accept().value();
  EXPECT_THAT(accepted.socket.Receive(64, {"MSG_DONTWAIT"}), Returns("let me in"));
}
