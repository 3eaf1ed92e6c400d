// One function a method: reads the parameters, makes the call, gives the value. README.md has the
// table of them.
#include "src/agent/methods.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/options.h"
#include "harness/base/unique_fd.h"
#include "src/agent/files.h"
#include "src/agent/hello.h"
#include "src/agent/interfaces.h"
#include "src/agent/paths.h"
#include "src/agent/processes.h"
#include "src/agent/ring.h"
#include "src/agent/socket_methods.h"
#include "src/agent/system_call.h"
#include "src/agent/tcp_table.h"

namespace sockproof::agent {
namespace {

using namespace agent_protocol;  // NOLINT: the tables of names are on every other line

// ---- settings and counters under /proc ----

// "net.ipv4.tcp_fin_timeout" as a path. In an interface's name, '/' stands for '.', as for
// sysctl(8).
std::string SysctlPath(Parameters& parameters) {
  std::string name = parameters.Text("name");
  if (name.empty() || name.find("//") != std::string::npos || name.find('\0') != name.npos) {
    parameters.Refuse("name", "the name of a sysctl");
  }
  for (char& character : name) {
    if (character == '.') {
      character = '/';
    } else if (character == '/') {
      character = '.';
    }
  }
  return "/proc/sys/" + name;
}

// /proc/net/snmp and /proc/net/netstat: for each protocol a line of names, then one of numbers.
void AddCounters(const std::string& text, json& counters) {
  std::istringstream lines(text);
  std::string names_line;
  std::string numbers_line;
  while (std::getline(lines, names_line) && std::getline(lines, numbers_line)) {
    std::istringstream names(names_line);
    std::istringstream numbers(numbers_line);
    std::string protocol;
    names >> protocol;
    numbers >> protocol;
    if (!protocol.ends_with(':')) return;
    protocol.back() = '.';
    std::string name;
    std::int64_t number = 0;
    while (names >> name && numbers >> number) counters[protocol + name] = number;
  }
}

// ---- what the agent is ----

bool PassesDescriptors() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  const cmsghdr head{
      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(control.data(), &head, sizeof head);
  memcpy(control.data() + CMSG_LEN(0), &ends[0], sizeof(int));
  char octet = 'x';
  iovec part{&octet, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (sendmsg(from.get(), &message, 0) != 1 || recvmsg(to.get(), &message, 0) != 1) return false;
  int passed = -1;
  memcpy(&passed, control.data() + CMSG_LEN(0), sizeof passed);
  const UniqueFd closer(message.msg_controllen >= CMSG_LEN(sizeof(int)) ? passed : -1);
  return static_cast<bool>(closer);
}

bool HasAbstractNames() {
  const UniqueFd named(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "sockproof-agent %d", getpid());
  return bind(named.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

std::vector<std::string> Capabilities() {
  std::vector<std::string> capabilities;
  const auto add = [&](const char* name, bool present) {
    if (present) capabilities.emplace_back(name);
  };
  const UniqueFd ipv4(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd ipv6(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd local(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd poller(epoll_create1(EPOLL_CLOEXEC));
  add("ipv4", static_cast<bool>(ipv4));
  add("ipv6", static_cast<bool>(ipv6));
  add("unix", static_cast<bool>(local));
  add("messages", true);
  add("rights", PassesDescriptors());
  add("abstract_names", HasAbstractNames());
  add("directory", HasPrivateDirectory());
  add("processes", true);
  add("epoll", static_cast<bool>(poller));
  add("counters", access("/proc/net/snmp", R_OK) == 0 && access("/proc/net/netstat", R_OK) == 0);
  add("sysctl", access("/proc/sys/net/ipv4", R_OK | X_OK) == 0);
  // Read-only in most containers, writable to the owner of a network namespace.
  add("sysctl_set", access("/proc/sys/net/ipv4/ip_local_port_range", W_OK) == 0);

  add("tcp_sockets", ShowsConnectionsWithoutDescriptor());
  const SocketOption* tcp_info = FindOption("TCP_INFO");
  std::array<char, 512> info;
  socklen_t length = info.size();
  add("tcp_info", ipv4 && getsockopt(ipv4.get(), tcp_info->level_number, tcp_info->number,
                                     info.data(), &length) == 0);
  return capabilities;
}

About LookAround() {
  utsname system{};
  uname(&system);
  return {.name = "sockproof-agent",
          .os = system.sysname,
          .release = system.release,
          .machine = system.machine,
          .capabilities = Capabilities()};
}

// ---- sockets ----

constexpr SocketSystem kKernel = {
    .socket = ::socket,
    .bind = ::bind,
    .connect = ::connect,
    .listen = ::listen,
    .accept = ::accept4,
    .getsockname = ::getsockname,
    .getpeername = ::getpeername,
    .shutdown = ::shutdown,
    .close = ::close,
    .send = ::send,
    .sendto = ::sendto,
    .sendmsg = ::sendmsg,
    .write = ::write,
    .writev = ::writev,
    .recv = ::recv,
    .recvfrom = ::recvfrom,
    .recvmsg = ::recvmsg,
    .read = ::read,
    .readv = ::readv,
    .getsockopt = ::getsockopt,
    .setsockopt = ::setsockopt,
    .fcntl = [](int fd, int command, int flags) { return ::fcntl(fd, command, flags); },
    .ioctl = [](int fd, unsigned long request, int* value) { return ::ioctl(fd, request, value); },
    .poll = ::poll,
    .checks_pointers = true,
    .has_option = [](std::string_view) { return true; },
    .address_families = AddressFamilies,
    .socket_types = SocketTypes,
    .socket_flags = SocketFlags,
    .protocols = Protocols,
    .message_flags = MessageFlags,
    .poll_events = PollEvents,
    .control_commands = ControlCommands,
    .file_status_flags = FileStatusFlags,
    .file_descriptor_flags = FileDescriptorFlags,
    .control_requests = ControlRequests,
};

// The same, as far as calls can be made through io_uring.
constexpr SocketSystem kKernelByRing = [] {
  SocketSystem system = kKernel;
  system.accept = ring::Accept;
  system.connect = ring::Connect;
  system.shutdown = ring::Shutdown;
  system.close = ring::Close;
  system.send = ring::Send;
  system.sendmsg = ring::SendMessage;
  system.recv = ring::Receive;
  system.recvmsg = ring::ReceiveMessage;
  system.poll = ring::Poll;
  return system;
}();

// The three sets of select(); one that the request leaves out is a null pointer.
class Sets {
 public:
  explicit Sets(Parameters& parameters) {
    read.Read(parameters, "read", count);
    write.Read(parameters, "write", count);
    except.Read(parameters, "except", count);
    if (parameters.Has("nfds")) count = parameters.Integer("nfds");
  }

  json ToJson(int ready) const {
    return {{"ready", ready},
            {"read", read.Members()},
            {"write", write.Members()},
            {"except", except.Members()}};
  }

  struct Set {
    bool given = false;
    fd_set members;

    fd_set* get() { return given ? &members : nullptr; }
    void Read(Parameters& parameters, const char* name, int& count) {
      FD_ZERO(&members);
      given = parameters.Has(name);
      if (!given) return;
      const json& list = parameters.Any(name);
      const auto refuse = [&] { parameters.Refuse(name, "a list of descriptors below 1024"); };
      if (!list.is_array()) refuse();
      for (const json& fd : list) {
        if (!fd.is_number_unsigned() || fd.get<std::uint64_t>() >= FD_SETSIZE) refuse();
        FD_SET(fd.get<int>(), &members);
        count = std::max(count, fd.get<int>() + 1);
      }
    }
    json Members() const {
      json list = json::array();
      for (int fd = 0; given && fd < FD_SETSIZE; ++fd) {
        if (FD_ISSET(fd, &members)) list.push_back(fd);
      }
      return list;
    }
  };

  int count = 0;
  Set read, write, except;
};

// One function for each line of harness/agent_protocol/methods.def.
struct Kernel : SocketMethods<kKernel> {
  static json Hello(Parameters& parameters, Call& call) {
    return agent::Hello(parameters, call, LookAround);
  }

  static json Ping(Parameters& parameters, Call& call) { return agent::Ping(parameters, call); }

  // ---- calls that can be made through io_uring ----

  using Plain = SocketMethods<kKernel>;
  using ByRing = SocketMethods<kKernelByRing>;

  // Whether the request asks for that.
  static bool IsThroughRing(Parameters& parameters, int operation) {
    if (!parameters.Has("through")) return false;
    const std::string through = parameters.Text("through");
    if (through != "io_uring") parameters.Unsupported("a call through " + through);
    const std::string why_not = ring::WhyNot(operation);
    if (!why_not.empty()) parameters.Unsupported("a call through io_uring (" + why_not + ")");
    return true;
  }
  static json Accept(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_ACCEPT);
    return by_ring ? ByRing::Accept(parameters, call) : Plain::Accept(parameters, call);
  }
  static json Connect(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_CONNECT);
    return by_ring ? ByRing::Connect(parameters, call) : Plain::Connect(parameters, call);
  }
  static json Shutdown(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_SHUTDOWN);
    return by_ring ? ByRing::Shutdown(parameters, call) : Plain::Shutdown(parameters, call);
  }
  static json Close(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_CLOSE);
    return by_ring ? ByRing::Close(parameters, call) : Plain::Close(parameters, call);
  }
  static json Send(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_SEND);
    return by_ring ? ByRing::Send(parameters, call) : Plain::Send(parameters, call);
  }
  static json SendMessage(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_SENDMSG);
    return by_ring ? ByRing::SendMessage(parameters, call) : Plain::SendMessage(parameters, call);
  }
  static json Receive(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_RECV);
    return by_ring ? ByRing::Receive(parameters, call) : Plain::Receive(parameters, call);
  }
  static json ReceiveMessage(Parameters& parameters, Call& call) {
    const bool by_ring = IsThroughRing(parameters, IORING_OP_RECVMSG);
    return by_ring ? ByRing::ReceiveMessage(parameters, call)
                   : Plain::ReceiveMessage(parameters, call);
  }
  static json Poll(Parameters& parameters, Call& call) {
    if (!IsThroughRing(parameters, IORING_OP_POLL_ADD)) return Plain::Poll(parameters, call);
    const json& fds = parameters.Any("fds");
    if (!fds.is_array() || fds.size() != 1 || parameters.Integer("timeout_ms") >= 0) {
      parameters.Unsupported("poll through io_uring of several descriptors or with a limit");
    }
    return ByRing::Poll(parameters, call);
  }
  static json Cancel(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    return call.Run([&] { return ring::Cancel(fd); });
  }

