// One running stack of the system under test: an agent inside it, and a wire attached to it where
// the test has one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/claims/facts.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/agent.h"
#include "harness/sut/outcome.h"
#include "harness/sut/system.h"
#include "harness/wire/port.h"

namespace sockproof {

class Process;
class Socket;

// Whether any system could have this capability: one that an agent can declare, or one of those
// that Stack::Can() adds.
bool IsCapability(const std::string& name);

// Made by a System. Not thread-safe.
class Stack {
 public:
  // `diag` is left out by systems that do not offer inet_diag. `world` is whatever must live as
  // long as the stack (its namespace).
  struct Parts {
    StackPlan plan;
    std::shared_ptr<void> world;
    std::unique_ptr<WirePort> wire;  // null: of a plan without
    std::optional<SockDiag> diag;
    std::unique_ptr<Agent> agent;
    std::vector<std::string> capabilities;       // beyond those that the agent declares
    std::function<void()> add_second_addresses;  // where the system can have them
    Facts facts;  // beyond those; of "os" and "release" the agent's are kept as "agent.os", ...

    // Whether it lives on after the test, so that the next one must not meet what this one did. The
    // rest is of such systems alone.
    bool lives_on = false;
    std::optional<MacAddress> mac;  // its own; none: that of the address plan
    std::uint16_t port_shift = 0;   // added to the ports that tests name
    int stranger = 0;               // a host that it has not heard of; 0: the other one of its wire
    std::function<void(Stack&)> farewell;  // before the agent ends; may be null
  };
  Stack(EventLoop& loop, EventLog& log, Parts parts);
  ~Stack();

  const std::string& actor() const { return parts_.plan.actor; }
  int host() const { return parts_.plan.index; }  // its number in the address plan
  IpAddress Address(IpVersion version) const;
  // A further address, on another network, that the system has from the first such call on. Throws
  // Skip without the capability "second-address".
  IpAddress SecondAddress(IpVersion version);
  // Where this stack has a port that a test names.
  Endpoint At(IpVersion version, std::uint16_t port) const {
    return {Address(version), static_cast<std::uint16_t>(port + parts_.port_shift)};
  }
  MacAddress Mac() const;
  // The number of a host on its wire of which it knows nothing.
  int Stranger() const;
  std::uint16_t PortShift() const { return parts_.port_shift; }
  bool has_wire() const { return parts_.wire != nullptr; }
  // Throws HarnessError when it has none.
  WirePort& wire();
  Agent& agent() { return *parts_.agent; }
  EventLoop& loop() { return loop_; }
  EventLog& log() { return log_; }

  // What the system says of itself; read on first use, and again after SetSysctl().
  const Facts& facts();

  // "diag" (inet_diag can be asked), "states" (by that or by the agent), "fresh" (made for this
  // test), "second-address" (it can be given one), or what the agent declares: "ipv6", "sysctl",
  // "counters", ...
  bool Can(const std::string& capability) const;

  // In this stack only, and where that lives on, until the test ends. Throws Skip when the system
  // does not have the sysctl or refuses the value, HarnessError for one that no document knows.
  void SetSysctl(const std::string& name, const std::string& value);
  void SetSysctl(const std::string& name, int value) { SetSysctl(name, std::to_string(value)); }

  // A counter of /proc/net/netstat or /proc/net/snmp: "TcpExt.ListenOverflows". Throws Skip when
  // the system has no such counter, HarnessError for one that no list knows.
  std::int64_t Counter(const std::string& name);

  // socket(). `type` e.g. "SOCK_STREAM". Throws Departure when the call fails.
  Socket NewSocket(IpVersion version, const std::string& type = "SOCK_STREAM",
                   const std::vector<std::string>& flags = {},
                   SourceLocation where = SourceLocation::Current());
  // The same of any family: "AF_UNIX".
  Socket NewSocket(const std::string& domain, const std::string& type,
                   const std::vector<std::string>& flags = {},
                   SourceLocation where = SourceLocation::Current());
  // The process that makes the calls: socket(), socketpair(), files, children
  // (harness/sut/process.h).
  Process process();
  // Its socket() and socketpair(), as what they give.
  Outcome<Socket> OpenSocket(const std::string& domain, const std::string& type,
                             const std::vector<std::string>& flags = {},
                             const std::string& protocol = "");
  Outcome<std::pair<Socket, Socket>> OpenSocketPair(const std::string& type,
                                                    const std::vector<std::string>& flags = {},
                                                    const std::string& domain = "AF_UNIX",
                                                    const std::string& protocol = "");
  // Both sockets of a pair of AF_UNIX. Throws Departure when the call fails.
  std::pair<Socket, Socket> SocketPair(const std::string& type = "SOCK_STREAM",
                                       const std::vector<std::string>& flags = {},
                                       SourceLocation where = SourceLocation::Current());

  // For systems that are made wrong on purpose: changes what is read of this stack.
  struct Misreading {
    std::function<void(std::vector<TcpSocketInfo>&)> sockets;
    std::function<void(std::int64_t&)> counter;
    std::function<void(Facts&)> facts;
  };
  void Misread(Misreading misreading) {
    misreading_ = std::move(misreading);
    if (misreading_.facts) facts_.reset();  // were read before
  }

  // The sockets as inet_diag shows them, else as the agent does. Throws Skip when neither can.
  std::vector<TcpSocketInfo> TcpSockets(IpVersion version);

  // The connection between the endpoints, as TcpSockets() has it; a remote port of 0 means the
  // listener at `local`. None: there is no such socket.
  std::optional<TcpSocketInfo> Find(const Endpoint& local, const Endpoint& remote);

  // The state of the connection between the endpoints; CLOSED when there is none. A remote port
  // of 0 means the listener at `local`.
  TcpState StateOf(const Endpoint& local, const Endpoint& remote);

 private:
  void ReadFacts();

  EventLoop& loop_;
  EventLog& log_;
  Parts parts_;
  std::optional<Facts> facts_;
  Misreading misreading_;
  bool has_second_addresses_ = false;
  std::vector<std::pair<std::string, std::string>> sysctls_before_;
};

}  // namespace sockproof
