// Network interfaces by ioctl(): netdevice(7) of the Linux man-pages.
#include "harness/sut/interfaces.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/test/matrix.h"
#include "harness/test/test.h"
#include "suites/raw/netlink_messages.h"

namespace sockproof {
namespace {

using testing::Contains;
using testing::Not;

constexpr const char* kLoopback = "lo";  // which every network namespace of Linux has
constexpr std::size_t kInfoSize = 16;    // of struct ifinfomsg

class InterfacesTest : public SocketsTest {
 protected:
  Interfaces interfaces{sut.OpenSocket("AF_INET", "SOCK_DGRAM").value()};

  // What RTM_NEWLINK says of the loopback interface: struct ifinfomsg and attributes.
  std::string FromNetlink() {
    constexpr int kGetLink = 18;            // RTM_GETLINK
    constexpr std::uint32_t kNameOfIt = 3;  // IFLA_IFNAME
    constexpr std::size_t kMuch = 60'000;   // of one answer
    Socket socket = sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x0").value();
    const std::string any(kInfoSize, '\0');
    socket.SendTo(netlink::Kernel(), netlink::Message(kGetLink, netlink::kDump, any)).value();
    while (true) {
      const auto answers = netlink::Answers(socket.Receive(kMuch).value());
      for (const netlink::Answer& answer : answers) {
        const auto name = netlink::Attribute(answer.body, kInfoSize, kNameOfIt);
        if (name == std::string(kLoopback) + '\0') return answer.body;
      }
      if (answers.empty() || answers.back().type <= netlink::kDoneMessage) {
        NotReached("RTM_GETLINK does not tell of it");
      }
    }
  }
  // Sets, unless the agent may not.
  static void Set(const Outcome<int>& set) {
    if (set.error() == EPERM) NotReached("the agent is no privileged process");
    ASSERT_THAT(set, Succeeds());
  }
  bool IsListed(const Name& address) {
    const auto list = interfaces.List(64).value();
    return std::find(list.begin(), list.end(), std::pair<std::string, Name>(kLoopback, address)) !=
           list.end();
  }
};

Name Ipv4(const char* address) { return Endpoint{IpAddress(address), 0}; }

// --- what is read --------------------------------------------------------------------------------

TEST_WITH(InterfacesTest, InterfaceCalls, AnySocketWillDo,
          .claims = {"man:netdevice(7)-any-socket"}, .over = kOnce) {
  Matrix matrix({"socket", "request"});
  for (const auto& [domain, type] : {std::pair("AF_INET", "SOCK_STREAM"),
                                     {"AF_INET6", "SOCK_DGRAM"},
                                     {"AF_UNIX", "SOCK_STREAM"},
                                     {"AF_UNIX", "SOCK_DGRAM"},
                                     {"AF_NETLINK", "SOCK_RAW"}}) {
    for (const char* request :
         {"SIOCGIFINDEX", "SIOCGIFMTU", "SIOCGIFMETRIC", "SIOCGIFTXQLEN", "SIOCGIFHWADDR"}) {
      matrix.Check({std::string(domain) + " " + type, request}, [&](Cell& cell) {
        const Interfaces by_it(sut.OpenSocket(domain, type).value());
        cell.Expect(by_it.Number(request, kLoopback),
                    Returns(interfaces.Number(request, kLoopback).value()));
      });
    }
  }
}

TEST_WITH(InterfacesTest, InterfaceCalls, TheNumberOfAnInterfaceGivesItsName,
          .claims = {"man:netdevice(7)-SIOCGIFNAME"}, .over = kEachFamily) {
  const Interfaces by_it(NewSocket());
  const int index = by_it.Number("SIOCGIFINDEX", kLoopback).value();
  EXPECT_THAT(by_it.NameOf(index), Returns(std::string(kLoopback)));
}

struct ToldByNetlink {
  const char* name;
  const char* request;
  const char* claim;
  // Where netlink tells the same: the place in struct ifinfomsg, or an attribute.
  std::size_t place;
  std::size_t octets;
  int attribute;
};
constexpr ToldByNetlink kTold[] = {
    {"index", "SIOCGIFINDEX", "man:netdevice(7)-SIOCGIFINDEX", 4, 4, 0},
    {"hardware-type", "SIOCGIFHWADDR", "man:netdevice(7)-SIOCGIFHWADDR", 2, 2, 0},
    {"mtu", "SIOCGIFMTU", "man:netdevice(7)-SIOCGIFMTU", 0, 4, 4},                 // IFLA_MTU
    {"queue-length", "SIOCGIFTXQLEN", "man:netdevice(7)-SIOCGIFTXQLEN", 0, 4, 13}  // IFLA_TXQLEN
};

TEST_WITH(InterfacesTest, InterfaceCalls, TellWhatNetlinkTells,
          .claims = {"man:netdevice(7)-SIOCGIFINDEX", "man:netdevice(7)-SIOCGIFHWADDR",
                     "man:netdevice(7)-SIOCGIFMTU", "man:netdevice(7)-SIOCGIFTXQLEN"},
          .over = kOnce, .rows = kTold) {
  const ToldByNetlink& row = RowOf(kTold);
  const std::string info = FromNetlink();
  const auto attribute =
      netlink::Attribute(info, kInfoSize, static_cast<std::uint32_t>(row.attribute));
  const auto told = row.attribute == 0 ? netlink::NumberAt(info, row.place, row.octets)
                    : attribute        ? netlink::NumberAt(*attribute, 0, row.octets)
                                       : std::nullopt;
  if (!told) NotReached("netlink does not tell it");
  Deciding(row.claim);
  EXPECT_THAT(interfaces.Number(row.request, kLoopback), Returns(static_cast<int>(*told)));
}

TEST_WITH(InterfacesTest, InterfaceCalls, TheFlagsSayThatItIsALoopbackAndUp,
          .claims = {"man:netdevice(7)-SIOCGIFFLAGS"}, .over = kEachFamily) {
  const std::vector<std::string> flags = Interfaces(NewSocket()).Flags(kLoopback).value();
  EXPECT_THAT(flags, Contains("IFF_LOOPBACK"));
  EXPECT_THAT(flags, Contains("IFF_UP"));
}

TEST_WITH(InterfacesTest, InterfaceCalls, TheMetricIsReadAsZeroAndCannotBeSet,
          .claims = {"man:netdevice(7)-SIOCGIFMETRIC", "man:netdevice(7)-SIOCSIFMETRIC"},
          .over = kOnce) {
  Deciding("man:netdevice(7)-SIOCGIFMETRIC");
  EXPECT_THAT(interfaces.Number("SIOCGIFMETRIC", kLoopback), Returns(0));
  Deciding("man:netdevice(7)-SIOCSIFMETRIC");
  const Outcome<int> set = interfaces.SetNumber("SIOCSIFMETRIC", kLoopback, 7);
  if (set.error() == EPERM) NotReached("the agent is no privileged process");
  EXPECT_THAT(set, FailsWith(EOPNOTSUPP));
}

// --- SIOCGIFCONF ---------------------------------------------------------------------------------

TEST_WITH(InterfacesTest, InterfaceCalls, TheListHasTheAddressOfEachInterface,
          .claims = {"man:netdevice(7)-SIOCGIFCONF"}, .over = kOnce) {
  const auto list = interfaces.List(64).value();
  EXPECT_TRUE(IsListed(interfaces.Address("SIOCGIFADDR", kLoopback).value()));
  for (const auto& [name, address] : list) {
    EXPECT_NE(address.endpoint(), nullptr) << address.ToString() << ", no address of AF_INET";
    EXPECT_THAT(interfaces.Number("SIOCGIFINDEX", name), Succeeds());
  }
}

TEST_WITH(InterfacesTest, InterfaceCalls, WithoutABufferTheListTellsHowMuchItNeeds,
          .claims = {"man:netdevice(7)-SIOCGIFCONF-size"}, .over = kOnce) {
  const int needed = interfaces.Count().value();
  EXPECT_EQ(static_cast<int>(interfaces.List(64).value().size()), needed);
  EXPECT_EQ(static_cast<int>(interfaces.List(needed).value().size()), needed);
}

TEST_WITH(InterfacesTest, InterfaceCalls, WhatDoesNotFitTheListIsLeftOut,
          .claims = {"man:netdevice(7)-SIOCGIFCONF-short"}, .over = kOnce) {
  const auto list = interfaces.List(64).value();
  if (list.empty()) NotReached("no interface has an address");
  EXPECT_THAT(interfaces.List(static_cast<int>(list.size()) - 1),
              Returns(std::vector(list.begin(), list.end() - 1)));
}

TEST_WITH(InterfacesTest, InterfaceCalls, AListInBadMemoryIsAFault,
          .claims = {"man:netdevice(7)-EFAULT"}, .over = kOnce) {
  for (const char* kind : {"null", "unmapped", "read-only"}) {
    EXPECT_THAT(interfaces.CountWithBadPointer(kind), FailsWith(EFAULT)) << kind;
  }
}

// --- what is set ---------------------------------------------------------------------------------

struct Settable {
  const char* name;
  const char* get;
  const char* set;
  int more;
  const char* claim;
};
constexpr Settable kSettable[] = {
    {"mtu", "SIOCGIFMTU", "SIOCSIFMTU", -500, "man:netdevice(7)-SIOCSIFMTU"},
    {"queue-length", "SIOCGIFTXQLEN", "SIOCSIFTXQLEN", 500, "man:netdevice(7)-SIOCSIFTXQLEN"}};

TEST_WITH(InterfacesTest, InterfaceCalls, SetWhatIsRead,
          .claims = {"man:netdevice(7)-SIOCSIFMTU", "man:netdevice(7)-SIOCSIFTXQLEN"},
          .needs = {"fresh"}, .over = kOnce, .rows = kSettable) {
  const Settable& row = RowOf(kSettable);
  const int other = interfaces.Number(row.get, kLoopback).value() + row.more;
  Deciding(row.claim);
  Set(interfaces.SetNumber(row.set, kLoopback, other));
  EXPECT_THAT(interfaces.Number(row.get, kLoopback), Returns(other));
}

TEST_WITH(InterfacesTest, InterfaceCalls, WithoutTheFlagUpAnInterfaceIsDown,
          .claims = {"man:netdevice(7)-SIOCSIFFLAGS"}, .needs = {"fresh"}, .over = kOnce) {
  Set(interfaces.SetFlags(kLoopback, {}));
  EXPECT_THAT(interfaces.Flags(kLoopback).value(), Not(Contains("IFF_UP")));
  Set(interfaces.SetFlags(kLoopback, {"IFF_UP"}));
  EXPECT_THAT(interfaces.Flags(kLoopback).value(), Contains("IFF_UP"));
}

TEST_WITH(InterfacesTest, InterfaceCalls, AnAddressIsSetAndListed,
          .claims = {"man:netdevice(7)-SIOCSIFADDR"}, .needs = {"fresh"}, .over = kOnce) {
  Set(interfaces.SetAddress("SIOCSIFADDR", kLoopback, Ipv4("127.9.0.1")));
  EXPECT_THAT(interfaces.Address("SIOCGIFADDR", kLoopback), Returns(Ipv4("127.9.0.1")));
  EXPECT_TRUE(IsListed(Ipv4("127.9.0.1")));
}

TEST_WITH(InterfacesTest, InterfaceCalls, AnAddressOfZeroDeletesIt,
          .claims = {"man:netdevice(7)-SIOCSIFADDR-zero"}, .needs = {"fresh"}, .over = kOnce) {
  if (!IsListed(Ipv4("127.0.0.1"))) NotReached("the loopback interface has no such address");
  Set(interfaces.SetAddress("SIOCSIFADDR", kLoopback, Ipv4("0.0.0.0")));
  EXPECT_FALSE(IsListed(Ipv4("127.0.0.1")));
}

struct AddressPair {
  const char* name;
  const char* get;
  const char* set;
  const char* value;
  const char* claim;
};
constexpr AddressPair kAddresses[] = {{"netmask", "SIOCGIFNETMASK", "SIOCSIFNETMASK", "255.255.0.0",
                                       "man:netdevice(7)-SIOCSIFNETMASK"},
                                      {"broadcast", "SIOCGIFBRDADDR", "SIOCSIFBRDADDR",
                                       "127.255.255.255", "man:netdevice(7)-SIOCSIFBRDADDR"}};

TEST_WITH(InterfacesTest, InterfaceCalls, SetTheMaskAndTheBroadcastAddress,
          .claims = {"man:netdevice(7)-SIOCSIFNETMASK", "man:netdevice(7)-SIOCSIFBRDADDR"},
          .needs = {"fresh"}, .over = kOnce, .rows = kAddresses) {
  const AddressPair& row = RowOf(kAddresses);
  Deciding(row.claim);
  Set(interfaces.SetAddress(row.set, kLoopback, Ipv4(row.value)));
  EXPECT_THAT(interfaces.Address(row.get, kLoopback), Returns(Ipv4(row.value)));
}

TEST_WITH(InterfacesTest, InterfaceCalls, WhatIsPrivilegedFailsForOthers,
          .claims = {"man:netdevice(7)-EPERM"}, .needs = {"processes"}, .over = kOnce) {
  const Socket socket = sut.OpenSocket("AF_INET", "SOCK_DGRAM").value();
  const Outcome<Process> user = sut.process().Fork({.uid = 65534, .gid = 65534});
  if (!user.ok()) NotReached("the agent has one user alone");
  const Interfaces theirs(socket, user.value());
  ASSERT_THAT(theirs.Number("SIOCGIFMTU", kLoopback), Succeeds());
  Matrix matrix({"request"});
  for (const char* request : {"SIOCSIFMTU", "SIOCSIFTXQLEN"}) {
    matrix.Check({request}, [&](Cell& cell) {
      cell.Expect(theirs.SetNumber(request, kLoopback, 2000), HasErrno(EPERM));
    });
  }
  for (const char* request :
       {"SIOCSIFADDR", "SIOCSIFNETMASK", "SIOCSIFBRDADDR", "SIOCSIFDSTADDR"}) {
    matrix.Check({request}, [&](Cell& cell) {
      cell.Expect(theirs.SetAddress(request, kLoopback, Ipv4("127.0.0.9")), HasErrno(EPERM));
    });
  }
  matrix.Check({"SIOCSIFFLAGS"},
               [&](Cell& cell) { cell.Expect(theirs.SetFlags(kLoopback, {}), HasErrno(EPERM)); });
}

}  // namespace
}  // namespace sockproof
