// More accurate feedback of congestion, RFC 9768: how both ends agree on it, the counter of marks
// in the ACE field and those of octets in the AccECN option. Sections are those of its last draft,
// draft-ietf-tcpm-accurate-ecn-34. Where a system cannot be told to use it, nothing is judged.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// The ECN field of an IP header, and how SYN,ACKs (Table 2) and the first ACK of a client (Table 3)
// say that the segment before came with it.
struct EcnFieldRow {
  const char* name;
  std::uint8_t codepoint;
  int fed_back;
};
constexpr EcnFieldRow kEachEcnField[] = {
    {"not-ect", 0, 0b010}, {"ect-1", 1, 0b011}, {"ect-0", 2, 0b100}, {"ce", 3, 0b110}};

class AccurateEcnTest : public FlightTest {
 protected:
  static constexpr int kInitialCep = 5;  // section 3.2.1: r.cep and s.cep
  static constexpr int kAsks = 0b111, kAsksForClassic = 0b011, kGrantsClassic = 0b001;

  // AE, CWR and ECE as one number: the ACE field.
  static int Ace(const Segment& segment) {
    return (segment.reserved & 1) << 2 | (segment.Has(kCwr) ? 2 : 0) | (segment.Has(kEce) ? 1 : 0);
  }
  static PartialSegment WithAce(PartialSegment segment, int ace) {
    segment.Without(kEce | kCwr).ReservedBits(static_cast<std::uint8_t>(ace >> 2 & 1));
    if ((ace & 2) != 0) segment.With(kCwr);
    if ((ace & 1) != 0) segment.With(kEce);
    return segment;
  }
  // What a peer in AccECN mode sends that has got so many marks.
  static PartialSegment Fed(const PartialSegment& segment, int marks = 0) {
    return WithAce(segment, (kInitialCep + marks) & 7);
  }
  static bool IsGrant(int ace) {
    return std::any_of(std::begin(kEachEcnField), std::end(kEachEcnField),
                       [&](const EcnFieldRow& row) { return row.fed_back == ace; });
  }
  static int FedBack(const Segment& segment) {
    return kEachEcnField[segment.traffic_class & 3].fed_back;
  }

  // The counters of an AccECN option; nothing where there is none.
  struct Counters {
    std::optional<std::uint32_t> e0b, ceb, e1b;
  };
  static const TcpOption* AccurateEcnOption(const Segment& segment) {
    const TcpOption* option = segment.FindOption(tcp_option::kAccurateEcn0);
    return option != nullptr ? option : segment.FindOption(tcp_option::kAccurateEcn1);
  }
  static Counters CountersOf(const TcpOption& option) {
    std::array<std::optional<std::uint32_t>, 3> fields;
    for (std::size_t i = 0; i < 3 && 3 * i + 3 <= option.data.size(); ++i) {
      const auto octet = [&](std::size_t j) { return std::uint32_t{option.data[3 * i + j]}; };
      fields[i] = octet(0) << 16 | octet(1) << 8 | octet(2);
    }
    if (option.kind == tcp_option::kAccurateEcn1) std::swap(fields[0], fields[2]);
    return {fields[0], fields[1], fields[2]};
  }
  // That of a peer that has got nothing yet.
  static TcpOption InitialOption() {
    return tcp_option::AccurateEcn(tcp_option::kAccurateEcn0, {1, 0, 1});
  }

  // Linux before AccECN takes any number for tcp_ecn.
  void SetTcpEcn(int value) {
    sut.SetSysctl("net.ipv4.tcp_ecn_option_beacon", 3);  // the default; a SKIP where there is none
    sut.SetSysctl("net.ipv4.tcp_ecn", value);
  }

  // The answer of a new listener where incoming connections get AccECN.
  Segment AnswerTo(const PartialSegment& syn, int tcp_ecn = 3) {
    SetTcpEcn(tcp_ecn);
    listening.emplace(InState(TcpState::kListen));
    listening->peer.Send(syn);
    return listening->peer.Expect(SynAck().Ack(listening->peer.snd_nxt));
  }

  // A connection by accept() in AccECN mode, whose peer has the `options` in its SYN and these in
  // its first ACK, which has `ace` instead of what the SYN,ACK asks for.
  Connection Accepted(const std::vector<TcpOption>& options = {},
                      const std::vector<TcpOption>& ack_options = {},
                      std::optional<int> ace = std::nullopt) {
    SetTcpEcn(3);
    Connection connection = InState(TcpState::kListen);
    ScriptedTcp& peer = connection.peer;
    peer.syn_options = {tcp_option::Mss(kMss)};
    for (const TcpOption& option : options) peer.syn_options.push_back(option);
    peer.Send(WithAce(Syn(), kAsks));
    const Segment syn_ack = peer.Expect(SynAck().Ack(peer.snd_nxt));
    if (!IsGrant(Ace(syn_ack))) NotReached("it does not grant AccECN");
    PartialSegment ack = WithAce(Ack(), ace.value_or(FedBack(syn_ack)));
    for (const TcpOption& option : ack_options) ack.Option(option);
    peer.Send(ack);
    connection.socket = connection.socket.Accept().value().socket;
    return connection;
  }

