// Several listeners on one address, SO_REUSEPORT of socket(7): each connection goes to one of them.
#include <map>
#include <set>

#include "suites/listen/listen_test.h"

using namespace sockproof;

namespace {

class ListenerGroup : public ListenTest {
 protected:
  std::vector<Socket> Group(int size) {
    std::vector<Socket> group;
    for (int i = 0; i < size; ++i) {
      Socket listener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
      listener.SetOption("SO_REUSEPORT", 1).value();
      listener.Bind(kPort).value();
      listener.Listen(64).value();
      group.push_back(listener);
    }
    return group;
  }

  // Takes every connection that waits at that listener: their far ends.
  static std::set<std::string> AcceptAll(Socket& listener) {
    std::set<std::string> remotes;
    while (true) {
      const Outcome<Accepted> accepting = listener.Accept();
      if (accepting.error() == EAGAIN) return remotes;
      remotes.insert(accepting.value().remote.ToString());
    }
  }
};

constexpr int kConnections = 24;

}  // namespace

TEST_WITH(ListenerGroup, ReusePort, EachConnectionGoesToExactlyOneListener,
          .claims = {"man:socket(7)-SO_REUSEPORT"}) {
  std::vector<Socket> group = Group(3);
  std::set<std::string> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.insert(Established(Client()).local().ToString());
  }
  Settle();

  std::multiset<std::string> accepted;
  size_t listeners_used = 0;
  for (Socket& listener : group) {
    const std::set<std::string> taken = AcceptAll(listener);
    accepted.insert(taken.begin(), taken.end());
    if (!taken.empty()) ++listeners_used;
  }
  EXPECT_THAT(accepted, testing::ElementsAreArray(clients));
  EXPECT_GT(listeners_used, 1U) << "the load is not distributed";
}

TEST_WITH(ListenerGroup, ReusePort, AConnectionOfTheSameEndpointsGoesToTheSameListener,
          .claims = {"linux:reuseport-hash"}) {
  std::vector<Socket> group = Group(3);
  std::map<std::string, std::set<size_t>> listeners_of;
  std::vector<ScriptedTcp*> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(&Client());
  for (int round = 0; round < 3; ++round) {
    for (ScriptedTcp* client : clients) {
      client->iss = client->snd_nxt = client->snd_nxt + 100'000;
      Established(*client).Send(Rst());
    }
    Settle();
    for (size_t index = 0; index < group.size(); ++index) {
      for (const std::string& remote : AcceptAll(group[index])) listeners_of[remote].insert(index);
    }
  }
  EXPECT_THAT(listeners_of, testing::SizeIs(clients.size()));
  for (const auto& [remote, listeners] : listeners_of) {
    EXPECT_THAT(listeners, testing::SizeIs(1)) << remote;
  }
}

TEST_WITH(ListenerGroup, ReusePort, EverySocketOfTheGroupMustAskForIt,
          .claims = {"man:socket(7)-SO_REUSEPORT"}) {
  Group(1);
  Socket without = sut.NewSocket(ip);
  EXPECT_THAT(without.Bind(kPort), FailsWith(EADDRINUSE));
  Socket with = sut.NewSocket(ip);
  with.SetOption("SO_REUSEPORT", 1).value();
  EXPECT_THAT(with.Bind(kPort), Succeeds());
}

TEST_WITH(ListenerGroup, ReusePort, AListenerThatIsClosedGetsNoMoreConnections,
          .claims = {"man:socket(7)-SO_REUSEPORT", "linux:listener-closed"}) {
  std::vector<Socket> group = Group(2);
  ASSERT_THAT(group[0].Close(), Succeeds());
  for (int i = 0; i < kConnections; ++i) Established(Client());
  Settle();
  EXPECT_THAT(AcceptAll(group[1]), testing::SizeIs(kConnections));
}

TEST_WITH(ListenerGroup, ReusePort, TheQueueOfAClosedListenerIsLostByDefault,
          .claims = {"linux:listener-closed", "linux:tcp_migrate_req"}) {
  std::vector<Socket> group = Group(2);
  ScriptedTcp& client = Established(Client());
  Settle();
  const size_t chosen = group[0].Poll({"POLLIN"}).value().empty() ? 1 : 0;
  ASSERT_THAT(group[chosen].Close(), Succeeds());
  client.Expect(Rst().Seq(client.rcv_nxt));
}

TEST_WITH(ListenerGroup, ReusePort, WithTcpMigrateReqTheQueueOfAClosedListenerMovesToAnother,
          .claims = {"linux:tcp_migrate_req"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_migrate_req", 1);
  std::vector<Socket> group = Group(2);
  std::set<std::string> clients;
  std::vector<ScriptedTcp*> half_open;
  for (int i = 0; i < 8; ++i) {
    clients.insert(Established(Client()).local().ToString());
    half_open.push_back(&HalfOpen(Client()));
    clients.insert(half_open.back()->local().ToString());
  }
  ASSERT_THAT(group[0].Close(), Succeeds());
  for (ScriptedTcp* client : half_open) client->Send(Ack());
  Settle();
  EXPECT_EQ(AcceptAll(group[1]), clients);
}
