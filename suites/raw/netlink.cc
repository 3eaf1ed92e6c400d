// Netlink: netlink(7) and rtnetlink(7) of the Linux man-pages.
#include <string>

#include "harness/test/matrix.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

constexpr const char* kRoute = "0x0";  // NETLINK_ROUTE
constexpr int kLinkGroup = 1;          // RTNLGRP_LINK of linux/rtnetlink.h
// Of linux/netlink.h and linux/rtnetlink.h.
constexpr int kErrorMessage = 2;       // NLMSG_ERROR
constexpr int kNewLink = 16;           // RTM_NEWLINK
constexpr std::uint8_t kGetLink = 18;  // RTM_GETLINK
constexpr std::uint8_t kRequest = 1;   // NLM_F_REQUEST, in the lower octet of the flags
constexpr std::uint8_t kDump = 3;      // NLM_F_DUMP, in the upper one

class NetlinkTest : public SocketsTest {
 protected:
  Socket Netlink() { return sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, kRoute).value(); }

  // RTM_GETLINK of an interface, or of all: struct nlmsghdr and struct ifinfomsg, of a host whose
  // lowest octet comes first.
  static std::string Request(int interface) {
    std::string message(32, '\0');
    message[0] = 32;
    message[4] = static_cast<char>(kGetLink);
    message[6] = static_cast<char>(kRequest);
    if (interface == 0) message[7] = static_cast<char>(kDump);
    message[8] = 77;  // its number
    message[20] = static_cast<char>(interface & 0xff);
    message[21] = static_cast<char>(interface >> 8);
    return message;
  }
  // -1 where there are not so many.
  static int OctetAt(const std::string& octets, std::size_t at) {
    return at < octets.size() ? static_cast<std::uint8_t>(octets[at]) : -1;
  }
  static int TypeOf(const std::string& answer) {
    return OctetAt(answer, 4) | OctetAt(answer, 5) << 8;
  }
  // The kernel's address.
  static Name Kernel() { return RawName{"AF_NETLINK", std::string(10, '\0')}; }
  static bool IsMember(const Socket& netlink) {
    const std::string groups = netlink.GetOctets("NETLINK_LIST_MEMBERSHIPS", 64).value();
    return !groups.empty() && (groups[0] & 1 << (kLinkGroup - 1)) != 0;
  }
};

TEST_WITH(NetlinkTest, Netlink, ListsTheInterfaces, .claims = {"man:rtnetlink(7)-RTM_GETLINK"},
          .over = kOnce) {
  Socket netlink = Netlink();
  ASSERT_THAT(netlink.SendTo(Kernel(), Request(0)), Returns(32));
  const std::string answer = netlink.Receive(60'000).value();
  EXPECT_EQ(TypeOf(answer), kNewLink);
  EXPECT_EQ(OctetAt(answer, 8), 77) << "the number of the request";
  EXPECT_NE(answer.find(std::string("lo\0", 3)), std::string::npos);
}

TEST_WITH(NetlinkTest, Netlink, AnErrorIsToldInAMessage, .claims = {"man:netlink(7)-NLMSG_ERROR"},
          .over = kOnce) {
  Socket netlink = Netlink();
  ASSERT_THAT(netlink.SendTo(Kernel(), Request(9999)), Returns(32));
  const std::string answer = netlink.Receive(4096).value();
  ASSERT_EQ(TypeOf(answer), kErrorMessage);
  // struct nlmsgerr begins with the negative errno.
  EXPECT_EQ(static_cast<std::int8_t>(OctetAt(answer, 16)), -ENODEV);
}

TEST_WITH(NetlinkTest, Netlink, CapAckTrimsTheRequestInTheError,
          .claims = {"man:netlink(7)-NETLINK_CAP_ACK"}, .over = kOnce) {
  const auto length_of_error = [&](bool trimmed) {
    Socket netlink = Netlink();
    if (trimmed) netlink.SetOption("NETLINK_CAP_ACK", 1).value();
    netlink.SendTo(Kernel(), Request(9999)).value();
    return netlink.Receive(4096).value().size();
  };
  // The 16 octets of struct ifinfomsg.
  EXPECT_EQ(length_of_error(false), length_of_error(true) + 16);
}

TEST_WITH(NetlinkTest, Netlink, AGroupIsJoinedListedAndLeft,
          .claims = {"man:netlink(7)-NETLINK_ADD_MEMBERSHIP",
                     "man:netlink(7)-NETLINK_LIST_MEMBERSHIPS"},
          .over = kOnce) {
  Socket netlink = Netlink();
  EXPECT_FALSE(IsMember(netlink));
  ASSERT_THAT(netlink.SetOption("NETLINK_ADD_MEMBERSHIP", kLinkGroup), Succeeds());
  EXPECT_TRUE(IsMember(netlink));
  ASSERT_THAT(netlink.SetOption("NETLINK_DROP_MEMBERSHIP", kLinkGroup), Succeeds());
  EXPECT_FALSE(IsMember(netlink));
}

TEST_WITH(NetlinkTest, Netlink, OptionsAreSetAndRead, .claims = {"man:netlink(7)-options"},
          .over = kOnce) {
  Matrix matrix({"option"});
  for (const char* option : {"NETLINK_PKTINFO", "NETLINK_BROADCAST_ERROR", "NETLINK_NO_ENOBUFS",
                             "NETLINK_CAP_ACK", "NETLINK_LISTEN_ALL_NSID"}) {
    matrix.Check({option}, [&](Cell& cell) {
      Socket netlink = Netlink();
      for (const int value : {1, 0}) {
        const Outcome<int> set = netlink.SetOption(option, value);
        if (set.error() == EPERM) throw Skip("the agent is no privileged process");
        cell.Expect(set, Succeeds());
        cell.Expect(netlink.GetOption(option), Returns(value));
      }
      netlink.Close();
    });
  }
}

}  // namespace
}  // namespace sockproof
