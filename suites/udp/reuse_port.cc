// Several sockets on one address: SO_REUSEPORT of socket(7).
#include <set>

#include "suites/udp/udp_test.h"

using namespace sockproof;

namespace {

class UdpReusePortTest : public UdpTest {
 protected:
  static constexpr std::uint16_t kPort = 5400;
  static constexpr int kSockets = 4;

  std::vector<Socket> Sharing() {
    std::vector<Socket> sockets;
    for (int number = 0; number < kSockets; ++number) {
      Socket socket = NewUdp();
      socket.SetOption("SO_REUSEPORT", 1).value();
      socket.Bind(kPort).value();
      sockets.push_back(socket);
    }
    return sockets;
  }
  // Which of them has got the datagram, and nobody else has: -1, nobody has; -2, several have.
  int WhoHas(std::vector<Socket>& sockets, const std::string& text) {
    Settle();
    int who = -1;
    for (int number = 0; number < kSockets; ++number) {
      const Outcome<std::string> received = sockets[number].Receive(64, {"MSG_DONTWAIT"});
      if (received.ok() && received.value() == text) who = who == -1 ? number : -2;
    }
    return who;
  }
};

}  // namespace

TEST_WITH(UdpReusePortTest, UdpReusePort, EachDatagramGoesToOneOfThem,
          .claims = {"man:socket(7)-SO_REUSEPORT", "man:socket(7)-SO_REUSEPORT-udp"}) {
  std::vector<Socket> sockets = Sharing();
  std::set<int> takers;
  // That 64 flows all go to one of four by chance happens once in 10^38 runs.
  for (int number = 0; number < 64; ++number) {
    host.UdpTowards(sut.At(ip, kPort), NextPort()).Send(Datagram("to one"));
    const int who = WhoHas(sockets, "to one");
    ASSERT_GE(who, 0) << (who == -1 ? "nobody has it" : "several have it");
    takers.insert(who);
  }
  EXPECT_GT(takers.size(), 1U) << "all go to the same";
}

TEST_WITH(UdpReusePortTest, UdpReusePort, NeedsTheOptionOnEach,
          .claims = {"man:socket(7)-SO_REUSEPORT"}) {
  Socket with = NewUdp();
  ASSERT_THAT(with.SetOption("SO_REUSEPORT", 1), Succeeds());
  ASSERT_THAT(with.Bind(kPort), Succeeds());
  Socket without = NewUdp();
  EXPECT_THAT(without.Bind(kPort), FailsWith(EADDRINUSE));
}

TEST_WITH(UdpReusePortTest, UdpReusePort, AConnectedOneIsPreferred,
          .claims = {"posix:connect-datagram"}) {
  std::vector<Socket> sockets = Sharing();
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, kPort), NextPort());
  ScriptedUdp& other = host.UdpTowards(sut.At(ip, kPort), NextPort());
  ASSERT_THAT(sockets[2].Connect(peer.local()), Succeeds());
  for (int number = 0; number < 8; ++number) {
    other.Send(Datagram("not for the connected one"));
    EXPECT_NE(WhoHas(sockets, "not for the connected one"), 2);
  }
}
