// Extension headers of IPv6: RFC 8200 section 4.
#include "suites/ip/ip_test.h"

using namespace sockproof;

#define IPV6_ONLY .ipv6_only_because = "IPv4 has no extension headers"

namespace {

class ExtensionHeaderTest : public IpTest {
 protected:
  static constexpr std::uint32_t kIpv6Size = 40;

  // Destination or hop-by-hop options: these, and padding.
  static packet::Ipv6Options Options(
      const std::vector<HeaderOption>& options,
      std::uint8_t header = packet::ip_protocol::kDestinationOptions) {
    return {
        .header = header, .next_header = {}, .length = {}, .options = options, .option_rest = {}};
  }
  // One that nobody knows: the two highest bits say what is to become of the packet; the others are
  // a number that IANA keeps for experiments (RFC 4727 section 3.3).
  static HeaderOption Unknown(int action) {
    return {static_cast<std::uint8_t>(action << 6 | 0x1e), {0, 0, 0, 0}};
  }
  static constexpr std::uint32_t kFirstOption = kIpv6Size + 2;

  // In either of the headers that have options.
  static std::vector<packet::Ipv6Options> InBoth(const HeaderOption& option) {
    return {Options({option}), Options({option}, packet::ip_protocol::kHopByHop)};
  }

  // An ICMP error about what was sent.
  void ExpectProblem(std::uint8_t code, std::uint32_t pointer, const IpPacket& sent,
                     const char* claim) {
    Deciding(claim);
    const IpPacket told = host.Expect(ParameterProblem().Code(code).Pointer(pointer));
    Deciding("rfc4443:2.4-c");
    EXPECT_TRUE(ParameterProblem().About(sent).Matches(told)) << Describe(told);
    Deciding(claim);
  }
  void ExpectDelivered(Dialogue& dialogue, const PartialPacket& datagram) {
    dialogue.peer.Send(datagram);
    EXPECT_THAT(dialogue.socket.Receive(64), Returns("data"));
  }
};

}  // namespace

// --- options that are not recognized -------------------------------------------------------------

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnOptionWithBits00IsSkipped,
          .claims = {"rfc8200:4.2-00"}, IPV6_ONLY) {
  Dialogue dialogue = Bound();
  for (const auto& header : InBoth(Unknown(0))) {
    ExpectDelivered(dialogue, Datagram("data").With(header));
  }
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnOptionWithBits01DiscardsThePacketSilently,
          .claims = {"rfc8200:4.2-01"}, IPV6_ONLY) {
  for (const auto& header : InBoth(Unknown(1))) {
    Dialogue dialogue = Bound();
    dialogue.peer.Send(Datagram("data").With(header));
    ExpectNothingButEcho();
    ExpectNothingReceived(dialogue);
  }
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnOptionWithBits10IsTold,
          .claims = {"rfc8200:4.2-10", "rfc4443:2.4-c"}, IPV6_ONLY) {
  for (const auto& header : InBoth(Unknown(2))) {
    Dialogue dialogue = Bound();
    const IpPacket sent = dialogue.peer.Send(Datagram("data").With(header));
    ExpectProblem(2, kFirstOption, sent, "rfc8200:4.2-10");
    ExpectNothingReceived(dialogue);
  }
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnOptionWithBits10IsToldAlsoOfWhatWentToAGroup,
          .claims = {"rfc8200:4.2-10"}, IPV6_ONLY) {
  Dialogue dialogue = BoundToAll();
  dialogue.peer.Send(Datagram("data").With(Options({Unknown(2)})).To(IpAddress("ff02::1")));
  host.Expect(ParameterProblem().Code(2).Pointer(kFirstOption));
  ExpectNothingReceived(dialogue);
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnOptionWithBits11IsTold,
          .claims = {"rfc8200:4.2-11", "rfc4443:2.4-c"}, IPV6_ONLY) {
  for (const auto& header : InBoth(Unknown(3))) {
    Dialogue dialogue = Bound();
    const IpPacket sent = dialogue.peer.Send(Datagram("data").With(header));
    ExpectProblem(2, kFirstOption, sent, "rfc8200:4.2-11");
    ExpectNothingReceived(dialogue);
  }
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnOptionWithBits11IsNotToldOfWhatWentToAGroup,
          .claims = {"rfc8200:4.2-11"}, IPV6_ONLY) {
  Dialogue dialogue = BoundToAll();
  dialogue.peer.Send(Datagram("data").With(Options({Unknown(3)})).To(IpAddress("ff02::1")));
  ExpectNothingButEcho();
  ExpectNothingReceived(dialogue);
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, TheSecondOptionIsPointedAt,
          .claims = {"rfc8200:4.2-10", "rfc4443:2.4-c"}, IPV6_ONLY) {
  Dialogue dialogue = Bound();
  const IpPacket sent =
      dialogue.peer.Send(Datagram("data").With(Options({Unknown(0), Unknown(2)})));
  ExpectProblem(2, kFirstOption + 6, sent, "rfc8200:4.2-10");
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, PaddingIsRecognized,
          .claims = {"rfc8200:4.2-padding"}, IPV6_ONLY) {
  const HeaderOption pad1{ipv6_option::kPad1, {}};
  Dialogue dialogue = Bound();
  for (const auto& padding :
       {std::vector<HeaderOption>{pad1, {ipv6_option::kPadN, {0, 0, 0}}},
        std::vector<HeaderOption>{{ipv6_option::kPadN, {0, 0, 0, 0}}},
        std::vector<HeaderOption>{{ipv6_option::kPadN, {}}, pad1, {ipv6_option::kPadN, {0}}}}) {
    ExpectDelivered(dialogue, Datagram("data").With(Options(padding)));
    ExpectDelivered(dialogue,
                    Datagram("data").With(Options(padding, packet::ip_protocol::kHopByHop)));
  }
}

