// Who has which address on a link: ARP (RFC 826, RFC 1122 section 2.3.2, arp(7)) and neighbour
// discovery (RFC 4861 section 7).
#include "harness/wire/addresses.h"
#include "harness/wire/neighbour_words.h"
#include "suites/ip/ip_test.h"

using namespace sockproof;

namespace {

using packet::Arp;
using packet::NeighbourMessage;

// RFC 4861 section 10; RFC 1122 section 2.3.2.1 and arp(7) have the same of ARP.
constexpr Duration kRetransTimer = 1s;
constexpr Duration kDelayFirstProbeTime = 5s;
constexpr int kMaxUnicastSolicit = 3;
// A timer in seconds may count in seconds.
constexpr Duration kTick = 1s;

// The system under test does not know the scripted host, and whatever one says of neighbours is the
// test's to see.
class NeighbourTest : public IpTest {
 protected:
  NeighbourTest() : IpTest(Acquaintance::kStranger) {}

  // Another link-layer address of the scripted host, and the address of a host that is not there.
  static constexpr int kElsewhere = 77, kNobody = 99;
  MacAddress elsewhere() const { return WireMac(kElsewhere); }
  IpAddress us() const { return host.Address(ip); }
  IpAddress system() const { return sut.Address(ip); }
  MacAddress OurMac() const { return WireMac(us().bytes()[IsIpv4() ? 3 : 15]); }

  // The system knows where the scripted host is, by its request; and answers none of its own any
  // more.
  void TheSystemKnowsUs() {
    host.Send(ip, WhoHas(system()));
    ReachOrSkip([this] { host.ExpectEventually(Tells(system())); }, "no request is answered");
    host.AnswerNeighbours(false);
  }
  // A datagram that the system sends to us leaves at once, to that link-layer address. `why` goes
  // into the failure.
  void ExpectSentTo(const MacAddress& mac, const std::string& why = "") {
    Dialogue dialogue = Bound();
    ASSERT_THAT(dialogue.socket.SendTo(dialogue.peer.local(), "hello"), Succeeds());
    EXPECT_EQ(ToString(dialogue.peer.Expect(Datagram("hello")).to_link), ToString(mac)) << why;
  }
  // Whether it asks again at all is open.
  static void ExpectASecondBetween(const std::vector<IpPacket>& requests) {
    for (std::size_t i = 1; i < requests.size(); ++i) {
      EXPECT_THAT(requests[i].time - requests[i - 1].time,
                  LastsAtLeast(FiresAfter(kRetransTimer).earliest()));
    }
  }
  // What was sent before has no answer: that of an echo, which comes behind it, has come.
  void ExpectNoAnswer(const std::string& why = "",
                      SourceLocation where = SourceLocation::Current()) {
    host.Send(ip, EchoRequest("still there?"));
    host.Expect(EchoReply("still there?"));
    for (const IpPacket& answer : host.TakeArrived(PacketKind::kNeighbours)) {
      if (AsksForNeighbour(answer.packet)) continue;
      ADD_FAILURE_AT(where.file, where.line)
          << "  Expected: no answer\n  Observed: " << Describe(answer) << "\n"
          << why;
    }
  }

 private:
  template <typename Way>
  void ReachOrSkip(const Way& way, const char* why) {
    try {
      way();
    } catch (const Departure&) {
      NotReached(why);
    }
  }
};

}  // namespace

// --- requests that are answered ------------------------------------------------------------------

TEST_WITH(NeighbourTest, Neighbours, ARequestForAnOwnAddressIsAnswered,
          .claims = {"rfc826:reply", "rfc4861:7.2.4-answer"}) {
  Deciding(Of("rfc826:reply", "rfc4861:7.2.4-answer"));
  const IpPacket request = host.Send(ip, WhoHas(system()));
  const IpPacket answer = host.Expect(Tells(system()));
  EXPECT_EQ(ToString(*LinkAddressToldIn(answer)), ToString(answer.from_link));
  EXPECT_EQ(answer.destination().address, us());
  EXPECT_EQ(ToString(answer.to_link), ToString(*LinkAddressToldIn(request)));
}

