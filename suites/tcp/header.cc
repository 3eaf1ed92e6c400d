// What the fields of the header mean, RFC 9293 sections 3.1 and 3.4: sequence and acknowledgment
// number, and the flags ACK, SYN and FIN.
#include <map>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

std::string Digits(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += static_cast<char>('0' + i % 10);
  return text;
}

// All reserved bits but the last one, which Accurate ECN (RFC 9768) has put to use.
constexpr std::uint8_t kReserved = 0xe;

}  // namespace

// --- The sequence number -------------------------------------------------------------------------

TEST_WITH_PEER(Header, TheSequenceNumberIsThatOfTheFirstByteCarried,
               .claims = {"rfc9293:3.1-seq-field", "rfc9293:3.1-isn", "notes:H1"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t first_byte = peer.irs + 1;

  const std::string stream = Digits(4000);  // more than two full segments
  ASSERT_THAT(socket.Send(stream), Returns(4000));
  for (std::uint32_t sent = 0; sent < stream.size();) {
    const Segment segment = peer.Expect(AnyData().Seq(first_byte + sent));
    EXPECT_EQ(segment.payload_text(), stream.substr(sent, segment.payload.size()));
    peer.Send(Ack());
    sent += static_cast<std::uint32_t>(segment.payload.size());
  }
}

TEST_WITH_PEER(Header, BytesAreReadInTheOrderOfTheirNumbers,
               .claims = {"rfc9293:3.1-seq-field", "notes:H1", "notes:H2"}) {
  auto [socket, peer] = Connected();

  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("there").Seq(start + 3));
  peer.Send(Data("hi "));
  peer.Send(Data("there"));  // in case the first one was not held
  peer.ExpectEventually(Ack().Ack(start + 8));
  EXPECT_THAT(socket.Receive(64), Returns("hi there"));
}

TEST_WITH_PEER(Header, AByteThatComesTwiceIsReadOnce,
               .claims = {"rfc9293:3.1-seq-field", "rfc9293:3.10.7.4-unacceptable-segment",
                          "notes:H1", "notes:H2"}) {
  auto [socket, peer] = Connected();

  const Segment once = peer.Send(Data("once"));
  peer.Expect(Ack().Ack(once.seq + 4));
  peer.Send(Data("once").Seq(once.seq));
  peer.Expect(Ack().Ack(once.seq + 4));
  peer.Send(Data(" only"));
  peer.Expect(Ack().Ack(once.seq + 9));
  EXPECT_THAT(socket.Receive(64), Returns("once only"));
}