  static json StartMultishot(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const std::string operation = parameters.Text("operation");
    ring::Buffers buffers;
    int events = 0;
    ring::Multishot what = ring::Multishot::kAccept;
    if (operation == "recv") {
      constexpr int kMost = 1 << 16;
      what = ring::Multishot::kReceive;
      buffers = {parameters.Integer("buffers", 1, kMost), parameters.Integer("length", 1, kMost)};
    } else if (operation == "poll") {
      what = ring::Multishot::kPoll;
      events = parameters.Flags("events", agent_protocol::PollEvents());
    } else if (operation != "accept") {
      parameters.Unsupported("the operation " + operation);
    }
    const std::string why_not = ring::WhyNot(what);
    if (!why_not.empty()) parameters.Unsupported(operation + " again and again (" + why_not + ")");
    return call.Run([&] { return ring::Start(what, fd, events, buffers); });
  }
  static json NextCompletion(Parameters& parameters, Call& call) {
    const int multishot = parameters.Integer("multishot");
    ring::Completion next;
    if (call.Run([&] { return ring::Next(multishot, next); }) < 0) return nullptr;
    json value = {{"more", next.more}};
    if (next.result < 0) {
      value["errno"] = ErrnoName(-next.result);
    } else if (next.of == ring::Multishot::kReceive) {
      value["data"] = agent_protocol::Base64Encode(next.data);
    } else if (next.of == ring::Multishot::kPoll) {
      value["events"] = agent_protocol::NamesOfFlags(agent_protocol::PollEvents(), next.result);
    } else {
      value["fd"] = next.result;
    }
    return value;
  }