TEST_WITH(NeighbourTest, Neighbours, AnAnswerToAGroupTellsTheLinkLayerAddress,
          .claims = {"rfc4861:7.2.4-target-link"},
          .ipv6_only_because = "an answer of ARP always does") {
  host.Send(ip, WhoHas(system()));
  EXPECT_TRUE(LinkAddressToldIn(host.Expect(Tells(system()))));
}

TEST_WITH(NeighbourTest, Neighbours, AnAnswerSaysThatItWasAskedForAndComesFromNoRouter,
          .claims = {"rfc4861:7.2.4-solicited", "rfc4861:7.2.4-router", "rfc4861:7.2.4-override"},
          .ipv6_only_because = "ARP has no such flags") {
  if (sut.Can("sysctl")) sut.SetSysctl("net.ipv6.conf.all.forwarding", 0);  // no router
  host.Send(ip, WhoHas(system()));
  const IpPacket answer = host.Expect(Tells(system()));
  const std::uint32_t flags = packet::ReadNeighbourMessage(answer.packet)->flags;
  Deciding("rfc4861:7.2.4-solicited");
  EXPECT_NE(flags & NeighbourMessage::kSolicited, 0U);
  EXPECT_EQ(answer.destination().address, us());
  Deciding("rfc4861:7.2.4-router");
  EXPECT_EQ(flags & NeighbourMessage::kRouter, 0U);
  Deciding("rfc4861:7.2.4-override");
  EXPECT_NE(flags & NeighbourMessage::kOverride, 0U);
}

TEST_WITH(NeighbourTest, Neighbours, AnAnswerToNobodyGoesToAllAndIsNotSolicited,
          .claims = {"rfc4861:7.2.4-unspecified"},
          .ipv6_only_because = "ARP answers those who ask alone") {
  host.Send(ip, WhoHas(system()).Source(IpAddress("::")).Changed(TellingLinkAddress(std::nullopt)));
  const IpPacket answer = host.Expect(Tells(system()));
  EXPECT_EQ(packet::ReadNeighbourMessage(answer.packet)->flags & NeighbourMessage::kSolicited, 0U);
  EXPECT_EQ(answer.destination().address, IpAddress("ff02::1"));
}

// --- requests that are not -----------------------------------------------------------------------

TEST_WITH(NeighbourTest, Neighbours, ARequestForTheAddressOfAnotherIsNotAnswered,
          .claims = {"rfc826:not-mine", "rfc4861:7.2.3-target"}) {
  Deciding(Of("rfc826:not-mine", "rfc4861:7.2.3-target"));
  PartialPacket request = WhoHas(WireAddress(ip, kNobody));
  if (!IsIpv4()) request.To(SolicitedNodeGroup(system()));  // else nobody would take it in
  host.Send(ip, request);
  ExpectNoAnswer();
}

TEST_WITH(NeighbourTest, Neighbours, ARequestOfAnotherKindOfLinkIsNotAnswered,
          .claims = {"rfc826:hardware"}, .ipv4_only_because = "ARP is of IPv4") {
  constexpr std::uint16_t kFrameRelay = 15;
  host.Send(ip, WhoHas(system()).Changed([](auto& packet) {
    packet.template Find<Arp>()->hardware_type = kFrameRelay;
  }));
  ExpectNoAnswer();
}

TEST_WITH(NeighbourTest, Neighbours, ARequestOfAnotherProtocolIsNotAnswered,
          .claims = {"rfc826:protocol"}, .ipv4_only_because = "ARP is of IPv4") {
  constexpr std::uint16_t kX25 = 0x0805;
  host.Send(ip, WhoHas(system()).Changed(
                    [](auto& packet) { packet.template Find<Arp>()->protocol_type = kX25; }));
  ExpectNoAnswer();
}