TEST_WITH_PEER(Header, SequenceNumbersWrapToZero,
               .claims = {"rfc9293:3.4-modulo", "notes:H1", "notes:H2"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.iss = peer.snd_una = peer.snd_nxt = 0xffff'fffc;
  peer.Send(Syn());
  peer.Expect(SynAck().Ack(0xffff'fffd));
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;

  peer.Send(Data("012"));
  peer.Expect(Ack().Ack(0));
  peer.Send(Data("3456"));
  peer.Expect(Ack().Ack(4));
  EXPECT_THAT(socket.Receive(64), Returns("0123456"));
}

TEST_WITH_PEER(Header, TheWindowMayReachPastZero, .claims = {"rfc9293:3.4-modulo"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.iss = peer.snd_una = peer.snd_nxt = 0xffff'ff00;
  peer.Send(Syn());
  peer.Expect(SynAck().Ack(0xffff'ff01));
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;

  const std::string stream = Digits(510);
  peer.Send(Data(stream.substr(300)).Seq(peer.snd_nxt + 300));  // begins past zero
  peer.Send(Data(stream.substr(0, 300)));
  peer.Send(Data(stream.substr(300)));
  peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(1000), Returns(stream));
}

// --- The acknowledgment number -------------------------------------------------------------------

TEST_WITH_PEER(Header, TheAcknowledgmentNumberIsTheNextOneExpected,
               .claims = {"rfc9293:3.1-ack-field", "notes:H2"}) {
  auto [socket, peer] = Connected();

  const std::uint16_t largest = peer.snd_mss;
  for (const size_t length : {1, 2, largest / 2, int{largest}}) {
    const Segment data = peer.Send(Data(Digits(length)));
    peer.Expect(Ack().Ack(data.seq + static_cast<std::uint32_t>(length)));
  }
  // Data acknowledges too.
  ASSERT_THAT(socket.Send("answer"), Returns(6));
  peer.Expect(Data("answer").Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(Header, WithoutTheAckFlagNothingIsAcknowledged,
               .claims = {"rfc9293:3.1-ack-field", "rfc9293:3.10.7.4-without-ack", "notes:H3"}) {
  auto [socket, peer] = Connected();

  ASSERT_THAT(socket.Send("acknowledge me"), Returns(14));
  const Segment data = peer.Expect(Data("acknowledge me"));
  peer.Send(Flags(0).Ack(data.seq + 14));
  peer.Expect(Data("acknowledge me").Seq(data.seq));
  peer.Send(Ack());
  ASSERT_THAT(socket.Send("next"), Returns(4));
  peer.Expect(Data("next").Seq(data.seq + 14));
}

TEST_WITH_PEER(Header, DataWithoutTheAckFlagIsDropped,
               .claims = {"rfc9293:3.10.7.4-without-ack", "notes:H3"}) {
  auto [socket, peer] = Connected();

  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Flags(kPsh).Payload("dropped"));
  peer.snd_nxt = start;
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a segment without ACK is answered";

  peer.Send(Data("taken"));
  peer.Expect(Ack().Ack(start + 5));
  EXPECT_THAT(socket.Receive(64), Returns("taken"));
}

TEST_WITH_PEER(Header, TheAcknowledgmentNumberOfARequestIsNotLookedAt,
               .claims = {"rfc9293:3.1-ack-field", "notes:H3", "notes:H4"}) {
  auto [listener, peer] = InState(TcpState::kListen);

  const Segment syn = peer.Send(Syn().Ack(123'456'789));
  peer.Expect(SynAck().Ack(syn.seq + 1));
}

// --- ACK, SYN and FIN through the life of a connection -------------------------------------------

TEST_WITH_PEER(Header, EverySegmentAfterTheFirstSynAcknowledgesWhatHasArrived,
               .claims = {"rfc9293:3.1-ack-field", "notes:H2", "notes:H3"}) {
  auto [socket, peer] = Connected();  // a SYN without ACK, and an ACK of what answered it
  for (const std::string text : {"question", "another"}) {
    peer.Send(Data(text));
    ASSERT_THAT(socket.Receive(64), Returns(text));
    ASSERT_THAT(socket.Send("answer"), Returns(6));
    peer.ExpectEventually(Data("answer").Ack(peer.snd_nxt));
    const Segment acknowledged = peer.Send(Ack());
    EXPECT_EQ(acknowledged.seq, peer.snd_nxt);
  }
  peer.Send(Data("goodbye"));
  ASSERT_THAT(socket.Receive(64), Returns("goodbye"));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.ExpectEventually(Fin().Ack(peer.snd_nxt));
  peer.Send(Ack());
  peer.Send(Fin());
  peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
  EXPECT_EQ(peer.TakeArrived().size(), 0U);
}

TEST_WITH_WIRE(Header, OnlyTheFirstSegmentOfEachSideHasSyn,
               .claims = {"rfc9293:3.5-third-segment", "notes:H4"}) {
  auto [near, far] = Connected();
  ASSERT_THAT(near.Send("question"), Returns(8));
  ASSERT_THAT(far.Receive(64), Returns("question"));

  std::map<std::uint16_t, std::uint32_t> first;  // sequence number, by port
  for (const Segment& segment : wire.Seen(AnySegment())) {
    const bool is_first =
        first.emplace(segment.source.port, segment.seq).first->second == segment.seq;
    EXPECT_EQ(segment.Has(kSyn), is_first) << Describe(segment, 0, 0);
  }
}

// A slip of the notes: RFC 9293, figure 6, line 4, has no SYN there.
TEST_WITH_PEER(Header, AsTheNotesSayTheThirdSegmentHasSyn, .claims = {"notes:O3-syn"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  const Segment syn = peer.Expect(Syn());

  const Segment syn_ack = peer.Send(SynAck());
  peer.Expect(SynAck().Seq(syn.seq + 1).Ack(syn_ack.seq + 1));
}

TEST_WITH_PEER(Header, SynWithAckIsNoRequest, .claims = {"rfc9293:3.10.7.2-ack", "notes:H4"}) {
  auto [listener, peer] = InState(TcpState::kListen);

  const Segment unasked = peer.Send(SynAck().Ack(7));
  peer.Expect(Rst().Seq(unasked.ack));
}

TEST_WITH_PEER(Header, NothingNewFollowsTheFin,
               .claims = {"rfc9293:3.4-syn-and-fin-numbered", "rfc9293:3.6-close-fin",
                          "notes:H5"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("last words"), Returns(10));
  const Segment data = peer.Expect(Data("last words"));
  peer.Send(Ack());
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = peer.Expect(Fin().Seq(data.seq + 10).Payload(""));
  EXPECT_THAT(socket.Send("too late"), testing::Not(Succeeds()));

  // Whatever still comes from this side is past its FIN and empty.
  peer.Send(Data("still here").Ack(fin.seq + 1));
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(peer.snd_nxt));
  peer.Send(Fin());
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(Header, TheWindowIsThatOfItsConnectionAlone, .claims = {"rfc9293:3.3.1-snd-wnd"}) {
  auto [socket, peer] = Connected({.window = 5000});
  auto [nobody, other] = InState(TcpState::kClosed);
  for (const PartialSegment& kind : {Syn(), Fin(), Ack()}) {
    other.Send(PartialSegment(kind).Window(1));
    other.Expect(Rst());
  }
  const std::string full(peer.snd_mss, 'x');
  ASSERT_THAT(socket.Send(full), Returns(static_cast<int>(full.size())));
  std::uint32_t size = 0;
  while (size < full.size()) {
    const Segment segment = peer.Expect(AnyData().Seq(peer.rcv_nxt));
    EXPECT_GT(segment.payload.size(), 1U) << "it fills the window of another";
    size += static_cast<std::uint32_t>(segment.payload.size());
    peer.Send(Ack());
  }
}

// --- The rest of the header ----------------------------------------------------------------------

TEST_WITH_PEER(Header, TheReservedBitsAreSentAsZero, .claims = {"rfc9293:3.1-reserved"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn());
  std::vector<Segment> segments = {peer.Expect(SynAck())};
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;
  ASSERT_THAT(socket.Send("question"), Returns(8));
  segments.push_back(peer.Expect(Data("question")));
  peer.Send(Data("answer"));
  segments.push_back(peer.Expect(Ack()));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  segments.push_back(peer.Expect(Fin()));
  auto [opener, acceptor] = InState(TcpState::kClosed);
  acceptor.Send(Ack());
  segments.push_back(acceptor.Expect(Rst()));
  for (const Segment& segment : segments) {
    EXPECT_EQ(segment.reserved & kReserved, 0) << Describe(segment, 0, 0);
  }
}

TEST_WITH_PEER(Header, TheReservedBitsAreIgnored, .claims = {"rfc9293:3.1-reserved"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn().ReservedBits(kReserved));
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  peer.Send(Ack().ReservedBits(kReserved));
  Socket socket = listener.Accept().value().socket;
  peer.Send(Data("data").ReservedBits(kReserved));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("data"));
}

TEST_WITH_PEER(Header, TheDataBeginsWhereTheOffsetSays, .claims = {"rfc9293:3.1-data-offset"}) {
  auto [socket, peer] = Connected();
  for (const size_t octets : {0U, 4U, 20U, 40U}) {
    const std::string text = std::to_string(octets) + " octets of options";
    peer.Send(Data(text).RawOptions(Bytes(octets, tcp_option::kNop)));
    peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns(text));
  }
}

TEST_WITH_PEER(Header, ADataOffsetThatCannotBeIsNotTaken, .claims = {"rfc9293:3.1-data-offset"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("within the header").Seq(start).DataOffset(4));
  peer.snd_nxt = start;
  peer.Send(Data("past the end").Seq(start).DataOffset(15));
  peer.snd_nxt = start;
  peer.Send(Data("right"));
  peer.Expect(Ack().Ack(start + 5));
  EXPECT_THAT(socket.Receive(64), Returns("right"));
}