  static json SocketPair(Parameters& parameters, Call& call) {
    const int domain = parameters.Constant("domain", AddressFamilies());
    const int type =
        parameters.Constant("type", SocketTypes()) | parameters.Flags("flags", SocketFlags());
    const int protocol =
        parameters.Has("protocol") ? parameters.Constant("protocol", Protocols()) : 0;
    std::array<int, 2> fds{};
    int* const room = At(parameters, "fds", fds.data(), sizeof fds);
    call.Run([&] { return socketpair(domain, type, protocol, room); });
    return fds;
  }

  static json Duplicate(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    return call.Run([&] { return dup(fd); });
  }

  // ---- several messages by one call ----

  // The objects of "messages".
  static const json& ReadMessages(Parameters& parameters) {
    constexpr std::size_t kMost = 2048;  // the system takes 1024 of them
    const json& list = parameters.Any("messages");
    if (!list.is_array() || list.size() > kMost) {
      parameters.Refuse("messages", "a list of at most 2048 messages");
    }
    return list;
  }

  static json SendMessages(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", MessageFlags());
    std::list<OutgoingMessage> messages;
    std::vector<mmsghdr> headers;
    for (const json& object : ReadMessages(parameters)) {
      Parameters fields("messages", object);
      messages.emplace_back(fields, AddressFamilies());
      fields.CheckAllRead();
      headers.push_back({messages.back().header(), 0});
    }
    const int sent = call.Run(
        [&] { return sendmmsg(fd, headers.data(), static_cast<unsigned>(headers.size()), flags); });
    json lengths = json::array();
    for (int i = 0; i < sent; ++i) lengths.push_back(headers[static_cast<std::size_t>(i)].msg_len);
    return lengths;
  }

