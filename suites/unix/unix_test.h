// What the suites about sockets of AF_UNIX share: names that nobody else has, pairs and connections
// of the type that a test runs over.
#pragma once

#include <string>
#include <utility>

#include "harness/test/test.h"

namespace sockproof {

inline constexpr Family kUnixStreams[] = {kUnixStream};
inline constexpr Family kUnixDatagrams[] = {kUnixDatagram};
inline constexpr Family kUnixWithBoundaries[] = {kUnixDatagram, kUnixSeqpacket};
inline constexpr Family kUnixPairsOfSo[] = {kUnixStream,
                                            kUnixDatagram};  // whose pairs unix(7) names

class UnixTest : public SocketsTest {
 protected:
  struct Connection {
    Socket client, server, listener;
  };

  std::string type() const { return std::string(family.type); }
  std::pair<Socket, Socket> Pair(const std::vector<std::string>& flags = {}) {
    return sut.SocketPair(type(), flags);
  }

  // In the abstract namespace; each call gives another.
  Name FreshName() {
    return UnixName::Abstract("sockproof " + std::to_string(sut.process().pid()) + " " +
                              std::to_string(++names_));
  }
  // Of no file yet, in a directory that is the test's alone.
  std::string FreshPath() { return sut.process().Directory() + "/" + std::to_string(++names_); }

  // The credentials of the agent's process, as a stream pair tells them.
  Credentials Own() { return sut.SocketPair().first.PeerCredentials().value(); }

  Socket Bound(const Name& name) {
    Socket socket = NewSocket();
    socket.Bind(name).value();
    return socket;
  }
  Socket Listening(const Name& name, int backlog = 4) {
    Socket listener = Bound(name);
    listener.Listen(backlog).value();
    return listener;
  }
  Connection Connected(const std::vector<std::string>& flags = {}) {
    const Name name = FreshName();
    Socket listener = Listening(name);
    Socket client = NewSocket(flags);
    client.Connect(name).value();
    return {client, listener.Accept().value().socket, listener};
  }

 private:
  int names_ = 0;
};

}  // namespace sockproof
