// When an ACK is sent: joined with others and with data, delayed, but not for long. RFC 9293
// sections 3.8.6.3 and 3.10.7.4.
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

class AcknowledgmentsTest : public PeerTest {
 protected:
  // A connection on which both ends have answered each other a few times: what acknowledges at once
  // in the beginning, as senders in slow start want it, does so no longer.
  Connection InConversation() {
    Connection connection = Connected();
    auto& [socket, peer] = connection;
    for (int rounds = 0; rounds < 20; ++rounds) {
      peer.Send(Data("question"));
      socket.Receive(64).value();
      socket.Send("answer").value();
      peer.ExpectEventually(Data("answer").Ack(peer.snd_nxt));
      peer.Send(Ack());
    }
    return connection;
  }
};

}  // namespace

TEST_WITH(
    AcknowledgmentsTest, Acknowledgments, AreDelayedByLessThanHalfASecond,
    .claims = {"rfc9293:MUST-40", "rfc5681:4.2-within-500-ms"},
    .lasts = [](const Facts&) -> Duration { return 200ms; }) {
  auto [socket, peer] = InConversation();
  for (int segments = 0; segments < 3; ++segments) {
    const Segment data = peer.Send(Data("alone"));
    const Segment ack = peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(ack.time - data.time, LastsAtMost(RfcAckDelayMaximum()));
  }
}

TEST_WITH(AcknowledgmentsTest, Acknowledgments, TravelWithAnAnswerThatComesSoon,
          .claims = {"rfc9293:SHLD-18"}) {
  auto [socket, peer] = InConversation();
  peer.Send(Data("question"));
  ASSERT_THAT(socket.Receive(64), Returns("question"));
  ASSERT_THAT(socket.Send("answer"), Returns(6));
  peer.Expect(Data("answer").Ack(peer.snd_nxt));  // and no ACK before it
}

TEST_WITH(AcknowledgmentsTest, Acknowledgments, OfManySmallSegmentsAreJoined,
          .claims = {"rfc9293:SHLD-18"}) {
  auto [socket, peer] = InConversation();
  bool are_joined = false, are_delayed = false;
  for (int pairs = 0; pairs < 10 && !are_joined; ++pairs) {
    peer.Send(Data("little"));
    Settle();  // what the system does at once it has done
    are_delayed = are_delayed || peer.waiting() == 0;
    peer.Send(Data("little"));
    int acks = 0;
    for (std::uint32_t acknowledged = 0; acknowledged != peer.snd_nxt; ++acks) {
      acknowledged = peer.Expect(Ack()).ack;
    }
    are_joined = acks == 1;
  }
  if (are_delayed && !are_joined) throw Inconclusive("each second segment came after the ACK");
  EXPECT_TRUE(are_joined) << "each has an ACK of its own";
}

TEST_WITH(AcknowledgmentsTest, Acknowledgments, ComeForEverySecondFullSegment,
          .claims = {"rfc9293:SHLD-19", "rfc5681:4.2-every-second"}) {
  auto [socket, peer] = InConversation();
  const std::string full(peer.snd_mss, 'x');  // as large as its receiver has said
  std::uint32_t acknowledged = peer.snd_nxt;
  for (int pairs = 0; pairs < 5; ++pairs) {
    // An application that reads: the window stays open.
    Pending<std::string> reading = socket.StartReceive(2 * full.size(), {"MSG_WAITALL"});
    ExpectStillBlocked(reading);
    peer.Send(Data(full));
    peer.Send(Data(full));
    EXPECT_THAT(reading.Await(), Returns(full + full));
    Settle();
    // The first may have an ACK of its own, as that of a wider window; the second may wait then.
    while (peer.waiting() > 0) acknowledged = peer.Expect(Ack()).ack;
    ASSERT_LT(peer.snd_nxt - acknowledged, 2 * full.size())
        << "two full segments without an ACK, pair " << pairs;
  }
}

// Nothing is read meanwhile, so that no window is told of that has become wider. An ACK that was
// delayed may be beside that of a later segment.
TEST_WITH_PEER(Acknowledgments, AreNoMoreThanTheSegments, .claims = {"rfc5681:4.2-one-each"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t start = peer.snd_nxt;
  std::size_t segments = 0, acks = 0;
  // In order, again, behind a gap, again, the gap filled, behind all.
  for (const std::uint32_t offset : {0U, 0U, 20U, 20U, 10U, 30U}) {
    peer.Send(Data("ten octets").Seq(start + offset));
    Settle();
    ++segments;
    acks += peer.TakeArrived().size();
    EXPECT_LE(acks, segments);
  }
}

// RFC 9293 leaves it open, RFC 5681 advises it.
TEST_WITH_PEER(Acknowledgments, OfASegmentBehindAGapComeAtOnce,
               .claims = {"rfc9293:MAY-13", "rfc5681:3.2-duplicate-ack",
                          "rfc5681:4.2-one-each"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t start = peer.snd_nxt;
  for (const std::uint32_t offset : {10U, 20U, 30U}) {
    peer.Send(Data("behind").Seq(start + offset));
    Settle();
    if (peer.waiting() == 0) NotTaken("rfc9293:MAY-13", "there is no ACK at once");
    Deciding("rfc5681:3.2-duplicate-ack");
    ASSERT_GE(peer.waiting(), 1U) << "not at once";
    peer.Expect(Ack().Ack(start));
    Deciding("rfc5681:4.2-one-each");
    EXPECT_EQ(peer.waiting(), 0U) << "more than one ACK for one segment";
    Deciding("rfc9293:MAY-13");
  }
}

TEST_WITH_PEER(Acknowledgments, AreForAllThatIsQueuedOnceAGapIsFilled,
               .claims = {"rfc9293:MUST-58", "rfc9293:MUST-59", "rfc9293:SHLD-31",
                          "rfc5681:3.2-gap-filled"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t start = peer.snd_nxt;
  for (const std::uint32_t offset : {4U, 8U, 12U}) peer.Send(Data("next").Seq(start + offset));
  Settle();
  peer.TakeArrived();  // whether these are acknowledged is another question
  peer.Send(Data("then"));
  Settle();
  Deciding("rfc5681:3.2-gap-filled");
  EXPECT_GE(peer.waiting(), 1U) << "not at once";

  Deciding("rfc9293:SHLD-31");
  std::vector<std::uint32_t> acks;
  do {
    acks.push_back(peer.Expect(Ack()).ack);
  } while (acks.back() != start + 16);
  EXPECT_THAT(socket.Receive(64), Returns("thennextnextnext"));
  Deciding("rfc9293:MUST-59");
  EXPECT_EQ(acks.front(), start + 16) << "an ACK before all was processed";
  Settle();
  Deciding("rfc9293:MUST-58");
  EXPECT_EQ(acks.size() + peer.waiting(), 1U) << "more than one ACK";
}
