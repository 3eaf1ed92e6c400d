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

constexpr const char* kLoopback = "lo";           // which every network namespace of Linux has
constexpr std::size_t kInfoSize = 16;             // of struct ifinfomsg
const std::string kOther("\x02\0\0\0\0\x07", 6);  // an address of the link, for nobody

class InterfacesTest : public SocketsTest {
 protected:
  Interfaces interfaces{sut.OpenSocket("AF_INET", "SOCK_DGRAM").value()};

  // What netlink lists in answer to a request with so many octets of zeros.
  std::vector<netlink::Answer> Listed(int request, std::size_t octets) {
    return netlink::List(sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x0").value(), request,
                         std::string(octets, '\0'));
  }
  // What RTM_NEWLINK says of the loopback interface: struct ifinfomsg and attributes.
  std::string FromNetlink() {
    constexpr int kGetLink = 18;            // RTM_GETLINK
    constexpr std::uint32_t kNameOfIt = 3;  // IFLA_IFNAME
    for (const netlink::Answer& link : Listed(kGetLink, kInfoSize)) {
      const auto name = netlink::Attribute(link.body, kInfoSize, kNameOfIt);
      if (name == std::string(kLoopback) + '\0') return link.body;
    }
    NotReached("RTM_GETLINK does not tell of it");
  }
  // Whether RTM_GETADDR tells of this address, as its octets.
  bool HasAddress(const std::string& octets) {
    constexpr int kGetAddress = 22;        // RTM_GETADDR
    constexpr std::size_t kSize = 8;       // of struct ifaddrmsg
    constexpr std::uint32_t kAddress = 1;  // IFA_ADDRESS
    const std::vector<netlink::Answer> listed = Listed(kGetAddress, kSize);
    return std::any_of(listed.begin(), listed.end(), [&](const netlink::Answer& address) {
      return netlink::Attribute(address.body, kSize, kAddress) == octets;
    });
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
      matrix.Check({std::string(domain) + " " + type, request}, [&, domain = domain, type = type](Cell& cell) {
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

TEST_WITH(InterfacesTest, InterfaceCalls, RenameWhatIsNotUp,
          .claims = {"man:netdevice(7)-SIOCSIFNAME"}, .needs = {"fresh"}, .over = kOnce) {
  const int index = interfaces.Number("SIOCGIFINDEX", kLoopback).value();
  if (!interfaces.SetFlags(kLoopback, {}).ok()) NotReached("the interface stays up");
  ASSERT_THAT(interfaces.Rename(kLoopback, "renamed"), Succeeds());
  EXPECT_THAT(interfaces.Number("SIOCGIFINDEX", "renamed"), Returns(index));
  EXPECT_THAT(interfaces.Number("SIOCGIFINDEX", kLoopback), Not(Succeeds()));
}

TEST_WITH(InterfacesTest, InterfaceCalls, DoNotRenameWhatIsUp,
          .claims = {"man:netdevice(7)-SIOCSIFNAME-up"}, .needs = {"fresh"}, .over = kOnce) {
  const std::vector<std::string> flags = interfaces.Flags(kLoopback).value();
  if (std::count(flags.begin(), flags.end(), "IFF_UP") == 0) NotReached("the interface is not up");
  const Outcome<int> renamed = interfaces.Rename(kLoopback, "renamed");
  if (renamed.error() == EPERM) NotReached("the agent is no privileged process");
  EXPECT_THAT(renamed, Not(Succeeds()));
}

TEST_WITH(InterfacesTest, InterfaceCalls, SetTheHardwareAddress,
          .claims = {"man:netdevice(7)-SIOCSIFHWADDR"}, .needs = {"fresh"}, .over = kOnce) {
  const int type = interfaces.Number("SIOCGIFHWADDR", kLoopback).value();
  const Outcome<int> set = interfaces.SetHardware("SIOCSIFHWADDR", kLoopback, type, kOther);
  if (set.error() == EOPNOTSUPP) NotReached("the loopback interface has one that stays");
  Set(set);
  EXPECT_TRUE(interfaces.Hardware(kLoopback).value().starts_with(kOther));
}

TEST_WITH(InterfacesTest, InterfaceCalls, SetTheHardwareBroadcastAddress,
          .claims = {"man:netdevice(7)-SIOCSIFHWBROADCAST"}, .needs = {"fresh"}, .over = kOnce) {
  constexpr std::uint32_t kBroadcast = 2;  // IFLA_BROADCAST
  const int type = interfaces.Number("SIOCGIFHWADDR", kLoopback).value();
  Set(interfaces.SetHardware("SIOCSIFHWBROADCAST", kLoopback, type, kOther));
  EXPECT_EQ(netlink::Attribute(FromNetlink(), kInfoSize, kBroadcast), kOther);
}

TEST_WITH(InterfacesTest, InterfaceCalls, TellTheExtendedFlags,
          .claims = {"man:netdevice(7)-SIOCGIFPFLAGS"}, .over = kOnce) {
  EXPECT_THAT(interfaces.Number("SIOCGIFPFLAGS", kLoopback), Returns(0))
      << "a loopback interface is none of those that they name";
}

TEST_WITH(InterfacesTest, InterfaceCalls, SetAndDeleteAnAddressOfIpv6,
          .claims = {"man:netdevice(7)-SIOCSIFADDR-ipv6", "man:netdevice(7)-SIOCDIFADDR"},
          .needs = {"fresh"}, .over = kOnce) {
  constexpr int kBits = 128;
  const Interfaces by_ipv6(sut.OpenSocket("AF_INET6", "SOCK_DGRAM").value());
  const int index = interfaces.Number("SIOCGIFINDEX", kLoopback).value();
  const IpAddress address("2001:db8:7::7");
  const std::string octets(reinterpret_cast<const char*>(address.bytes()), address.size());
  const Name name = Endpoint{address, 0};
  if (HasAddress(octets)) NotReached("the system has that address already");
  Deciding("man:netdevice(7)-SIOCSIFADDR-ipv6");
  Set(by_ipv6.SetIpv6Address("SIOCSIFADDR", index, name, kBits));
  EXPECT_TRUE(HasAddress(octets));
  Deciding("man:netdevice(7)-SIOCDIFADDR");
  Set(by_ipv6.SetIpv6Address("SIOCDIFADDR", index, name, kBits));
  EXPECT_FALSE(HasAddress(octets));
}

TEST_WITH_PEER(InterfaceCalls, AddAndDeleteAnAddressOfTheLink,
               .claims = {"man:netdevice(7)-SIOCADDMULTI"},
               .ipv4_only_because = "an address of the link has no version of IP") {
  const std::string group("\x01\0\x5e\x01\x02\x03", 6);
  const Interfaces interfaces(sut.OpenSocket("AF_INET", "SOCK_DGRAM").value());
  const auto list = interfaces.List(64).value();
  for (const auto& [name, address] : list) {
    if (!(address == Name(Endpoint{sut.Address(ip), 0}))) continue;
    for (const char* request : {"SIOCADDMULTI", "SIOCDELMULTI"}) {
      const Outcome<int> made = interfaces.SetHardware(request, name, AF_UNSPEC, group);
      if (made.error() == EPERM) NotReached("the agent is no privileged process");
      EXPECT_THAT(made, Succeeds());
    }
    return;
  }
  NotReached("SIOCGIFCONF does not list the interface on the wire");
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
  for (const char* request :
       {"SIOCSIFHWADDR", "SIOCSIFHWBROADCAST", "SIOCADDMULTI", "SIOCDELMULTI"}) {
    matrix.Check({request}, [&](Cell& cell) {
      cell.Expect(theirs.SetHardware(request, kLoopback, AF_UNSPEC, kOther), HasErrno(EPERM));
    });
  }
  matrix.Check({"SIOCSIFMAP"}, [&](Cell& cell) {
    cell.Expect(theirs.Make("SIOCSIFMAP", kLoopback), HasErrno(EPERM));
  });
  matrix.Check({"SIOCSIFNAME"}, [&](Cell& cell) {
    cell.Expect(theirs.Rename(kLoopback, "renamed"), HasErrno(EPERM));
  });
  matrix.Check({"SIOCSIFFLAGS"},
               [&](Cell& cell) { cell.Expect(theirs.SetFlags(kLoopback, {}), HasErrno(EPERM)); });
}

}  // namespace
}  // namespace sockproof
