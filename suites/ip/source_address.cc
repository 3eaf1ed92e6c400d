// Which of its addresses a system sends from, where the application does not say: RFC 6724
// section 5.
#include "harness/wire/addresses.h"
#include "suites/ip/ip_test.h"

using namespace sockproof;

namespace {

class SourceAddressTest : public IpTest {
 protected:
  // What connect() to there chooses.
  IpAddress ChosenFor(const IpAddress& destination) {
    Socket socket = NewUdp();
    EXPECT_THAT(socket.Connect(Endpoint{destination, 5301}), Succeeds());
    return socket.LocalEndpoint().address;
  }
};

}  // namespace

TEST_WITH(SourceAddressTest, SourceAddress, OneOfItsOwnAddressesIsReachedFromItself,
          .claims = {"rfc6724:5-rule-1"}, .needs = {"second-address"},
          .ipv6_only_because = "the algorithm applies to IPv6 alone") {
  for (const IpAddress& own : {sut.Address(ip), sut.SecondAddress(ip)}) {
    EXPECT_EQ(ChosenFor(own), own);
  }
}

TEST_WITH(SourceAddressTest, SourceAddress, WhatMayLeaveTheLinkComesFromAnAddressThatMayToo,
          .claims = {"rfc6724:5-rule-2"},
          .ipv6_only_because = "the algorithm applies to IPv6 alone") {
  const IpAddress of_organisation("ff08::1234");
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  if (!NewUdp().SendTo(Endpoint{of_organisation, peer.local().port}, "to all").ok()) {
    NotReached("it knows no way to that group");
  }
  const IpAddress source = peer.Expect(Datagram("to all")).source().address;
  // Of the link, fe80::/10, or of a site, fec0::/10.
  EXPECT_FALSE(source.bytes()[0] == 0xfe && source.bytes()[1] >= 0x80) << source.ToString();
}

TEST_WITH(SourceAddressTest, SourceAddress, TheLongestCommonPrefixMayDecide,
          .claims = {"rfc6724:5-rule-8"}, .needs = {"second-address"},
          .ipv6_only_because = "the algorithm applies to IPv6 alone") {
  constexpr int kNeighbour = 99;
  const bool near_first = ChosenFor(WireAddress(ip, kNeighbour)) == sut.Address(ip);
  const bool near_second = ChosenFor(SecondAddress(ip, kNeighbour)) == sut.SecondAddress(ip);
  if (!near_first || !near_second) NotTaken("rfc6724:5-rule-8", "something else decides");
}
