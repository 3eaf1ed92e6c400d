// What an application is known to have done with its connections, from the calls of a test.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/oracle/oracle.h"
#include "harness/trace/timeline.h"
#include "src/judge/octets.h"

namespace sockproof {

// The sockets of one actor, by its calls. Calls that are not understood do nothing.
class Calls {
 public:
  // What an application has set.
  struct IpFields {
    std::optional<int> traffic_class, hop_limit;
  };
  // An endpoint as calls and EndpointText() write it: "192.0.2.1:80".
  struct Connection {
    std::string local;
    std::string remote;
    oracle::Oracle* oracle = nullptr;
    Octets written, arrived;  // by its application, at its system; from the first octet of data
    IpFields set;
  };

  // The call begins, or has returned. A departure: it may not return so, of this connection.
  void Begins(const CallSpan& span);
  struct Objected {
    Connection* connection = nullptr;  // none: of a socket that has none
    oracle::Departure departure;
  };
  std::optional<Objected> Returns(const CallSpan& span);

  // A call of which nothing was heard by `end`, when the connection had been quiet for a while.
  std::optional<Objected> Waits(const CallSpan& span, Time end);

  // The system sent a SYN, or one has arrived at it: finds out whose connection that becomes.
  void Opens(Connection& connection, bool is_active);

  // Whether the connection is that of a known socket.
  bool Knows(const Connection& connection) const;

 private:
  struct Socket {
    std::string local, remote;
    bool is_stream = false, is_ipv6 = false;
    IpFields set;
    Time made;
    bool is_listening = false;
    bool defers = false;  // TCP_DEFER_ACCEPT
    bool is_connecting = false;
    bool has_keepalive = false, waits_for_more = false, may_linger = false;
    bool holds_back = false;  // TCP_CORK
    bool polls_errors = false;  // SO_SELECT_ERR_QUEUE
    int backlog = 0;
    int finishes = 0;  // calls of shutdown() that close the sending side
    int references = 1;
    std::vector<Connection*> waiting;  // of a listener: not yet accepted
    Connection* connection = nullptr;
  };
  using SocketRef = std::shared_ptr<Socket>;

  static std::optional<Objected> ReturnsWithoutConnection(const Socket& socket,
                                                          const std::string& name,
                                                          const std::string& result);
  SocketRef Find(const std::string& descriptor) const;
  oracle::Application* UserOf(const SocketRef& socket) const;
  void StopListening(const SocketRef& socket);
  void Close(const SocketRef& socket, Time now);
  void Accepted(const SocketRef& listener, const std::string& result);
  void LookForRoom(const Socket& listener);

  std::map<std::string, SocketRef> sockets_;  // by descriptor
  std::map<std::string, SocketRef> closing_;  // of a close() that has not returned
  std::vector<SocketRef> listeners_;
  std::map<const Connection*, SocketRef> owners_;
};

}  // namespace sockproof
