// Connections of the system under test, as tests hold them.
#pragma once

#include "harness/sut/socket.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

// A connection against the scripted peer: the socket on the system under test, and the endpoint
// that the test plays. `auto [socket, peer] = Connected();`
struct Connection {
  Socket socket;  // in LISTEN and SYN-RECEIVED: the listener
  ScriptedTcp& peer;

  // The endpoint of the system under test, and the scripted one.
  const Endpoint& local() const { return *peer.remote(); }
  const Endpoint& remote() const { return peer.local(); }
};

// A connection between two stacks: `auto [near, far] = Connected();`
struct StackConnection {
  Socket client;
  Socket server;
};

}  // namespace sockproof
