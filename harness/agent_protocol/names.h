// The symbolic constants of the agent protocol: on the wire they travel by name only, because
// their numbers differ from system to system.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof::agent_protocol {

// One constant of this system, e.g. {"SHUT_WR", 1}.
struct Constant {
  std::string_view name;
  std::int64_t value;
};

// A family of constants, in static storage.
using Constants = std::span<const Constant>;

Constants AddressFamilies();      // AF_INET ...
Constants SocketTypes();          // SOCK_STREAM ...
Constants SocketFlags();          // SOCK_NONBLOCK, SOCK_CLOEXEC: of socket(), accept4()
Constants Protocols();            // IPPROTO_TCP ...
Constants MessageFlags();         // MSG_DONTWAIT ...
Constants ShutdownDirections();   // SHUT_WR ...
Constants PollEvents();           // POLLIN ...
Constants EpollEvents();          // EPOLLIN, EPOLLET ...
Constants EpollFlags();           // EPOLL_CLOEXEC
Constants EpollOperations();      // EPOLL_CTL_ADD ...
Constants ControlCommands();      // F_GETFL ...: of fcntl()
Constants FileStatusFlags();      // O_NONBLOCK ...
Constants FileDescriptorFlags();  // FD_CLOEXEC
Constants ControlRequests();      // SIOCINQ ...: of ioctl()
Constants InterfaceRequests();    // SIOCGIFMTU ...: of ioctl() with an interface
Constants InterfaceFlags();       // IFF_UP ...
Constants OptionLevels();         // SOL_SOCKET, IPPROTO_TCP ...: of getsockopt()
Constants OpenFlags();            // O_CREAT ...: of open()
Constants SeekOrigins();          // SEEK_SET ...
Constants SpliceFlags();          // SPLICE_F_NONBLOCK ...
Constants Signals();              // SIGUSR1 ...
Constants Privileges();           // CAP_NET_RAW ...: of capabilities(7)
Constants ResourceLimits();       // RLIMIT_NOFILE ...

// Whether the protocol has a method of this name (src/agent/README.md); agents may lack some.
bool IsMethod(std::string_view name);

// Nothing for a name that is not in `constants`. A number that has no name can be given in
// hexadecimal, "0x7f", for tests of values that no header knows.
std::optional<std::int64_t> ValueOf(Constants constants, std::string_view name);

// The first name of `value`; its number in hexadecimal when it has none.
std::string NameOf(Constants constants, std::int64_t value);

// The names of the bits in `flags`. Bits that have none are one more element, in hexadecimal.
std::vector<std::string> NamesOfFlags(Constants constants, std::int64_t flags);

// "FIN-WAIT-2" for TCP_FIN_WAIT2: the kernel's number of a TCP state, as RFC 9293 spells it.
std::string TcpStateName(int state);

}  // namespace sockproof::agent_protocol