  static json ReceiveMessages(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", MessageFlags());
    std::list<RoomForMessage> rooms;
    std::vector<mmsghdr> headers;
    for (const json& object : ReadMessages(parameters)) {
      Parameters fields("messages", object);
      rooms.emplace_back(fields);
      fields.CheckAllRead();
      headers.push_back({rooms.back().header(), 0});
    }
    timespec timeout{};
    const bool limited = parameters.Has("timeout_ms");
    if (limited) {
      const int milliseconds = parameters.Integer("timeout_ms", 0);
      timeout = {milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    }
    const int received = call.Run([&] {
      return recvmmsg(fd, headers.data(), static_cast<unsigned>(headers.size()), flags,
                      limited ? &timeout : nullptr);
    });
    json value = json::array();
    auto room = rooms.begin();
    for (int i = 0; i < received; ++i, ++room) {
      const mmsghdr& header = headers[static_cast<std::size_t>(i)];
      room->header() = header.msg_hdr;
      value.push_back(room->ToJson(header.msg_len));
    }
    return value;
  }

  // ---- interfaces ----

  static json InterfaceControl(Parameters& parameters, Call& call) {
    return agent::InterfaceControl(parameters, call);
  }
  static json ListInterfaces(Parameters& parameters, Call& call) {
    return agent::ListInterfaces(parameters, call);
  }

  // ---- readiness ----

  static json EpollCreate(Parameters& parameters, Call& call) {
    const int flags = parameters.Flags("flags", EpollFlags());
    return call.Run([&] { return epoll_create1(flags); });
  }

  static json EpollControl(Parameters& parameters, Call& call) {
    const int epfd = parameters.Integer("epfd");
    const int operation = parameters.Constant("op", EpollOperations());
    epoll_event event{};
    event.data.fd = parameters.Integer("fd");
    event.events = static_cast<std::uint32_t>(parameters.Flags("events", EpollEvents()));
    const int fd = event.data.fd;
    epoll_event* const at = At(parameters, "event", &event);
    return call.Run([&] { return epoll_ctl(epfd, operation, fd, at); });
  }

  static json EpollWait(Parameters& parameters, Call& call) {
    return EpollWaitBy(parameters, call, nullptr);
  }

  static json EpollWaitWithMask(Parameters& parameters, Call& call) {
    const std::optional<sigset_t> mask = ReadMask(parameters);
    return EpollWaitBy(parameters, call, mask ? &*mask : nullptr);
  }

  static json EpollWaitBy(Parameters& parameters, Call& call, const sigset_t* mask) {
    constexpr int kMostEvents = 4096;
    const int epfd = parameters.Integer("epfd");
    const int room = parameters.Integer("maxevents", std::numeric_limits<int>::min(), kMostEvents);
    const int timeout = parameters.Integer("timeout_ms");
    std::vector<epoll_event> events(static_cast<std::size_t>(std::max(room, 0)));
    epoll_event* const at =
        At(parameters, "events", events.data(), events.size() * sizeof(epoll_event));
    const int ready = call.Run([&] { return epoll_pwait(epfd, at, room, timeout, mask); });
    json value = json::array();
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int fd = event.data.fd;
      value.push_back({{"fd", fd}, {"events", NamesOfFlags(EpollEvents(), event.events)}});
    }
    return value;
  }