TEST_WITH(NeighbourTest, Neighbours, ASolicitationThatIsNotValidIsDiscarded,
          .claims = {"rfc4861:7.1.1-hop-limit", "rfc4861:7.1.1-code", "rfc4861:7.1.1-length",
                     "rfc4861:7.1.1-option-length", "rfc4861:7.1.1-checksum"},
          .ipv6_only_because = "ARP has no such rules") {
  const auto expect_discarded = [this](const char* claim, const PartialPacket& solicitation) {
    Deciding(claim);
    host.Send(ip, solicitation);
    ExpectNoAnswer(claim);
  };
  const PartialPacket valid = WhoHas(system());
  expect_discarded("rfc4861:7.1.1-hop-limit", PartialPacket(valid).HopLimit(254));
  expect_discarded("rfc4861:7.1.1-code", PartialPacket(valid).Code(1));
  expect_discarded("rfc4861:7.1.1-length",
                   PartialPacket(valid).Changed([](auto& packet) { packet.payload.resize(12); }));
  expect_discarded("rfc4861:7.1.1-option-length",
                   PartialPacket(valid).Changed([](auto& packet) { packet.payload.at(17) = 0; }));
  expect_discarded("rfc4861:7.1.1-checksum", PartialPacket(valid).BadChecksum());
}

TEST_WITH(NeighbourTest, Neighbours, ASolicitationOfNobodyToOneIsDiscarded,
          .claims = {"rfc4861:7.1.1-unspecified-group"},
          .ipv6_only_because = "ARP has no such rules") {
  const PartialPacket of_nobody = WhoHas(system()).Source(IpAddress("::"));
  host.Send(ip, PartialPacket(of_nobody).To(system()).Changed(TellingLinkAddress(std::nullopt)));
  ExpectNoAnswer();
}

TEST_WITH(NeighbourTest, Neighbours, ASolicitationOfNobodyWithALinkLayerAddressIsDiscarded,
          .claims = {"rfc4861:7.1.1-unspecified-link"},
          .ipv6_only_because = "ARP has no such rules") {
  host.Send(ip, WhoHas(system()).Source(IpAddress("::")));
  ExpectNoAnswer();
}

// --- what a request teaches ----------------------------------------------------------------------

TEST_WITH(NeighbourTest, Neighbours, WhoAsksIsKnownFromThenOn,
          .claims = {"rfc826:add", "rfc4861:7.2.3-create"}) {
  TheSystemKnowsUs();
  Deciding(Of("rfc826:add", "rfc4861:7.2.3-create"));
  ExpectSentTo(OurMac());
  EXPECT_EQ(host.waiting(PacketKind::kNeighbours), 0U);
}

TEST_WITH(NeighbourTest, Neighbours, WhoAsksFromAnotherLinkLayerAddressIsFoundThere,
          .claims = {"rfc826:merge", "rfc4861:7.2.3-update"}) {
  TheSystemKnowsUs();
  Deciding(Of("rfc826:merge", "rfc4861:7.2.3-update"));
  host.Send(ip, WhoHas(system()).Changed(TellingLinkAddress(elsewhere())));
  host.Expect(Tells(system()));
  ExpectSentTo(elsewhere());
}

// --- requests of the system ----------------------------------------------------------------------