// --- routing headers -----------------------------------------------------------------------------

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, ARouteThatIsGoneIsIgnored,
          .claims = {"rfc8200:4.4-no-segments-left"}, IPV6_ONLY) {
  Dialogue dialogue = Bound();
  // Experimental types of RFC 4727, and 99, which IANA has given to nobody.
  for (const std::uint8_t type : {std::uint8_t{99}, std::uint8_t{253}}) {
    ExpectDelivered(dialogue, Datagram("data").With(packet::Ipv6Routing{.next_header = {},
                                                                        .length = {},
                                                                        .type = type,
                                                                        .segments_left = 0,
                                                                        .data = Bytes(4, 0)}));
  }
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, ARouteToGoOfAnUnknownTypeIsTold,
          .claims = {"rfc8200:4.4-segments-left", "rfc4443:2.4-c"}, IPV6_ONLY) {
  constexpr std::uint32_t kRoutingType = kIpv6Size + 2;
  for (const std::uint8_t type : {std::uint8_t{99}, std::uint8_t{253}}) {
    Dialogue dialogue = Bound();
    const IpPacket sent = dialogue.peer.Send(Datagram("data").With(packet::Ipv6Routing{
        .next_header = {}, .length = {}, .type = type, .segments_left = 1, .data = Bytes(4, 0)}));
    ExpectProblem(0, kRoutingType, sent, "rfc8200:4.4-segments-left");
    ExpectNothingReceived(dialogue);
  }
}

// --- order ---------------------------------------------------------------------------------------

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, TheyAreTakenInAnyOrderAndNumber,
          .claims = {"rfc8200:4.1-any-order"}, IPV6_ONLY) {
  const packet::Ipv6Options options = Options({Unknown(0)});
  const packet::Ipv6Routing route{
      .next_header = {}, .length = {}, .type = 99, .segments_left = 0, .data = Bytes(4, 0)};
  const packet::Ipv6Fragment whole{.next_header = {}, .identification = 5};
  Dialogue dialogue = Bound();
  ExpectDelivered(dialogue, Datagram("data").With(options).With(route));
  ExpectDelivered(dialogue, Datagram("data").With(route).With(options));
  ExpectDelivered(dialogue, Datagram("data").With(options).With(options).With(options));
  ExpectDelivered(dialogue, Datagram("data").With(whole).With(options).With(route));
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, HopByHopOptionsElsewhereAreNotRecognized,
          .claims = {"rfc8200:4-zero-elsewhere", "rfc4443:2.4-c"}, IPV6_ONLY) {
  constexpr std::uint32_t kNextHeader = kIpv6Size;  // that of the first extension header
  Dialogue dialogue = Bound();
  const IpPacket sent =
      dialogue.peer.Send(Datagram("data")
                             .With(Options({Unknown(0)}))
                             .With(Options({Unknown(0)}, packet::ip_protocol::kHopByHop)));
  ExpectProblem(1, kNextHeader, sent, "rfc8200:4-zero-elsewhere");
  ExpectNothingReceived(dialogue);
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, BehindNoNextHeaderNothingIsRead,
          .claims = {"rfc8200:4.7-no-next-header"}, IPV6_ONLY) {
  Dialogue dialogue = Bound();
  dialogue.peer.Send(Datagram("data").NextHeader(packet::ip_protocol::kNone));
  dialogue.peer.Send(
      Datagram("data").With(Options({Unknown(0)})).NextHeader(packet::ip_protocol::kNone));
  ExpectNothingButEcho();
  ExpectNothingReceived(dialogue);
}

TEST_WITH(ExtensionHeaderTest, ExtensionHeaders, AnUnknownHeaderBehindOthersIsPointedAt,
          .claims = {"rfc8200:4-unrecognized", "rfc4443:2.4-c"}, IPV6_ONLY) {
  Dialogue dialogue = Bound();
  const IpPacket sent =
      dialogue.peer.Send(Datagram("data").With(Options({Unknown(0)})).NextHeader(253));
  ExpectProblem(1, kIpv6Size, sent, "rfc8200:4-unrecognized");
  ExpectNothingReceived(dialogue);
}