  static json PollWithMask(Parameters& parameters, Call& call) {
    std::vector<pollfd> fds = ReadPollEntries(parameters);
    std::optional<timespec> timeout = ReadTimeout(parameters);
    const std::optional<sigset_t> mask = ReadMask(parameters);
    pollfd* const entries = At(parameters, "fds", fds.data(), fds.size() * sizeof(pollfd));
    const int ready = call.Run([&] {
      return ppoll(entries, fds.size(), timeout ? &*timeout : nullptr, mask ? &*mask : nullptr);
    });
    return ready < 0 ? json() : PollEntriesToJson(fds);
  }

  static json Select(Parameters& parameters, Call& call) {
    Sets sets(parameters);
    std::optional<timeval> timeout;
    if (parameters.Has("timeout")) {
      Parameters fields("timeout", parameters.Any("timeout"));
      timeout = timeval{fields.Integer("sec"), fields.Integer("usec")};
      fields.CheckAllRead();
    }
    timeval* const limit = At(parameters, "timeout", timeout ? &*timeout : nullptr);
    fd_set* const read = At(parameters, "read", sets.read.get());
    const int ready = call.Run(
        [&] { return select(sets.count, read, sets.write.get(), sets.except.get(), limit); });
    if (ready < 0) return nullptr;
    json value = sets.ToJson(ready);
    if (timeout) value["timeout"] = {{"sec", timeout->tv_sec}, {"usec", timeout->tv_usec}};
    return value;
  }

  static json SelectWithMask(Parameters& parameters, Call& call) {
    Sets sets(parameters);
    std::optional<timespec> timeout = ReadTimeout(parameters);
    const std::optional<sigset_t> mask = ReadMask(parameters);
    const int ready = call.Run([&] {
      return pselect(sets.count, sets.read.get(), sets.write.get(), sets.except.get(),
                     timeout ? &*timeout : nullptr, mask ? &*mask : nullptr);
    });
    if (ready < 0) return nullptr;
    json value = sets.ToJson(ready);
    if (timeout) value["timeout"] = {{"sec", timeout->tv_sec}, {"nsec", timeout->tv_nsec}};
    return value;
  }

  // A null pointer where there is no "timeout".
  static std::optional<timespec> ReadTimeout(Parameters& parameters) {
    if (!parameters.Has("timeout")) return std::nullopt;
    Parameters fields("timeout", parameters.Any("timeout"));
    const timespec timeout{fields.Integer("sec"), fields.Integer("nsec")};
    fields.CheckAllRead();
    return timeout;
  }

  // The same of "mask".
  static std::optional<sigset_t> ReadMask(Parameters& parameters) {
    if (!parameters.Has("mask")) return std::nullopt;
    return ReadSignals(parameters, "mask");
  }

  static sigset_t ReadSignals(Parameters& parameters, const char* of) {
    sigset_t signals;
    sigemptyset(&signals);
    const json& names = parameters.Any(of);
    if (!names.is_array()) parameters.Refuse(of, "a list of signals");
    for (const json& name : names) {
      const json object = {{of, name}};
      Parameters one(of, object);
      sigaddset(&signals, one.Constant(of, Signals()));
    }
    return signals;
  }