TEST_WITH(NeighbourTest, Neighbours, AnUnknownNeighbourIsAskedOfAllWhoMayBeIt,
          .claims = {"rfc826:broadcast", "rfc4861:7.2.2-group", "rfc4861:7.2.2-source-link"}) {
  host.AnswerNeighbours(false);
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  ASSERT_THAT(NewUdp().SendTo(peer.local(), "hello"), Succeeds());
  const IpPacket request = host.Expect(WhoHas(us()));
  Deciding(Of("rfc826:broadcast", "rfc4861:7.2.2-group"));
  const MacAddress to_all{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  EXPECT_EQ(ToString(request.to_link),
            ToString(IsIpv4() ? to_all : LinkAddressFor(request.destination().address, {})));
  if (IsIpv4()) return;
  EXPECT_EQ(request.destination().address, SolicitedNodeGroup(us()));
  Deciding("rfc4861:7.2.2-source-link");
  EXPECT_EQ(LinkAddressToldIn(request), request.from_link);
}

TEST_WITH(NeighbourTest, Neighbours, ARequestComesFromTheAddressThatHasSomethingToSend,
          .claims = {"rfc4861:7.2.2-source"}, .needs = {"second-address"},
          .ipv6_only_because = "RFC 826 says nothing of it") {
  host.AnswerNeighbours(false);
  Socket socket = NewUdp();
  ASSERT_THAT(socket.Bind(Endpoint{sut.SecondAddress(ip), 5300}), Succeeds());
  ASSERT_THAT(socket.SendTo(host.Udp(ip, NextPort()).local(), "hello"), Succeeds());
  EXPECT_EQ(host.Expect(WhoHas(us())).source().address, sut.SecondAddress(ip));
}

TEST_WITH(NeighbourTest, Neighbours, TheLatestPacketWaitsForTheAnswer,
          .claims = {"rfc1122:2.3.2.2-saved", "rfc4861:7.2.2-queue", "rfc4861:7.2.2-latest"}) {
  host.AnswerNeighbours(false);
  Dialogue dialogue = Bound();
  ASSERT_THAT(dialogue.socket.SendTo(dialogue.peer.local(), "first"), Succeeds());
  ASSERT_THAT(dialogue.socket.SendTo(dialogue.peer.local(), "latest"), Succeeds());
  host.Expect(WhoHas(us()));
  host.Send(ip, IsAt(us(), OurMac()));
  Deciding(Of("rfc1122:2.3.2.2-saved", "rfc4861:7.2.2-queue"));
  const IpPacket kept = dialogue.peer.Expect(AnyDatagram());
  if (!IsIpv4()) Deciding("rfc4861:7.2.2-latest");
  if (kept.payload_text() != "latest") dialogue.peer.Expect(Datagram("latest"));
}

TEST_WITH(
    NeighbourTest, Neighbours, ANeighbourIsAskedAtMostOnceASecond,
    .claims = {"rfc1122:2.3.2.1-flooding", "rfc4861:7.2.2-rate"},
    .lasts = [](const Facts&) -> Duration { return 3 * kRetransTimer; }) {
  constexpr Duration kStep = 300ms;
  host.AnswerNeighbours(false);
  Dialogue dialogue = Bound();
  dialogue.peer.ExpectSilence(kRetransTimer / 2);  // so that it is no timer of the system that begins with the test
  std::vector<IpPacket> requests;
  for (Duration passed{0}; passed < 5 * kRetransTimer / 2; passed += kStep) {
    ASSERT_THAT(dialogue.socket.SendTo(dialogue.peer.local(), "hello"), Succeeds());
    dialogue.peer.ExpectSilence(kStep);
    for (IpPacket& packet : host.TakeArrived(PacketKind::kNeighbours)) {
      if (WhoHas(us()).Matches(packet)) requests.push_back(std::move(packet));
    }
  }
  if (requests.empty()) NotReached("the neighbour is not asked for");
  Deciding(Of("rfc1122:2.3.2.1-flooding", "rfc4861:7.2.2-rate"));
  ExpectASecondBetween(requests);
}

// --- what an answer teaches ----------------------------------------------------------------------

TEST_WITH(NeighbourTest, Neighbours, AnAnswerThatOverridesChangesTheLinkLayerAddress,
          .claims = {"rfc4861:7.2.5-override"}, .ipv6_only_because = "ARP has no such flag") {
  TheSystemKnowsUs();
  host.Send(ip, IsAt(us(), elsewhere()));
  ExpectSentTo(elsewhere());
}

TEST_WITH(NeighbourTest, Neighbours, AnAnswerThatDoesNotOverrideChangesNoLinkLayerAddress,
          .claims = {"rfc4861:7.2.5-no-override"}, .ipv6_only_because = "ARP has no such flag") {
  TheSystemKnowsUs();
  host.Send(ip, IsAt(us(), elsewhere()).Changed(WithFlags(NeighbourMessage::kSolicited)));
  ExpectSentTo(OurMac());
}

TEST_WITH(NeighbourTest, Neighbours, AnAdvertisementOfAnUnknownNeighbourIsNotKept,
          .claims = {"rfc4861:7.2.5-no-entry"}, .ipv6_only_because = "RFC 826 keeps what is told") {
  host.AnswerNeighbours(false);
  host.Send(ip, IsAt(us(), elsewhere()));
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  ASSERT_THAT(NewUdp().SendTo(peer.local(), "hello"), Succeeds());
  host.Expect(WhoHas(us()));
  EXPECT_EQ(peer.waiting(), 0U);
}

TEST_WITH(NeighbourTest, Neighbours, AnAdvertisementThatIsNotValidIsDiscarded,
          .claims = {"rfc4861:7.1.2-hop-limit", "rfc4861:7.1.2-checksum", "rfc4861:7.1.2-code",
                     "rfc4861:7.1.2-solicited-group", "rfc4861:7.1.2-option-length"},
          .ipv6_only_because = "ARP has no such rules") {
  const auto expect_discarded = [this](const char* claim, const PartialPacket& advertisement) {
    TheSystemKnowsUs();
    host.Send(ip, IsAt(us(), OurMac()));  // whatever it has learnt before
    Deciding(claim);
    host.Send(ip, advertisement);
    ExpectSentTo(OurMac(), claim);
  };
  const PartialPacket valid = IsAt(us(), elsewhere());
  expect_discarded("rfc4861:7.1.2-hop-limit", PartialPacket(valid).HopLimit(254));
  expect_discarded("rfc4861:7.1.2-checksum", PartialPacket(valid).BadChecksum());
  expect_discarded("rfc4861:7.1.2-code", PartialPacket(valid).Code(1));
  expect_discarded("rfc4861:7.1.2-solicited-group", PartialPacket(valid).To(IpAddress("ff02::1")));
  const Bytes option_of_length_0(8, 0);
  expect_discarded("rfc4861:7.1.2-option-length", PartialPacket(valid).Changed([&](auto& packet) {
    packet.payload.insert(packet.payload.end(), option_of_length_0.begin(),
                          option_of_length_0.end());
  }));
}

// --- is a neighbour still there? -----------------------------------------------------------------

TEST_WITH(
    NeighbourTest, Neighbours, ANeighbourThatConfirmsNothingIsAskedAgain,
    .claims = {"rfc4861:7.3.3-delay", "rfc4861:7.3.3-unicast", "rfc4861:7.3.3-probes", "rfc4861:7.3.3-rate",
               "man:arp(7)-delay_first_probe_time", "man:arp(7)-ucast_solicit"},
    .lasts = [](const Facts&) -> Duration {
      return kDelayFirstProbeTime + kMaxUnicastSolicit * kRetransTimer;
    }) {
  TheSystemKnowsUs();
  Dialogue dialogue = Bound();
  ASSERT_THAT(dialogue.socket.SendTo(dialogue.peer.local(), "hello"), Succeeds());
  const IpPacket sent = dialogue.peer.Expect(Datagram("hello"));
  const IpPacket first = host.Expect(WhoHas(us()), Within(2 * kDelayFirstProbeTime));
  Deciding(Of("man:arp(7)-delay_first_probe_time", "rfc4861:7.3.3-delay"));
  EXPECT_THAT(first.time - sent.time, FiresAfter(kDelayFirstProbeTime, kTick));
  Deciding(Of("man:arp(7)-ucast_solicit", "rfc4861:7.3.3-unicast"));
  EXPECT_EQ(ToString(first.to_link), ToString(OurMac()));
  if (IsIpv4()) return;
  EXPECT_EQ(first.destination().address, us());
  std::vector<IpPacket> probes = {first};
  for (int probe = 2; probe <= kMaxUnicastSolicit; ++probe) probes.push_back(host.Expect(WhoHas(us())));
  Deciding("rfc4861:7.3.3-rate");
  ExpectASecondBetween(probes);
  Deciding("rfc4861:7.3.3-probes");
  dialogue.peer.ExpectSilence(2 * kRetransTimer);
  for (const IpPacket& later : host.TakeArrived(PacketKind::kNeighbours)) {
    EXPECT_NE(later.destination().address, us()) << Describe(later);
  }
}

TEST_WITH(
    NeighbourTest, Neighbours, AnAnsweredProbeIsTheLast, .claims = {"rfc4861:7.3.3-confirmed"},
    .lasts = [](const Facts&) -> Duration { return kDelayFirstProbeTime + 2 * kRetransTimer; },
    .ipv6_only_because = "RFC 826 has no probes") {
  TheSystemKnowsUs();
  ExpectSentTo(OurMac());
  host.Expect(WhoHas(us()), Within(2 * kDelayFirstProbeTime));
  host.Send(ip, IsAt(us(), OurMac()));
  ExpectNoAnswer();  // probes may have crossed it
  host.ExpectSilence(PacketKind::kNeighbours, 2 * kRetransTimer);
}
