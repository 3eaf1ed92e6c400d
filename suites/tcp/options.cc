// Options, RFC 9293 sections 3.1 and 3.2: where they may be, how they are told apart, and what
// becomes of those that nobody knows or that are malformed.
#include <algorithm>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

// An option that IANA has assigned to nobody.
TcpOption Unknown(std::uint8_t kind = 200) { return {kind, {0xc0, 0xff, 0xee}}; }

// Of an MSS in a list with room for two octets of it.
constexpr std::uint8_t kIllegalLengths[] = {0, 1, 3, 255};

class OptionsTest : public PeerTest {
 protected:
  static constexpr std::uint16_t kSmallMss = 300;

  // How long the first segment is that a connection sends whose peer has these octets as the
  // options of its SYN.
  size_t SegmentSizeWith(const Bytes& options) {
    auto [listener, peer] = InState(TcpState::kListen);
    peer.Send(Syn().RawOptions(options));
    peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack());
    Socket socket = listener.Accept().value().socket;
    socket.Send(std::string(4000, 'x')).value();
    return peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size();
  }

  static Bytes MssOctets() { return {tcp_option::kMss, 4, kSmallMss >> 8, kSmallMss & 0xff}; }

  static Bytes Joined(Bytes one, const Bytes& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
  }

  // A connection whose SYN offers whatever the system under test has options for, with some data
  // each way: every segment that it sent.
  std::vector<Segment> SegmentsWithEveryOption() {
    const std::vector<TcpOption> all = {tcp_option::Mss(1200), tcp_option::SackPermitted(),
                                        tcp_option::Timestamps(ScriptedTcp::TimestampNow(), 0),
                                        tcp_option::WindowScale(7)};
    auto [listener, peer] = InState(TcpState::kListen);
    peer.syn_options = all;
    peer.Send(Syn());
    std::vector<Segment> segments = {peer.Expect(SynAck())};
    peer.Send(Ack());
    Socket socket = listener.Accept().value().socket;
    const std::uint32_t start = peer.snd_nxt;
    peer.Send(Data("behind a gap").Seq(start + 4));
    Settle();
    for (const Segment& ack : peer.TakeArrived()) segments.push_back(ack);  // if there is one
    peer.Send(Data("gap "));
    peer.Send(Data("behind a gap"));
    segments.push_back(peer.ExpectEventually(Ack().Ack(start + 16)));
    socket.Send("answer").value();
    segments.push_back(peer.ExpectEventually(Data("answer")));
    peer.Send(Ack());
    socket.Shutdown("SHUT_WR").value();
    segments.push_back(peer.Expect(Fin()));

    ScriptedTcp& acceptor = host.Listen(ip, 80);
    Socket opener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    opener.Connect(acceptor.local());  // EINPROGRESS
    segments.push_back(acceptor.Expect(Syn()));
    return segments;
  }
};

}  // namespace

// --- What is received ----------------------------------------------------------------------------

TEST_WITH(OptionsTest, Options, TheMssIsFoundAmongNoOperations,
          .claims = {"rfc9293:MUST-4", "rfc9293:MUST-14"}) {
  const Bytes nops(4, tcp_option::kNop);
  EXPECT_LE(SegmentSizeWith(Joined(nops, MssOctets())), kSmallMss);
  EXPECT_LE(SegmentSizeWith(Joined(MssOctets(), nops)), kSmallMss);
}

TEST_WITH(OptionsTest, Options, WhatFollowsTheEndOfTheListIsNoOption,
          .claims = {"rfc9293:MUST-4"}) {
  EXPECT_LE(SegmentSizeWith(Joined(MssOctets(), {tcp_option::kEnd})), kSmallMss);
  const Bytes behind_the_end = Joined({tcp_option::kEnd}, MssOctets());
  EXPECT_GT(SegmentSizeWith(behind_the_end), kSmallMss);
}

TEST_WITH(OptionsTest, Options, TheyNeedNotBeginOnAWordBoundary, .claims = {"rfc9293:MUST-64"}) {
  for (const size_t offset : {0U, 1U, 2U, 3U, 5U}) {
    const Bytes before(offset, tcp_option::kNop);
    EXPECT_LE(SegmentSizeWith(Joined(before, MssOctets())), kSmallMss) << "at octet " << offset;
  }
}

TEST_WITH(OptionsTest, Options, AnUnknownOneBeforeAnotherIsSteppedOver,
          .claims = {"rfc9293:MUST-6"}) {
  const Bytes unknown = {200, 5, 0xc0, 0xff, 0xee};
  EXPECT_LE(SegmentSizeWith(Joined(unknown, MssOctets())), kSmallMss);
  EXPECT_LE(SegmentSizeWith(Joined({200, 2}, MssOctets())), kSmallMss) << "one without data";
}

TEST_WITH_PEER(Options, AnUnknownOneIsIgnoredInEverySegment,
               .claims = {"rfc9293:MUST-5", "rfc9293:MUST-6"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn().Option(Unknown()));
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  peer.Send(Ack().Option(Unknown()));
  Socket socket = listener.Accept().value().socket;

  peer.Send(Data("data").Option(Unknown(77)));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("data"));
  ASSERT_THAT(socket.Send("more"), Returns(4));
  const Segment more = peer.Expect(Data("more"));
  peer.Send(Ack().Option(Unknown(111)));
  peer.Send(Fin().Option(Unknown()));
  peer.Expect(Ack().Seq(more.seq + 4).Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
}