  static json WaitForSignal(Parameters& parameters, Call& call) {
    const sigset_t signals = ReadSignals(parameters, "signals");
    const int milliseconds = parameters.Integer("timeout_ms");
    const timespec timeout{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    const int taken = call.Run([&] { return sigtimedwait(&signals, nullptr, &timeout); });
    if (taken < 0) return nullptr;
    return NameOf(Signals(), taken);
  }

  // ---- files ----

  static json MakeDirectory(Parameters& parameters, Call& call) {
    return agent::MakeDirectory(parameters, call);
  }
  static json OpenFile(Parameters& parameters, Call& call) {
    return agent::OpenFile(parameters, call);
  }
  static json Unlink(Parameters& parameters, Call& call) { return agent::Unlink(parameters, call); }
  static json LinkTo(Parameters& parameters, Call& call) { return agent::LinkTo(parameters, call); }
  static json ChangeMode(Parameters& parameters, Call& call) {
    return agent::ChangeMode(parameters, call);
  }
  static json StatusOf(Parameters& parameters, Call& call) {
    return agent::StatusOf(parameters, call);
  }
  static json Seek(Parameters& parameters, Call& call) { return agent::Seek(parameters, call); }

  static json MakePipe(Parameters& parameters, Call& call) {
    std::array<int, 2> fds{};
    int* const room = At(parameters, "fds", fds.data(), sizeof fds);
    call.Run([&] { return pipe(room); });
    return fds;
  }

  static json SendFile(Parameters& parameters, Call& call) {
    const int out = parameters.Integer("out");
    const int in = parameters.Integer("in");
    const auto count = static_cast<std::size_t>(parameters.Integer("count", 0));
    off_t offset = parameters.Has("offset") ? parameters.Integer("offset") : 0;
    off_t* const at = parameters.Has("offset") ? &offset : nullptr;
    return call.Run([&] { return sendfile(out, in, at, count); });
  }

  static json Splice(Parameters& parameters, Call& call) {
    const int in = parameters.Integer("in");
    const int out = parameters.Integer("out");
    const auto count = static_cast<std::size_t>(parameters.Integer("count", 0));
    const auto flags = static_cast<unsigned>(parameters.Flags("flags", SpliceFlags()));
    return call.Run([&] { return splice(in, nullptr, out, nullptr, count, flags); });
  }

  static json Tee(Parameters& parameters, Call& call) {
    const int in = parameters.Integer("in");
    const int out = parameters.Integer("out");
    const auto count = static_cast<std::size_t>(parameters.Integer("count", 0));
    const auto flags = static_cast<unsigned>(parameters.Flags("flags", SpliceFlags()));
    return call.Run([&] { return tee(in, out, count, flags); });
  }

  // ---- processes ----

  static json Fork(Parameters& parameters, Call& call) { return agent::Fork(parameters, call); }
  static json Wait(Parameters& parameters, Call& call) { return agent::Wait(parameters, call); }
  static json Kill(Parameters& parameters, Call& call) { return agent::Kill(parameters, call); }
  static json Exit(Parameters& parameters, Call& call) { return agent::Exit(parameters, call); }
  static json Execute(Parameters& parameters, Call& call) {
    return agent::Execute(parameters, call);
  }

  // ---- the system's settings and counters ----

  static json GetSysctl(Parameters& parameters, Call& call) {
    const std::string path = SysctlPath(parameters);
    std::optional<std::string> text;
    call.Run([&] { return (text = ReadFile(path.c_str())) ? 0 : -1; });
    if (!text) return nullptr;
    if (text->ends_with('\n')) text->pop_back();
    return *text;
  }

  static json SetSysctl(Parameters& parameters, Call& call) {
    const std::string path = SysctlPath(parameters);
    const std::string text = parameters.Text("value");
    return call.Run([&] { return WriteFile(path.c_str(), text) ? 0 : -1; });
  }

  static json Counters(Parameters&, Call& call) {
    std::optional<std::string> snmp;
    std::optional<std::string> netstat;
    call.Run([&] {
      return (snmp = ReadFile("/proc/net/snmp")) && (netstat = ReadFile("/proc/net/netstat")) ? 0
                                                                                              : -1;
    });
    if (!netstat) return nullptr;
    json counters = json::object();
    AddCounters(*snmp, counters);
    AddCounters(*netstat, counters);
    return counters;
  }

  static json TcpSockets(Parameters& parameters, Call& call) {
    const int family = parameters.Constant("family", AddressFamilies());
    if (family != AF_INET && family != AF_INET6) {
      parameters.Unsupported("TCP of family " + NameOf(AddressFamilies(), family));
    }
    std::optional<std::string> table;
    call.Run([&] { return (table = ReadFile(TcpTablePath(family))) ? 0 : -1; });
    return table ? TcpSocketsOf(*table, family) : json();
  }

  static json SystemCall(Parameters& parameters, Call& call) {
    return agent::SystemCall(parameters, call);
  }
};

constexpr bool kReturnsAtOnce = false;
constexpr bool kMayBlock = true;

constexpr Method kMethods[] = {
#define METHOD(name, function, waits, where, ...) METHOD_##where(name, function, waits)
#define METHOD_posix(name, function, waits) {#name, Kernel::function, waits},
#define METHOD_linux(name, function, waits) {#name, Kernel::function, waits},
#define METHOD_own(name, function, waits) {#name, Kernel::function, waits},
#define METHOD_server(name, function, waits)
#include "harness/agent_protocol/methods.def"
#undef METHOD
#undef METHOD_posix
#undef METHOD_linux
#undef METHOD_own
#undef METHOD_server
};

}  // namespace

const Method* FindMethod(std::string_view name) {
  for (const Method& method : kMethods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

}  // namespace sockproof::agent
