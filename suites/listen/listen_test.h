// What the suites about listening sockets share: a listener, and its clients.
#pragma once

#include <string>
#include <vector>

#include "harness/test/test.h"

namespace sockproof {

// A test of a listener of the system under test; the scripted peer plays all its clients.
class ListenTest : public PeerTest {
 protected:
  static constexpr std::uint16_t kPort = 8080;

  Socket Listening(int backlog, std::uint16_t port = kPort) {
    Socket listener = sut.NewSocket(ip);
    listener.Bind(port).value();
    listener.Listen(backlog).value();
    return listener;
  }

  // A client that has done nothing yet.
  ScriptedTcp& Client(std::uint16_t port = kPort) {
    return host.Towards(sut.At(ip, port), NextPort());
  }
  // The same at an address that nobody has, number `n` of those (RFC 5737, RFC 3849): whatever the
  // system under test sends there comes to the scripted peer, which is its default gateway.
  ScriptedTcp& ForgedClient(int n) {
    const char* network = ip == IpVersion::kIpv4 ? "198.51.100." : "2001:db8:f::";
    return host.Towards(sut.At(ip, kPort),
                        Endpoint{IpAddress(network + std::to_string(n)), NextPort()});
  }

  static ScriptedTcp& HalfOpen(ScriptedTcp& client,
                               SourceLocation where = SourceLocation::Current()) {
    client.Send(Syn());
    client.Expect(SynAck().Ack(client.snd_nxt), Within(kPatience), where);
    return client;
  }
  static ScriptedTcp& Established(ScriptedTcp& client,
                                  SourceLocation where = SourceLocation::Current()) {
    HalfOpen(client, where).Send(Ack());
    return client;
  }

  // Sends the client's SYN, for the first time or again; whether it was answered.
  bool SynIsAnswered(ScriptedTcp& client) {
    client.Send(Syn().Seq(client.iss));
    Settle();
    return client.waiting() > 0;
  }

  // As inet_diag shows the listener. Throws Departure when it does not.
  TcpSocketInfo Shown(std::uint16_t port = kPort,
                      SourceLocation where = SourceLocation::Current()) {
    for (const TcpSocketInfo& socket : sut.TcpSockets(ip)) {
      if (socket.state != TcpState::kListen || socket.local.port != port) continue;
      sut.log().Now(StateEvent{sut.actor(), socket.local.ToString(), "LISTEN"});
      return socket;
    }
    throw Departure("  Expected: inet_diag shows the listener\n  Observed: it does not", where);
  }

  // The far ends of all connections in SYN-RECEIVED, as inet_diag shows them, sorted.
  std::vector<std::string> ShownInSynReceived() {
    std::vector<std::string> remotes;
    for (const TcpSocketInfo& socket : sut.TcpSockets(ip)) {
      if (socket.state != TcpState::kSynReceived) continue;
      remotes.push_back(socket.remote.ToString());
      sut.log().Now(StateEvent{sut.actor(), remotes.back(), "SYN-RECEIVED"});
    }
    std::sort(remotes.begin(), remotes.end());
    return remotes;
  }
};

}  // namespace sockproof