  // The SYN of a connect() that asks for AccECN.
  ScriptedTcp& Asks(int tcp_ecn = 3) {
    SetTcpEcn(tcp_ecn);
    ScriptedTcp& peer = host.Listen(ip, NextPort());
    connecting.emplace(sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"}));
    connecting->Connect(peer.local());  // EINPROGRESS
    return peer;
  }
  // A connection by connect(), of which this is the SYN,ACK.
  ScriptedTcp& Answered(const PartialSegment& syn_ack) {
    ScriptedTcp& peer = Asks();
    if (Ace(peer.Expect(Syn())) != kAsks) NotReached("it does not ask for AccECN");
    peer.Send(syn_ack);
    first_ack = peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    return peer;
  }

  // The counter of marks that it feeds back, once it was told of nothing else.
  int CounterOf(ScriptedTcp& peer) {
    peer.Send(Fed(Data("counted?")));
    return Ace(peer.Expect(Ack().Ack(peer.snd_nxt)));
  }
  // It is in AccECN mode: a mark is counted, not echoed.
  void ExpectCounting(ScriptedTcp& peer, SourceLocation where = SourceLocation::Current()) {
    peer.Send(Fed(Data("marked")).Ce());
    const int ace = Ace(peer.Expect(Ack().Ack(peer.snd_nxt), Within(kPatience), where));
    EXPECT_EQ(ace, kInitialCep + 1) << "the ACE field after one mark";
  }
  // It sends its data as Not-ECT.
  static void ExpectNotEct(Socket& socket, ScriptedTcp& peer) {
    socket.Send("capable?").value();
    EXPECT_TRUE(AnyData().NotEct().Matches(peer.Expect(Data("capable?")))) << "it is ECN-capable";
  }

  // The window has grown until so many segments are in flight, by a peer that has got no marks.
  std::uint32_t FlightOf(Connection& connection, std::uint32_t segments) {
    ChooseRfc5681(connection.socket);
    WriteMuch(connection);
    Begin(connection);
    return Grow(connection, segments, Fed(Ack()));
  }

  // The option of a peer that has got `octets_` with ECT(0) or ECT(1), as they were sent, and then
  // `marks` segments with CE and as many without; of its data the first `length` octets, with
  // padding behind the counters.
  static constexpr std::uint32_t kMany = 16;  // segments that one ACK is for
  using OptionMaker = std::function<TcpOption(std::uint32_t before, bool ect1)>;
  static OptionMaker OptionOf(std::uint8_t kind, std::uint32_t marks, std::size_t length) {
    return [=](std::uint32_t before, bool ect1) {
      const std::uint32_t ect = 1 + before + (kMany - marks) * kMss, ce = marks * kMss;
      std::vector<std::uint32_t> counters = {ect1 ? 1 : ect, ce, ect1 ? ect : 1};
      if (kind == tcp_option::kAccurateEcn1) std::swap(counters[0], counters[2]);
      TcpOption option = tcp_option::AccurateEcn(kind, counters);
      option.data.resize(length);
      return option;
    };
  }
  // A new connection, of which sixteen segments in flight are acknowledged at once by such an ACK:
  // whether less is in flight then.
  bool IsReducedBy(const OptionMaker& option, int marks) {
    Connection connection = Accepted({}, {InitialOption()});
    ChooseRfc5681(connection.socket);
    WriteMuch(connection, 100 * kMss);
    const std::uint32_t start = Begin(connection);
    Settle();
    const std::vector<Segment> first = connection.peer.TakeArrived();
    if (first.empty() || AnyData().NotEct().Matches(first.front())) {
      NotReached("data is sent as not ECN-capable");
    }
    const bool ect1 = AnyData().Ect1().Matches(first.front());
    // Up to sixteen segments, by ACKs of one each.
    while (in_flight(connection) < kMany * kMss) {
      if (acknowledged() - start > 40 * kMss) NotReached("so much is never in flight");
      const std::uint32_t got = acknowledged() + kMss - start;
      const std::vector<std::uint32_t> counters = {ect1 ? 1 : 1 + got, 0, ect1 ? 1 + got : 1};
      Acknowledge(connection, kMss,
                  Fed(Ack()).Option(tcp_option::AccurateEcn(tcp_option::kAccurateEcn0, counters)));
      FlightSize(connection);
    }
    const std::uint32_t flight = in_flight(connection);
    Acknowledge(connection, kMany * kMss,
                Fed(Ack(), marks).Option(option(acknowledged() - start, ect1)));
    return FlightSize(connection) < flight;
  }

  std::optional<Connection> listening;
  std::optional<Socket> connecting;
  Segment first_ack;
};

// SYNs that are neither 000, 011 nor 111 (section 3.1.3).
struct ReservedSynRow {
  const char* name;
  int flags;
};
constexpr ReservedSynRow kEachReservedSyn[] = {
    {"001", 1}, {"010", 2}, {"100", 4}, {"101", 5}, {"110", 6}};

// How much of the counters of an AccECN option is there (section 3.2.3), and how many marks are fed
// back with it: without the counter of CE in it, as many as the ACE field can tell.
struct OptionLengthRow {
  const char* name;
  std::size_t length;  // of its data, in octets
  std::uint32_t marks;
};
constexpr OptionLengthRow kEachOptionLength[] = {
    {"2", 0, 1}, {"4", 2, 1},  {"5", 3, 1},  {"7", 5, 1},   {"8", 6, 8},
    {"9", 7, 8}, {"10", 8, 8}, {"11", 9, 8}, {"12", 10, 8}, {"14", 12, 8}};

}  // namespace

