// Packet, netlink and vsock sockets as netlink lists them: ss(8) -0, -f netlink and --vsock, by
// linux/packet_diag.h, linux/netlink_diag.h and linux/vm_sockets_diag.h.
#include <algorithm>
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/raw/netlink_messages.h"
#include "suites/raw/sock_diag_test.h"

namespace sockproof {
namespace {

using netlink::Number;
using netlink::NumberAt;

// --- AF_PACKET -----------------------------------------------------------------------------------

constexpr std::uint32_t kLocalExperiment = 0x88b5;  // of IEEE 802: no system uses it

class PacketDiagTest : public SockDiagTest {
 protected:
  Socket Packets(const std::string& type) {
    // The type of Ethernet frames in the order of the network.
    const Outcome<Socket> opened = sut.OpenSocket("AF_PACKET", type, {}, "0xb588");
    if (opened.error() == EPERM) NotReached("the agent may open no packet sockets");
    return opened.value();
  }
  // The types, pdiag_type, of those that take frames of the experiment: struct packet_diag_req is
  // asked, struct packet_diag_msg answers.
  std::vector<std::uint32_t> TypesOfOurs() {
    std::vector<std::uint32_t> types;
    const std::string any = Number(0) + Number(0) + Number(kAnyCookie) + Number(kAnyCookie);
    for (const Entry& entry : List(Number(AF_PACKET, 1) + Number(0, 3) + any)) {
      if (NumberAt(entry, 2, 2) == kLocalExperiment) types.push_back(NumberAt(entry, 1, 1).value());
    }
    std::sort(types.begin(), types.end());
    return types;
  }
};

TEST_WITH(PacketDiagTest, PacketDiag, SocketsAreListedWithTheirTypeAndProtocol,
          .claims = {"linux:packet_diag"}, .over = kOnce) {
  Socket cooked = Packets("SOCK_DGRAM");
  Socket raw = Packets("SOCK_RAW");
  EXPECT_EQ(TypesOfOurs(), std::vector<std::uint32_t>({SOCK_DGRAM, SOCK_RAW}));
}

TEST_WITH(PacketDiagTest, PacketDiag, OneThatIsClosedIsListedNoMore,
          .claims = {"linux:packet_diag"}, .over = kOnce) {
  Socket cooked = Packets("SOCK_DGRAM");
  Socket raw = Packets("SOCK_RAW");
  raw.Close().value();
  EXPECT_EQ(TypesOfOurs(), std::vector<std::uint32_t>({SOCK_DGRAM}));
}

// --- AF_NETLINK ----------------------------------------------------------------------------------

class NetlinkDiagTest : public SockDiagTest {
 protected:
  static constexpr std::uint32_t kRoute = 0;
  static constexpr std::uint32_t kGeneric = 16;  // NETLINK_GENERIC
  static constexpr std::uint32_t kAll = 0xff;    // NDIAG_PROTO_ALL
  static constexpr std::uint32_t kShowGroups = 1 << 1;
  static constexpr std::size_t kSize = 28;  // of struct netlink_diag_msg

  Socket BoundToRoute() {
    Socket socket = sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x0").value();
    socket.Bind(netlink::Kernel()).value();  // with the port that the system chooses
    return socket;
  }
  // nl_pid of struct sockaddr_nl.
  static std::uint32_t PortOf(const Socket& socket) {
    const Name name = socket.LocalName().value();
    if (name.raw() == nullptr) NotReached("its name is none of AF_NETLINK");
    return NumberAt(name.raw()->octets, 2).value_or(0);
  }
  // The entry of the one with that port, of those of a protocol: ndiag_portid of struct
  // netlink_diag_msg. Empty when it is not listed.
  Entry Find(std::uint32_t port, std::uint32_t protocol) {
    for (const Entry& entry :
         List(Number(AF_NETLINK, 1) + Number(protocol, 1) + Number(0, 2) + Number(0) +
              Number(kShowGroups) + Number(kAnyCookie) + Number(kAnyCookie))) {
      if (NumberAt(entry, 4) == port && NumberAt(entry, 2, 1) == kRoute) return entry;
    }
    return {};
  }
};

TEST_WITH(NetlinkDiagTest, NetlinkDiag, ASocketIsListedWithItsPortAndType,
          .claims = {"linux:netlink_diag"}, .over = kOnce) {
  Socket socket = BoundToRoute();
  const std::uint32_t port = PortOf(socket);
  EXPECT_EQ(NumberAt(Find(port, kAll), 1, 1), std::uint32_t{SOCK_RAW});
  socket.Close().value();
  EXPECT_EQ(Find(port, kAll), Entry());
}

TEST_WITH(NetlinkDiagTest, NetlinkDiag, OnlyTheProtocolAskedForIsListed,
          .claims = {"linux:netlink_diag-protocol"}, .over = kOnce) {
  Socket socket = BoundToRoute();
  EXPECT_NE(Find(PortOf(socket), kRoute), Entry());
  EXPECT_EQ(Find(PortOf(socket), kGeneric), Entry());
}

TEST_WITH(NetlinkDiagTest, NetlinkDiag, TheGroupsOfASocketAreTold,
          .claims = {"linux:netlink_diag-groups"}, .over = kOnce) {
  constexpr int kGroup = 5;                      // RTNLGRP_IPV4_IFADDR
  constexpr std::uint32_t kGroupsAttribute = 1;  // NETLINK_DIAG_GROUPS
  Socket socket = BoundToRoute();
  ASSERT_THAT(socket.SetOption("NETLINK_ADD_MEMBERSHIP", kGroup), Succeeds());
  const Entry entry = Find(PortOf(socket), kRoute);
  const auto groups = netlink::Attribute(entry, kSize, kGroupsAttribute);
  ASSERT_TRUE(groups) << "NETLINK_DIAG_GROUPS is not there";
  EXPECT_EQ(NumberAt(*groups, 0), 1U << (kGroup - 1));
}

// --- AF_VSOCK ------------------------------------------------------------------------------------

class VsockDiagTest : public SockDiagTest {
 protected:
  // The state, vdiag_state of struct vsock_diag_msg, of the one bound to that port; 0 where none is
  // listed.
  std::uint32_t StateAt(std::uint32_t port) {
    const std::string any = Number(0) + Number(0) + Number(kAnyCookie) + Number(kAnyCookie);
    for (const Entry& entry :
         List(Number(AF_VSOCK, 1) + Number(0, 3) + Number(kEveryState) + any)) {
      if (NumberAt(entry, 8) == port) return NumberAt(entry, 2, 1).value_or(0);
    }
    return 0;
  }
};

TEST_WITH(VsockDiagTest, VsockDiag, AListenerIsListedWithItsPort, .claims = {"linux:vsock_diag"},
          .needs = {"own-machine"}, .over = kOnce) {
  constexpr std::uint32_t kPort = 4711;
  // struct sockaddr_vm of VMADDR_CID_ANY.
  const Name name =
      RawName{"AF_VSOCK", Number(0, 2) + Number(kPort) + Number(0xffffffff) + Number(0)};
  const Outcome<Socket> opened = sut.OpenSocket("AF_VSOCK", "SOCK_STREAM");
  if (opened.error() == EAFNOSUPPORT) NotReached("the kernel has no AF_VSOCK");
  Socket listener = opened.value();
  EXPECT_EQ(StateAt(kPort), 0U);
  listener.Bind(name).value();
  listener.Listen(1).value();
  EXPECT_EQ(StateAt(kPort), kListenState);
  listener.Close().value();
  EXPECT_EQ(StateAt(kPort), 0U);
}

}  // namespace
}  // namespace sockproof
