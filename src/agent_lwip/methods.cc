#include "src/agent_lwip/methods.h"

#include <errno.h>
#include <lwip/sockets.h>
#include <sys/utsname.h>

#include "src/agent/hello.h"
#include "src/agent/socket_methods.h"
#include "src/agent_lwip/constants.h"
#include "src/agent_lwip/settings.h"
#include "src/agent_lwip/tcp_table.h"

namespace sockproof::agent_lwip {
namespace {

using agent::Call;
using agent::json;
using agent::Parameters;

// lwip_poll() fails for a descriptor that is not open, and leaves errno as it was.
int Poll(pollfd* fds, nfds_t count, int timeout) {
  errno = EBADF;
  return lwip_poll(fds, count, timeout);
}

constexpr agent::SocketSystem kLwip = {
    .socket = lwip_socket,
    .bind = lwip_bind,
    .connect = lwip_connect,
    .listen = lwip_listen,
    .accept = [](int fd, sockaddr* address, socklen_t* length,
                 int) { return lwip_accept(fd, address, length); },
    .getsockname = lwip_getsockname,
    .getpeername = lwip_getpeername,
    .shutdown = lwip_shutdown,
    .close = lwip_close,
    .send = lwip_send,
    .sendto = lwip_sendto,
    .sendmsg = lwip_sendmsg,
    .write = lwip_write,
    .writev = lwip_writev,
    .recv = lwip_recv,
    .recvfrom = lwip_recvfrom,
    .recvmsg = lwip_recvmsg,
    .read = lwip_read,
    .readv = lwip_readv,
    .getsockopt = lwip_getsockopt,
    .setsockopt = lwip_setsockopt,
    .fcntl = lwip_fcntl,
    .ioctl = [](int fd, unsigned long request,
                int* value) { return lwip_ioctl(fd, static_cast<long>(request), value); },
    .poll = Poll,
    .checks_pointers = false,
    .has_option = HasOption,
    .address_families = AddressFamilies,
    .socket_types = SocketTypes,
    .socket_flags = None,
    .protocols = Protocols,
    .message_flags = MessageFlags,
    .poll_events = PollEvents,
    .control_commands = ControlCommands,
    .file_status_flags = FileStatusFlags,
    .file_descriptor_flags = None,
    .control_requests = ControlRequests,
};

using Sockets = agent::SocketMethods<kLwip>;

bool HasSockets(int domain) {
  const int fd = lwip_socket(domain, SOCK_STREAM, 0);
  if (fd >= 0) lwip_close(fd);
  return fd >= 0;
}

agent::About LookAround() {
  utsname machine{};
  uname(&machine);
  agent::About about{.name = "sockproof-agent-lwip",
                     .os = "lwIP",
                     .release = Release(),
                     .machine = machine.machine,
                     .facts = Settings()};
  if (HasSockets(AF_INET)) about.capabilities.emplace_back("ipv4");
  if (HasSockets(AF_INET6)) about.capabilities.emplace_back("ipv6");
  about.capabilities.emplace_back("messages");
  about.capabilities.emplace_back("tcp_sockets");
  return about;
}

json SayHello(Parameters& parameters, Call& call) {
  return agent::Hello(parameters, call, LookAround);
}

json TcpSockets(Parameters& parameters, Call& call) {
  const int family = parameters.Constant("family", AddressFamilies());
  if (family != AF_INET && family != AF_INET6) parameters.Unsupported("TCP of that family");
  json sockets;
  call.Run([&] {
    sockets = TcpSocketsOf(family == AF_INET6);
    return 0;
  });
  return sockets;
}

constexpr bool kReturnsAtOnce = false;
constexpr bool kMayBlock = true;

constexpr agent::Method kMethods[] = {
    {"hello", SayHello, kReturnsAtOnce},
    {"ping", agent::Ping, kReturnsAtOnce},
    {"socket", Sockets::Socket, kReturnsAtOnce},
    {"bind", Sockets::Bind, kReturnsAtOnce},
    {"connect", Sockets::Connect, kMayBlock},
    {"listen", Sockets::Listen, kReturnsAtOnce},
    {"accept", Sockets::Accept, kMayBlock},
    {"getsockname", Sockets::GetSocketName, kReturnsAtOnce},
    {"getpeername", Sockets::GetPeerName, kReturnsAtOnce},
    {"send", Sockets::Send, kMayBlock},
    {"sendto", Sockets::SendTo, kMayBlock},
    {"sendmsg", Sockets::SendMessage, kMayBlock},
    {"write", Sockets::Write, kMayBlock},
    {"writev", Sockets::WriteVector, kMayBlock},
    {"recv", Sockets::Receive, kMayBlock},
    {"recvfrom", Sockets::ReceiveFrom, kMayBlock},
    {"recvmsg", Sockets::ReceiveMessage, kMayBlock},
    {"read", Sockets::Read, kMayBlock},
    {"readv", Sockets::ReadVector, kMayBlock},
    {"shutdown", Sockets::Shutdown, kMayBlock},
    {"close", Sockets::Close, kMayBlock},
    {"getsockopt", Sockets::GetOption, kReturnsAtOnce},
    {"setsockopt", Sockets::SetOption, kReturnsAtOnce},
    {"fcntl", Sockets::FileControl, kReturnsAtOnce},
    {"ioctl", Sockets::DeviceControl, kReturnsAtOnce},
    {"poll", Sockets::Poll, kMayBlock},
    {"tcp_sockets", TcpSockets, kReturnsAtOnce},
};

}  // namespace

const agent::Method* FindMethod(std::string_view name) {
  for (const agent::Method& method : kMethods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

}  // namespace sockproof::agent_lwip