// --- What a client asks for
// -------------------------------------------------------------------------

TEST_WITH(AccurateEcnTest, AccurateEcn, ASynAsksByAllThreeFlagsAndNoOption,
          .claims = {"rfc9768:3.1.1-syn", "rfc9768:3.2.3.2.1-not-on-syn", "linux:tcp_ecn-accurate"},
          .needs = {"sysctl"}) {
  const Segment syn = Asks().Expect(Syn());
  for (const char* claim : {"linux:tcp_ecn-accurate", "rfc9768:3.1.1-syn"}) {
    Deciding(claim);
    EXPECT_EQ(Ace(syn), kAsks);
  }
  Deciding("rfc9768:3.2.3.2.1-not-on-syn");
  EXPECT_EQ(AccurateEcnOption(syn), nullptr);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, WhatASynAsksForIsSetByTcpEcn,
          .claims = {"linux:tcp_ecn-accurate"}, .needs = {"sysctl"}) {
  for (const auto& [tcp_ecn, flags] : {std::pair(4, kAsksForClassic), std::pair(5, 0)}) {
    SCOPED_TRACE("tcp_ecn=" + std::to_string(tcp_ecn));
    EXPECT_EQ(Ace(Asks(tcp_ecn).Expect(Syn())), flags);
  }
}

TEST_WITH(
    AccurateEcnTest, AccurateEcn, ASynThatIsSentAgainAsksForTheSameOrForNothing,
    .claims = {"rfc9768:3.1.5-not-both-syns", "rfc9768:3.1.3-three-syns",
               "rfc9768:3.1.4.1-same-isn"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 7s; }) {
  ScriptedTcp& peer = Asks();
  const Segment first = peer.Expect(Syn());
  if (Ace(first) != kAsks) NotReached("it does not ask for AccECN");
  for (int times = 0; times < 3; ++times) {
    const Segment again = peer.Expect(Syn(), OpeningPatience());
    Deciding("rfc9768:3.1.5-not-both-syns");
    EXPECT_NE(Ace(again), kAsksForClassic);
    Deciding("rfc9768:3.1.3-three-syns");
    EXPECT_TRUE(Ace(again) == kAsks || Ace(again) == kAsksForClassic || Ace(again) == 0)
        << Ace(again);
    Deciding("rfc9768:3.1.4.1-same-isn");
    EXPECT_EQ(again.seq, first.seq);
  }
}