TEST_WITH_PEER(Options, AnUnknownOneDoesNotDisarmAReset,
               .claims = {"rfc9293:MUST-5", "rfc9293:MUST-6"}) {
  auto [socket, peer] = Connected();
  peer.Send(Rst().Option(Unknown()));
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}

TEST_WITH_PEER(Options, AnUnknownOneIsIgnoredInWhatAnswersASyn,
               .claims = {"rfc9293:MUST-5", "rfc9293:MUST-6"}) {
  auto [opening, acceptor] = InState(TcpState::kSynSent);
  acceptor.Send(SynAck().Option(Unknown()));
  acceptor.Expect(Ack().Ack(acceptor.snd_nxt));
  EXPECT_EQ(ErrnoName(opening.TakeError()), ErrnoName(0));

  ScriptedTcp& refuser = host.Listen(ip, 82);
  Socket refused = sut.NewSocket(ip);
  Pending<int> connecting = refused.StartConnect(refuser.local());
  refuser.Expect(Syn());
  refuser.Send(Rst().With(kAck).Seq(0).Option(Unknown()));
  EXPECT_THAT(connecting.Await(), testing::Not(Succeeds()));
}

TEST_WITH_PEER(Options, TheMssIsAcceptedInASegmentThatIsNoSyn, .claims = {"rfc9293:MUST-5"}) {
  auto [socket, peer] = Connected();
  peer.Send(Data("with MSS").Option(tcp_option::Mss(600)));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("with MSS"));
}

// The RFC suggests a reset, and leaves the choice: whatever becomes of the segment and of its
// connection, only data that was acknowledged must be there.
TEST_WITH_PEER(Options, AnIllegalLengthHarmsOnlyItsConnection, .claims = {"rfc9293:MUST-7"}) {
  for (const std::uint8_t length : kIllegalLengths) {
    SCOPED_TRACE(int{length});
    auto [socket, peer] = Connected();
    peer.Send(Data("odd").RawOptions({tcp_option::kNop, tcp_option::kMss, length, 9}));
    Settle();
    const std::vector<Segment> answers = peer.TakeArrived();
    const bool taken = !answers.empty() && Ack().Ack(peer.snd_nxt).Matches(answers.back());
    if (taken) {
      EXPECT_THAT(socket.Receive(64), Returns("odd"));
    }
  }
  auto [socket, peer] = Connected();
  peer.Send(Data("even"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("even"));
}

TEST_WITH_PEER(Options, AnIllegalLengthInASynHarmsNoOther, .claims = {"rfc9293:MUST-7"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  for (const std::uint8_t length : kIllegalLengths) {
    ScriptedTcp& odd = host.Towards(*peer.remote(), NextPort());
    odd.Send(Syn().RawOptions({tcp_option::kNop, tcp_option::kMss, length, 9}));
  }
  peer.Send(Syn());
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  peer.Send(Ack());
  EXPECT_THAT(listener.Accept(), Succeeds());
}

// --- What is sent --------------------------------------------------------------------------------

TEST_WITH(OptionsTest, Options, EveryOneThatIsSentHasALength, .claims = {"rfc9293:MUST-68"}) {
  for (const Segment& segment : SegmentsWithEveryOption()) {
    const Bytes& area = segment.option_area;
    for (size_t at = 0; at < area.size() && area[at] != tcp_option::kEnd;) {
      if (area[at] == tcp_option::kNop) {
        ++at;
        continue;
      }
      ASSERT_LT(at + 1, area.size()) << Describe(segment, 0, 0);
      ASSERT_GE(area[at + 1], 2) << Describe(segment, 0, 0);
      at += area[at + 1];
      ASSERT_LE(at, area.size()) << Describe(segment, 0, 0);
    }
  }
}

TEST_WITH(OptionsTest, Options, OnlyZerosFollowTheEndOfAListThatIsSent,
          .claims = {"rfc9293:MUST-69"}) {
  for (const Segment& segment : SegmentsWithEveryOption()) {
    const Bytes& area = segment.option_area;
    size_t at = 0;
    for (const TcpOption& option : segment.options) {
      at += option.kind == tcp_option::kNop ? 1 : 2 + option.data.size();
    }
    EXPECT_TRUE(std::all_of(area.begin() + static_cast<long>(at), area.end(),
                            [](std::uint8_t octet) { return octet == 0; }))
        << Describe(segment, 0, 0);
  }
}

TEST_WITH(OptionsTest, Options, TheMssIsInSynsAndNowhereElse,
          .claims = {"rfc9293:MUST-65", "rfc9293:MUST-14", "rfc9293:SHLD-5"}) {
  for (const Segment& segment : SegmentsWithEveryOption()) {
    const bool has_mss = segment.FindOption(tcp_option::kMss) != nullptr;
    if (!segment.Has(kSyn)) {
      Deciding("rfc9293:MUST-65");
      EXPECT_FALSE(has_mss) << Describe(segment, 0, 0);
      continue;
    }
    Deciding("rfc9293:MUST-14");
    EXPECT_TRUE(has_mss) << Describe(segment, 0, 0);
    Deciding("rfc9293:SHLD-5");
    EXPECT_TRUE(has_mss) << Describe(segment, 0, 0);
  }
}
