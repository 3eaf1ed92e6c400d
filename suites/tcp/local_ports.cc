// The ports that the system under test chooses: ip_local_port_range of ip(7).
#include <set>
#include <string>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(LocalPorts, AreThoseOfIpLocalPortRange,
               .claims = {"man:ip(7)-ip_local_port_range", "man:connect(2)-EADDRNOTAVAIL"},
               .needs = {"fresh", "sysctl"}) {
  sut.SetSysctl("net.ipv4.ip_local_port_range", "50001 50002");
  ScriptedTcp& peer = host.Listen(ip, 80);
  Deciding("man:ip(7)-ip_local_port_range");
  Socket first = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  Socket second = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  std::set<std::uint16_t> ports;
  for (Socket* socket : {&first, &second}) {
    EXPECT_THAT(socket->Connect(peer.local()), FailsWith(EINPROGRESS));
    ports.insert(socket->LocalEndpoint().port);
  }
  EXPECT_THAT(ports, testing::ElementsAre(50001, 50002));
  Deciding("man:connect(2)-EADDRNOTAVAIL");
  EXPECT_THAT(sut.NewSocket(ip).Connect(peer.local()), FailsWith(EADDRNOTAVAIL));
}

// A range of an odd number of ports; the last one is a port like the others.
TEST_WITH_PEER(LocalPorts, AreAllUsedBeforeNoneIsLeft, .claims = {"man:connect(2)-EADDRNOTAVAIL"},
               .needs = {"fresh", "sysctl"}) {
  sut.SetSysctl("net.ipv4.ip_local_port_range", "50001 50003");
  ScriptedTcp& peer = host.Listen(ip, 80);
  std::set<std::uint16_t> ports;
  std::vector<Socket> sockets;
  for (int i = 0; i < 3; ++i) {
    sockets.push_back(sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"}));
    EXPECT_THAT(sockets.back().Connect(peer.local()), FailsWith(EINPROGRESS));
    ports.insert(sockets.back().LocalEndpoint().port);
  }
  EXPECT_THAT(ports, testing::ElementsAre(50001, 50002, 50003));
  EXPECT_THAT(sut.NewSocket(ip).Connect(peer.local()), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH_PEER(LocalPorts, OfABindToPortZeroAreThoseOfIpLocalPortRange,
               .claims = {"man:ip(7)-ip_local_port_range"}, .needs = {"fresh", "sysctl"}) {
  sut.SetSysctl("net.ipv4.ip_local_port_range", "50001 50002");
  Socket first = sut.NewSocket(ip);
  Socket second = sut.NewSocket(ip);
  std::set<std::uint16_t> ports;
  for (Socket* socket : {&first, &second}) {
    ASSERT_THAT(socket->Bind(Endpoint{sut.Address(ip), 0}), Succeeds());
    ports.insert(socket->LocalEndpoint().port);
  }
  EXPECT_THAT(ports, testing::ElementsAre(50001, 50002));
}