TEST_WITH(
    AccurateEcnTest, AccurateEcn, TheFirstSynThatIsSentAgainAsksAgain,
    .claims = {"rfc9768:3.1.4.1-asks-again"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  ScriptedTcp& peer = Asks();
  const Segment first = peer.Expect(Syn());
  if (Ace(first) != kAsks) NotReached("it does not ask for AccECN");
  EXPECT_EQ(Ace(peer.Expect(Syn().Seq(first.seq), OpeningPatience())), kAsks);
}

// --- What a server grants
// ---------------------------------------------------------------------------

TEST_WITH(AccurateEcnTest, AccurateEcn, ASynAckFeedsBackTheEcnFieldOfTheSyn,
          .claims = {"rfc9768:3.1.1-syn-ack", "linux:tcp_ecn-accurate"}, .needs = {"sysctl"},
          .rows = kEachEcnField) {
  const EcnFieldRow& field = RowOf(kEachEcnField);
  for (const int tcp_ecn : {3, 4, 5}) {
    SCOPED_TRACE("tcp_ecn=" + std::to_string(tcp_ecn));
    const int answer = Ace(AnswerTo(WithAce(Syn(), kAsks).TrafficClass(field.codepoint), tcp_ecn));
    Deciding("linux:tcp_ecn-accurate");
    EXPECT_TRUE(IsGrant(answer)) << answer;
    Deciding("rfc9768:3.1.1-syn-ack");
    EXPECT_EQ(answer, field.fed_back);
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, WithTcpEcnOfTheClassicOneIsTheMostThatIsGranted,
          .claims = {"linux:tcp_ecn-accurate"}, .needs = {"sysctl"}) {
  SetTcpEcn(3);  // it has AccECN
  for (const int tcp_ecn : {1, 2}) {
    SCOPED_TRACE("tcp_ecn=" + std::to_string(tcp_ecn));
    EXPECT_EQ(Ace(AnswerTo(WithAce(Syn(), kAsks), tcp_ecn)), kGrantsClassic);
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, WhoAsksForTheClassicOneOrForNothingGetsNoMore,
          .claims = {"rfc9768:3.1.1-not-asked", "rfc9768:3.1.2-classic-client",
                     "rfc9768:3.1.2-no-ecn-client"},
          .needs = {"sysctl"}) {
  const int classic = Ace(AnswerTo(WithAce(Syn(), kAsksForClassic)));
  const int none = Ace(AnswerTo(Syn()));
  Deciding("rfc9768:3.1.1-not-asked");
  EXPECT_FALSE(IsGrant(classic) || IsGrant(none));
  Deciding("rfc9768:3.1.2-classic-client");
  EXPECT_TRUE(classic == kGrantsClassic || classic == 0) << classic;
  Deciding("rfc9768:3.1.2-no-ecn-client");
  EXPECT_EQ(none, 0);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, OtherFlagsOfASynAskForItToo,
          .claims = {"rfc9768:3.1.3-reserved-syn"}, .needs = {"sysctl"}, .rows = kEachReservedSyn) {
  const int flags = RowOf(kEachReservedSyn).flags;
  EXPECT_EQ(Ace(AnswerTo(WithAce(Syn(), flags))), kEachEcnField[0].fed_back);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AnOptionOnASynIsIgnored,
          .claims = {"rfc9768:3.2.3.2.1-ignored"}, .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted({tcp_option::AccurateEcn(tcp_option::kAccurateEcn0, {0, 0, 0})});
  ExpectCounting(peer);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TheFieldOfTheSynThatCameLastIsFedBack,
          .claims = {"rfc9768:3.1.5-latest"}, .needs = {"sysctl"}) {
  const Segment first = AnswerTo(WithAce(Syn(), kAsks));
  if (!IsGrant(Ace(first))) NotReached("it does not grant AccECN");
  ScriptedTcp& peer = listening->peer;
  peer.Send(WithAce(Syn(), kAsks).Seq(peer.iss).Ce());
  const Segment again = peer.Expect(SynAck().Seq(first.seq).Ack(peer.snd_nxt));
  EXPECT_EQ(Ace(again), kEachEcnField[3].fed_back);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AServerDoesNotSwitchItsMode,
          .claims = {"rfc9768:3.1.5-plain-syn", "rfc9768:3.1.5-not-both-syn-acks",
                     "rfc9768:3.1.5-not-switched", "rfc9768:3.1.5-plain-syn-no-ect"},
          .needs = {"sysctl"}) {
  const Segment first = AnswerTo(WithAce(Syn(), kAsks));
  if (!IsGrant(Ace(first))) NotReached("it does not grant AccECN");
  ScriptedTcp& peer = listening->peer;
  peer.Send(Syn().Seq(peer.iss));
  const int again = Ace(peer.Expect(SynAck().Seq(first.seq).Ack(peer.snd_nxt)));
  Deciding("rfc9768:3.1.5-plain-syn");
  EXPECT_TRUE(IsGrant(again) || again == 0) << again;
  Deciding("rfc9768:3.1.5-not-both-syn-acks");
  EXPECT_NE(again, kGrantsClassic);
  peer.Send(WithAce(Ack(), FedBack(first)));
  Socket socket = listening->socket.Accept().value().socket;
  Deciding("rfc9768:3.1.5-not-switched");
  ExpectCounting(peer);
  Deciding("rfc9768:3.1.5-plain-syn-no-ect");
  ExpectNotEct(socket, peer);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, ASynForEachKindOfEcnResetsTheConnection,
          .claims = {"rfc9768:3.1.5-reset-both-syns"}, .needs = {"sysctl"}) {
  const Segment first = AnswerTo(WithAce(Syn(), kAsks));
  if (!IsGrant(Ace(first))) NotReached("it does not grant AccECN");
  ScriptedTcp& peer = listening->peer;
  peer.Send(WithAce(Syn(), kAsksForClassic).Seq(peer.iss));
  peer.Expect(Rst());
}

// --- What a client makes of the answer
// --------------------------------------------------------------

TEST_WITH(AccurateEcnTest, AccurateEcn, TheFirstAckFeedsBackTheEcnFieldOfTheSynAck,
          .claims = {"rfc9768:3.2.2.1-handshake", "rfc9768:3.2.2.1-again"}, .needs = {"sysctl"},
          .rows = kEachEcnField) {
  const EcnFieldRow& field = RowOf(kEachEcnField);
  const PartialSegment syn_ack =
      WithAce(SynAck(), kEachEcnField[0].fed_back).TrafficClass(field.codepoint);
  ScriptedTcp& peer = Answered(syn_ack);
  Deciding("rfc9768:3.2.2.1-handshake");
  EXPECT_EQ(Ace(first_ack), field.fed_back);
  Deciding("rfc9768:3.2.2.1-again");
  peer.Send(PartialSegment(syn_ack).Seq(peer.iss));
  EXPECT_EQ(Ace(peer.Expect(Ack().Ack(peer.snd_nxt))), field.fed_back);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AMarkOfTheSynAckIsCounted,
          .claims = {"rfc9768:3.2.2.2-syn-ack-ce"}, .needs = {"sysctl"}) {
  ScriptedTcp& peer = Answered(WithAce(SynAck(), kEachEcnField[0].fed_back).Ce());
  EXPECT_EQ(CounterOf(peer), kInitialCep + 1);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, ASynAckWithAReservedCombinationGrantsIt,
          .claims = {"rfc9768:3.1.3-reserved-syn-ack"}, .needs = {"sysctl"}) {
  ScriptedTcp& peer = Answered(WithAce(SynAck(), 0b101));
  ExpectCounting(peer);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AClientFallsBackToTheClassicOne,
          .claims = {"rfc9768:3.1.2-classic-server"}, .needs = {"sysctl"}) {
  ScriptedTcp& peer = Answered(WithAce(SynAck(), kGrantsClassic));
  peer.Send(Data("marked").Ce());
  EXPECT_EQ(Ace(peer.Expect(Ack().Ack(peer.snd_nxt))), 0b001) << "an echo";
  peer.Send(Data("not marked").Ect0());
  EXPECT_EQ(Ace(peer.Expect(Ack().Ack(peer.snd_nxt))), 0b001) << "an echo";
  peer.Send(Data("understood").With(kCwr).Ect0());
  EXPECT_EQ(Ace(peer.Expect(Ack().Ack(peer.snd_nxt))), 0) << "no echo";
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AClientFallsBackToNone,
          .claims = {"rfc9768:3.1.2-no-ecn-server", "rfc9768:3.1.5-not-ecn-no-ect"},
          .needs = {"sysctl"}) {
  for (const int flags : {0b000, 0b111}) {
    SCOPED_TRACE("a SYN,ACK with " + std::to_string(flags));
    ScriptedTcp& peer = Answered(WithAce(SynAck(), flags));
    peer.Send(Data("marked").Ce());
    const int ace = Ace(peer.Expect(Ack().Ack(peer.snd_nxt)));
    Deciding("rfc9768:3.1.2-no-ecn-server");
    EXPECT_EQ(ace, 0) << "ECN goes on";
    Deciding("rfc9768:3.1.5-not-ecn-no-ect");
    ExpectNotEct(*connecting, peer);
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AClientDoesNotSwitchItsMode,
          .claims = {"rfc9768:3.1.5-not-switched"}, .needs = {"sysctl"}) {
  ScriptedTcp& peer = Answered(WithAce(SynAck(), kEachEcnField[0].fed_back));
  peer.Send(SynAck().Seq(peer.iss));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  ExpectCounting(peer);
}

// The answer feeds back the field of the SYN that crossed, and is none of a client's.
TEST_WITH(AccurateEcnTest, AccurateEcn, ASynThatCrossesAnotherIsAnsweredAsByAServer,
          .claims = {"rfc9768:3.1.2-simultaneous"}, .needs = {"sysctl"}, .rows = kEachEcnField) {
  const EcnFieldRow& field = RowOf(kEachEcnField);
  ScriptedTcp& peer = Asks();
  if (Ace(peer.Expect(Syn())) != kAsks) NotReached("it does not ask for AccECN");
  peer.Send(WithAce(Syn(), kAsks).TrafficClass(field.codepoint));
  const Segment syn_ack = peer.Expect(AnySegment());
  if (!syn_ack.Has(kSyn) || !syn_ack.Has(kAck)) NotReached("it does not answer SYNs that cross");
  EXPECT_EQ(Ace(syn_ack), field.fed_back);
  peer.Send(WithAce(Ack(), FedBack(syn_ack)));
  ExpectCounting(peer);
}

// By an option of servers that makes Linux wait for data to send along with the ACK (RFC 9768
// section 3.2.2.1 is of such clients).
TEST_WITH(AccurateEcnTest, AccurateEcn, AClientThatHasDataSendsAPureAckBefore,
          .claims = {"rfc9768:3.2.2.1-data"}, .needs = {"sysctl"}) {
  SetTcpEcn(3);
  ScriptedTcp& peer = host.Listen(ip, NextPort());
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  try {
    (void)socket.SetOption("TCP_DEFER_ACCEPT", 1);
  } catch (const Skip&) {  // it has no such option
  }
  socket.Connect(peer.local());  // EINPROGRESS
  if (Ace(peer.Expect(Syn())) != kAsks) NotReached("it does not ask for AccECN");
  peer.Send(WithAce(SynAck(), kEachEcnField[0].fed_back).Ce());
  Settle();
  socket.Send("at once").value();
  const Segment first = peer.Expect(AnySegment());
  ASSERT_TRUE(first.payload.empty()) << "data acknowledges the SYN,ACK";
  EXPECT_EQ(Ace(first), kEachEcnField[3].fed_back);
}

// --- The ACE field
// ----------------------------------------------------------------------------------

TEST_WITH(AccurateEcnTest, AccurateEcn, EachMarkIsCountedModuloEight,
          .claims = {"rfc9768:3.2.1-initial", "rfc9768:3.2-cep", "rfc9768:3.2.2.2-encode"},
          .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted();
  Deciding("rfc9768:3.2.1-initial");
  EXPECT_EQ(CounterOf(peer), kInitialCep);
  for (int marks = 1; marks <= 10; ++marks) {
    peer.Send(Fed(Data("marked")).Ce());
    const int ace = Ace(peer.Expect(Ack().Ack(peer.snd_nxt)));
    for (const char* claim : {"rfc9768:3.2-cep", "rfc9768:3.2.2.2-encode"}) {
      Deciding(claim);
      EXPECT_EQ(ace, (kInitialCep + marks) & 7) << "after " << marks << " marks";
    }
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, MarksOfPureAcksAreCountedToo, .claims = {"rfc9768:3.2-cep"},
          .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted();
  peer.Send(Fed(Ack()).Ce());
  EXPECT_EQ(CounterOf(peer), kInitialCep + 1);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AMarkOfTheSynIsNotCounted,
          .claims = {"rfc9768:3.2.2.2-syn-ce"}, .needs = {"sysctl"}) {
  if (!IsGrant(Ace(AnswerTo(WithAce(Syn(), kAsks).Ce())))) NotReached("it does not grant AccECN");
  ScriptedTcp& peer = listening->peer;
  peer.Send(WithAce(Ack(), kEachEcnField[0].fed_back));
  EXPECT_EQ(CounterOf(peer), kInitialCep);
}

TEST_WITH(
    AccurateEcnTest, AccurateEcn, ARetransmissionHasTheMostRecentCounter,
    .claims = {"rfc9768:3.2-most-recent"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Accepted();
  socket.Send("lost").value();
  const Segment first = peer.Expect(Data("lost"));
  if (Ace(first) != kInitialCep) NotReached("the counter begins elsewhere");
  peer.Send(Fed(Ack().Ack(first.seq)).Ce());
  const Segment again = peer.ExpectEventually(Data("lost").Seq(first.seq), FirstTimeout());
  EXPECT_EQ(Ace(again), kInitialCep + 1);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AMarkAfterNoneIsAcknowledgedAtOnce,
          .claims = {"rfc9768:3.2.2.5.1-change"}, .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted();
  for (int times = 0; times < 20; ++times) {  // past what is acknowledged at once in the beginning
    peer.Send(Fed(Data("not marked")).Ect0());
    peer.Expect(Ack().Ack(peer.snd_nxt));
  }
  peer.Send(Fed(Data("marked")).Ce());
  Settle();
  const std::vector<Segment> answers = AllArrived(peer);
  EXPECT_FALSE(answers.empty()) << "nothing comes at once";
}

TEST_WITH(AccurateEcnTest, AccurateEcn, SevenMarkedAcksAreAnswered,
          .claims = {"rfc9768:3.2.2.5.1-increment"}, .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted();
  for (int marks = 0; marks < 7; ++marks) peer.Send(Fed(Ack()).Ce());
  Settle();
  EXPECT_FALSE(AllArrived(peer).empty()) << "seven marks bring no ACK";
}

// Who answers none of them keeps to it too.
TEST_WITH(AccurateEcnTest, AccurateEcn, NoAnswerToMarkedAcksReportsAnything,
          .claims = {"rfc9768:3.2.2.5.1-no-sack"}, .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted({tcp_option::SackPermitted()});
  for (int marks = 0; marks < 7; ++marks) peer.Send(Fed(Ack()).Ce());
  Settle();
  for (const Segment& answer : AllArrived(peer)) {
    EXPECT_EQ(answer.FindOption(tcp_option::kSack), nullptr);
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TwoMarkedAcksAreNotAnswered,
          .claims = {"rfc9768:3.2.2.5.1-three"}, .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted();
  for (int marks = 1; marks <= 2; ++marks) {
    peer.Send(Fed(Ack()).Ce());
    Settle();
    EXPECT_TRUE(AllArrived(peer).empty()) << "an answer to mark " << marks;
  }
}

// --- What a sender makes of it
// ----------------------------------------------------------------------

TEST_WITH(AccurateEcnTest, AccurateEcn, DataIsEct, .claims = {"rfc9768:3.1.5-ect"},
          .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted();
  socket.Send("capable?").value();
  const Segment data = peer.Expect(Data("capable?"));
  if (AnyData().NotEct().Matches(data)) {
    NotTaken("rfc9768:3.1.5-ect", "data is sent as not ECN-capable");
    return;
  }
  EXPECT_TRUE(AnyData().Ect0().Matches(data) || AnyData().Ect1().Matches(data)) << "it is CE";
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AMarkThatIsFedBackReducesTheWindow,
          .claims = {"rfc9768:3.1.5-responds", "rfc9768:3.1.5-no-cwr"}, .needs = {"sysctl"}) {
  Connection connection = Accepted();
  const std::uint32_t flight = FlightOf(connection, 16);
  // One of them was marked. Each is acknowledged by itself: of many at once a sender may take more
  // for marked than it is told of (section 3.2.2.5.2).
  std::vector<Segment> later;
  for (std::uint32_t octets = 0; octets < flight; octets += kMss) {
    Acknowledge(connection, kMss, Fed(Ack(), 1));
    for (const Segment& segment : Answers(connection)) later.push_back(segment);
  }
  Deciding("rfc9768:3.1.5-responds");
  EXPECT_LT(in_flight(connection), flight);
  Deciding("rfc9768:3.1.5-no-cwr");
  for (const Segment& segment : later) EXPECT_EQ(Ace(segment), kInitialCep);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AfterAFirstAckOfZeroNothingIsEctAndFeedbackGoesOn,
          .claims = {"rfc9768:3.2.2.1-zero-no-ect", "rfc9768:3.2.2.1-zero-feedback"},
          .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted({}, {}, 0);
  Deciding("rfc9768:3.2.2.1-zero-no-ect");
  ExpectNotEct(socket, peer);
  peer.Send(Fed(Ack()));
  Deciding("rfc9768:3.2.2.1-zero-feedback");
  ExpectCounting(peer);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, AfterAFirstAckOfZeroFeedbackReducesNothing,
          .claims = {"rfc9768:3.2.2.1-zero-no-response"}, .needs = {"sysctl"}) {
  Connection connection = Accepted({}, {}, 0);
  const std::uint32_t flight = FlightOf(connection, 16);
  RequireInFlight(RoundTrip(connection, Fed(Ack(), 1)), flight);
}

// The mark of the SYN,ACK was counted: the counter that the peer goes on with is one less, seven
// marks later. Who did not count it sees none.
TEST_WITH(AccurateEcnTest, AccurateEcn, AMarkOfTheSynAckIsCountedByTheServer,
          .claims = {"rfc9768:3.2.2.2-ack-ce"}, .needs = {"sysctl"}) {
  Connection connection = Accepted({}, {}, kEachEcnField[3].fed_back);
  ChooseRfc5681(connection.socket);
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = FlightSize(connection);
  if (flight < 4 * kMss) NotReached("too little is in flight at first");
  EXPECT_LT(RoundTrip(connection, Fed(Ack(), 8)), flight);
}

// Whatever the counter begins with, what it grows by later is heeded.
TEST_WITH(AccurateEcnTest, AccurateEcn, TheCounterOfThePeerMayBeginAnywhere,
          .claims = {"rfc9768:3.2.2.4-any-initial"}, .needs = {"sysctl"}) {
  for (const int initial : {1, 2, 3, 4, 6, 7}) {
    SCOPED_TRACE("from " + std::to_string(initial));
    Connection connection = Accepted();
    ChooseRfc5681(connection.socket);
    WriteMuch(connection, 200 * kMss);
    Begin(connection);
    FlightSize(connection);
    RoundTrip(connection, WithAce(Ack(), initial));
    const std::uint32_t flight = Grow(connection, 6, WithAce(Ack(), initial));
    EXPECT_LT(RoundTrip(connection, WithAce(Ack(), (initial + 1) & 7)), flight);
  }
}

// --- The AccECN option
// ------------------------------------------------------------------------------

TEST_WITH(AccurateEcnTest, AccurateEcn, ASynAckHasTheOption,
          .claims = {"rfc9768:3.2.3.2.1-syn-ack", "rfc9768:3.2.1-initial"}, .needs = {"sysctl"}) {
  const Segment syn_ack = AnswerTo(WithAce(Syn(), kAsks));
  if (!IsGrant(Ace(syn_ack))) NotReached("it does not grant AccECN");
  Deciding("rfc9768:3.2.3.2.1-syn-ack");
  const TcpOption* option = AccurateEcnOption(syn_ack);
  ASSERT_NE(option, nullptr) << "there is none";
  Deciding("rfc9768:3.2.1-initial");
  const Counters counters = CountersOf(*option);
  EXPECT_EQ(counters.e0b.value_or(1), 1U);
  EXPECT_EQ(counters.ceb.value_or(0), 0U);
  EXPECT_EQ(counters.e1b.value_or(1), 1U);
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TheFirstAckAndTheFirstDataHaveTheOption,
          .claims = {"rfc9768:3.2.3.2.1-first-ack", "rfc9768:3.2.3.2.1-first-data"},
          .needs = {"sysctl"}) {
  ScriptedTcp& peer =
      Answered(WithAce(SynAck(), kEachEcnField[0].fed_back).Option(InitialOption()));
  Deciding("rfc9768:3.2.3.2.1-first-ack");
  EXPECT_NE(AccurateEcnOption(first_ack), nullptr);
  Deciding("rfc9768:3.2.3.2.1-first-data");
  connecting->Send("first").value();
  EXPECT_NE(AccurateEcnOption(peer.Expect(Data("first"))), nullptr);
}

TEST_WITH(
    AccurateEcnTest, AccurateEcn, ASynAckThatIsSentAgainHasNoOption,
    .claims = {"rfc9768:3.2.3.2.2-syn-ack-again", "rfc9768:3.1.5-not-both-syn-acks",
               "rfc9768:3.1.3-not-101"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  const Segment first = AnswerTo(WithAce(Syn(), kAsks));
  if (!IsGrant(Ace(first))) NotReached("it does not grant AccECN");
  for (int times = 0; times < 2; ++times) {
    const Segment again = listening->peer.Expect(SynAck().Seq(first.seq), OpeningPatience());
    Deciding("rfc9768:3.1.5-not-both-syn-acks");
    EXPECT_NE(Ace(again), kGrantsClassic);
    Deciding("rfc9768:3.1.3-not-101");
    EXPECT_NE(Ace(again), 0b101);
    Deciding("rfc9768:3.2.3.2.2-syn-ack-again");
    EXPECT_EQ(AccurateEcnOption(again), nullptr);
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TheOptionCountsOctetsByTheirEcnField,
          .claims = {"rfc9768:3.2.3.3-every-ack", "rfc9768:3.2.3-length", "rfc9768:3.2.3.1-encode",
                     "rfc9768:3.2-byte-counters", "rfc9768:3.2.3.3-every-counter"},
          .needs = {"sysctl"}) {
  auto [socket, peer] = Accepted({}, {InitialOption()});
  std::array<std::uint32_t, 4> octets = {0, 1, 1, 0};  // by codepoint; as they begin
  std::array<bool, 4> changed = {};
  for (const std::uint8_t codepoint : std::initializer_list<std::uint8_t>{2, 3, 1, 2, 3}) {
    const std::string data(10U * codepoint, 'x');
    peer.Send(Fed(Data(data)).TrafficClass(codepoint));
    octets[codepoint] += static_cast<std::uint32_t>(data.size());
    changed[codepoint] = true;
    const Segment ack = peer.Expect(Ack().Ack(peer.snd_nxt));
    Deciding("rfc9768:3.2.3.3-every-ack");
    const TcpOption* option = AccurateEcnOption(ack);
    ASSERT_NE(option, nullptr) << "there is none";
    Deciding("rfc9768:3.2.3-length");
    EXPECT_TRUE(option->data.size() % 3 == 0 && option->data.size() <= 9) << option->data.size();
    const Counters counters = CountersOf(*option);
    for (const char* claim : {"rfc9768:3.2.3.1-encode", "rfc9768:3.2-byte-counters"}) {
      Deciding(claim);
      EXPECT_EQ(counters.e0b.value_or(octets[2]), octets[2]) << "ECT(0)";
      EXPECT_EQ(counters.ceb.value_or(octets[3]), octets[3]) << "CE";
      EXPECT_EQ(counters.e1b.value_or(octets[1]), octets[1]) << "ECT(1)";
    }
    Deciding("rfc9768:3.2.3.3-every-counter");
    EXPECT_TRUE(counters.e0b || !changed[2]) << "ECT(0) has changed";
    EXPECT_TRUE(counters.ceb || !changed[3]) << "CE has changed";
    EXPECT_TRUE(counters.e1b || !changed[1]) << "ECT(1) has changed";
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TwoBlocksOfSackHavePrecedence,
          .claims = {"rfc9768:3.2.3.3-sack"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_ecn_option", 2);
  SetTcpEcn(3);
  Connection connection = InState(TcpState::kListen);
  ScriptedTcp& peer = connection.peer;
  peer.syn_options.push_back(tcp_option::SackPermitted());
  peer.syn_timestamps = true;
  peer.Send(WithAce(Syn(), kAsks));
  const Segment syn_ack = peer.Expect(SynAck().Ack(peer.snd_nxt));
  if (!IsGrant(Ace(syn_ack))) NotReached("it does not grant AccECN");
  if (!peer.sack_permitted() || !peer.snd_ts_ok()) NotReached("SACK and timestamps are not used");
  peer.Send(WithAce(Ack(), FedBack(syn_ack)).Option(InitialOption()));
  for (const std::uint8_t codepoint : std::initializer_list<std::uint8_t>{1, 2, 3}) {
    peer.Send(Fed(Data("all three")).TrafficClass(codepoint));
    peer.Expect(Ack().Ack(peer.snd_nxt));
  }
  const std::uint32_t start = peer.snd_nxt;
  AnswersTo(Fed(Data("0123456789").Seq(start + 10)).Ce(), peer, sut.loop());
  const std::vector<Segment> answers =
      AnswersTo(Fed(Data("0123456789").Seq(start + 30)).Ce(), peer, sut.loop());
  if (answers.empty()) NotReached("a segment out of order is not answered");
  const TcpOption* sack = answers.back().FindOption(tcp_option::kSack);
  const std::size_t blocks = sack == nullptr ? 0 : tcp_option::SackBlocksOf(*sack).size();
  EXPECT_GE(blocks, 2U) << "blocks of SACK";
}

// One ACK for sixteen segments, half of them marked: the ACE field is where it was. Whether that is
// understood shows by what is in flight afterwards.
TEST_WITH(AccurateEcnTest, AccurateEcn, AnOptionOfAnyLengthIsRead,
          .claims = {"rfc9768:3.2.3-any-length"}, .needs = {"sysctl"}, .rows = kEachOptionLength) {
  const auto& [name, length, marks] = RowOf(kEachOptionLength);
  const std::size_t whole = 9;
  if (IsReducedBy(OptionOf(tcp_option::kAccurateEcn0, 0, whole), 0)) {
    NotReached("it does not make use of options");
  }
  if (!IsReducedBy(OptionOf(tcp_option::kAccurateEcn0, 8, whole), 8)) {
    NotReached("it does not make use of options");
  }
  for (const std::uint8_t kind : {tcp_option::kAccurateEcn0, tcp_option::kAccurateEcn1}) {
    EXPECT_TRUE(IsReducedBy(OptionOf(kind, marks, length), marks)) << "of kind " << int{kind};
  }
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TcpEcnOptionTurnsTheOptionOff,
          .claims = {"linux:tcp_ecn_option"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_ecn_option", 0);
  const Segment syn_ack = AnswerTo(WithAce(Syn(), kAsks));
  if (!IsGrant(Ace(syn_ack))) NotReached("it does not grant AccECN");
  EXPECT_EQ(AccurateEcnOption(syn_ack), nullptr) << "in a SYN,ACK";
  ScriptedTcp& peer = listening->peer;
  peer.Send(WithAce(Ack(), FedBack(syn_ack)).Option(InitialOption()));
  peer.Send(Fed(Data("marked")).Ce());
  EXPECT_EQ(AccurateEcnOption(peer.Expect(Ack().Ack(peer.snd_nxt))), nullptr) << "in an ACK";
}

TEST_WITH(AccurateEcnTest, AccurateEcn, TcpEcnOptionPutsItInEveryPacket,
          .claims = {"linux:tcp_ecn_option"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_ecn_option", 2);
  auto [socket, peer] = Accepted({}, {InitialOption()});
  for (const char* text : {"one", "two", "three"}) {
    socket.Send(text).value();
    EXPECT_NE(AccurateEcnOption(peer.Expect(Data(text))), nullptr);
    peer.Send(Fed(Ack()));
    peer.Send(Fed(Data("data")));
    EXPECT_NE(AccurateEcnOption(peer.Expect(Ack().Ack(peer.snd_nxt))), nullptr);
  }
}
