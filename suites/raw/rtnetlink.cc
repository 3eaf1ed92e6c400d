// Addresses, routes and what is told of changes: rtnetlink(7) and netlink(7) of the Linux
// man-pages.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "harness/sut/interfaces.h"
#include "harness/test/test.h"
#include "suites/raw/netlink_messages.h"

namespace sockproof {
namespace {

using netlink::Answer;
using netlink::Number;
using netlink::NumberAt;

// Of linux/rtnetlink.h and linux/if_addr.h.
constexpr int kNewLinkMessage = 16;             // RTM_NEWLINK
constexpr int kGetAddressMessage = 22;          // RTM_GETADDR
constexpr int kGetRouteMessage = 26;            // RTM_GETROUTE
constexpr std::uint32_t kInterfaceAddress = 1;  // IFA_ADDRESS
constexpr std::uint32_t kDestination = 1;       // RTA_DST
constexpr std::uint32_t kOutputInterface = 4;   // RTA_OIF
constexpr std::uint32_t kUnicast = 1;           // RTN_UNICAST
constexpr std::size_t kAddressSize = 8;         // of struct ifaddrmsg
constexpr std::size_t kRouteSize = 12;          // of struct rtmsg

std::string OctetsOf(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.bytes()), address.size()};
}

// AF_INET and AF_INET6 as the kernel's structures begin with them, and zeros up to their size.
std::string AnyOf(IpVersion version, std::size_t size) {
  return Number(version == IpVersion::kIpv4 ? AF_INET : AF_INET6, 1) + std::string(size - 1, '\0');
}

// The number of the interface that has this address, by RTM_GETADDR; nothing where none has it.
std::optional<std::uint32_t> InterfaceWith(const Socket& route, const IpAddress& address) {
  for (const Answer& answer :
       netlink::List(route, kGetAddressMessage, AnyOf(address.version(), kAddressSize))) {
    const auto told = netlink::Attribute(answer.body, kAddressSize, kInterfaceAddress);
    if (told == OctetsOf(address)) return NumberAt(answer.body, 4);
  }
  return std::nullopt;
}

// Whether so many bits of both are the same.
bool HaveTheSameBits(const std::string& one, const std::string& other, std::uint32_t bits) {
  for (std::uint32_t bit = 0; bit < bits; ++bit) {
    const std::size_t octet = bit / 8;
    if (octet >= one.size() || octet >= other.size()) return false;
    const auto differing = static_cast<unsigned>(one[octet] ^ other[octet]);
    if ((differing >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

// ---- addresses and routes ----

inline constexpr Family kOfEachVersion[] = {kIpv4Family, kIpv6Family};

TEST_WITH_SOCKETS(RouteNetlink, TheAddressOfTheLoopbackIsToldWithItsInterface,
                  .claims = {"man:rtnetlink(7)-RTM_GETADDR"}, .over = kOfEachVersion) {
  const Socket route = sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x0").value();
  const Interfaces interfaces(sut.OpenSocket("AF_INET", "SOCK_DGRAM").value());
  const int index = interfaces.Number("SIOCGIFINDEX", "lo").value();
  EXPECT_EQ(InterfaceWith(route, Loopback().endpoint()->address),
            static_cast<std::uint32_t>(index));
}

TEST_WITH_PEER(RouteNetlink, TheRouteToThePeerIsToldWithItsInterface,
               .claims = {"man:rtnetlink(7)-RTM_GETROUTE"}) {
  const Socket route = sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x0").value();
  const auto index = InterfaceWith(route, sut.Address(ip));
  if (!index) NotReached("RTM_GETADDR does not tell of the interface on the wire");
  const std::string peer = OctetsOf(host.Address(ip));
  const std::vector<Answer> routes = netlink::List(route, kGetRouteMessage, AnyOf(ip, kRouteSize));
  EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [&](const Answer& answer) {
    const std::uint32_t bits = NumberAt(answer.body, 1, 1).value_or(0);
    const auto destination = netlink::Attribute(answer.body, kRouteSize, kDestination);
    const auto output = netlink::Attribute(answer.body, kRouteSize, kOutputInterface);
    return answer.body.substr(0, 1) == AnyOf(ip, 1) && NumberAt(answer.body, 7, 1) == kUnicast &&
           output && NumberAt(*output, 0) == index &&
           HaveTheSameBits(destination.value_or(""), peer, bits);
  }));
}

// ---- what is told to groups ----

class RouteGroupTest : public SocketsTest {
 protected:
  Socket RouteSocket() { return sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x0").value(); }
  // From then on it listens to changes of interfaces.
  static Outcome<int> Join(Socket socket) {
    constexpr std::uint32_t kLinks = 1;  // RTMGRP_LINK
    return socket.Bind(RawName{"AF_NETLINK", Number(0, 2) + Number(0) + Number(kLinks)});
  }
  void Change(const std::vector<std::string>& flags) {
    const Outcome<int> set = interfaces.SetFlags("lo", flags);
    if (set.error() == EPERM) NotReached("the agent is no privileged process");
    ASSERT_THAT(set, Succeeds());
  }
  // More changes than this socket has room for; the error that ends what it receives then.
  int ErrorOfTooMuch(Socket listener) {
    constexpr int kMany = 100;
    if (!Join(listener).ok()) NotReached("it cannot listen to a group");
    listener.SetOption("SO_RCVBUF", 0).value();  // the least
    for (int time = 0; time < kMany; ++time) Change(time % 2 == 0 ? Flags() : Flags{"IFF_UP"});
    std::size_t told = 0;
    while (true) {
      const Outcome<std::string> received = listener.Receive(60'000, {"MSG_DONTWAIT"});
      told += received.ok() ? netlink::Answers(received.value()).size() : 0;
      if (told >= kMany) NotReached("its buffer has room for all");
      if (!received.ok()) return received.error();
    }
  }
  using Flags = std::vector<std::string>;
  Interfaces interfaces{sut.OpenSocket("AF_INET", "SOCK_DGRAM").value()};
};

TEST_WITH(RouteGroupTest, RouteNetlink, AChangeIsToldToWhoListensToItsGroup,
          .claims = {"man:netlink(7)-nl_groups"}, .needs = {"fresh"}, .over = kOnce) {
  Socket deaf = RouteSocket();
  Socket listener = RouteSocket();
  ASSERT_THAT(deaf.Bind(netlink::Kernel()), Succeeds());
  const Outcome<int> joined = Join(listener);
  if (joined.error() == EPERM) NotReached("the agent is no privileged process");
  ASSERT_THAT(joined, Succeeds());
  Change({});
  const std::vector<Answer> told = netlink::Answers(listener.Receive(60'000).value());
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told[0].type, kNewLinkMessage);
  EXPECT_THAT(deaf.Receive(60'000, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(RouteGroupTest, RouteNetlink, WhatTheBufferHasNoRoomForIsToldByEnobufs,
          .claims = {"man:netlink(7)-ENOBUFS"}, .needs = {"fresh"}, .over = kOnce) {
  EXPECT_EQ(ErrnoName(ErrorOfTooMuch(RouteSocket())), ErrnoName(ENOBUFS));
}

TEST_WITH(RouteGroupTest, RouteNetlink, WithNetlinkNoEnobufsItIsNotTold,
          .claims = {"man:netlink(7)-NETLINK_NO_ENOBUFS"}, .needs = {"fresh"}, .over = kOnce) {
  Socket listener = RouteSocket();
  ASSERT_THAT(listener.SetOption("NETLINK_NO_ENOBUFS", 1), Succeeds());
  EXPECT_EQ(ErrnoName(ErrorOfTooMuch(listener)), ErrnoName(EAGAIN));
}

}  // namespace
}  // namespace sockproof
