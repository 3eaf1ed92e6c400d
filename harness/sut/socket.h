// A socket of the system under test. Its members are the socket calls, made there by the agent.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/net/ip.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/message.h"
#include "harness/sut/name.h"
#include "harness/sut/outcome.h"
#include "harness/sut/pending.h"
#include "harness/sut/stack.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

struct Accepted;

// What recvfrom() gives.
struct ReceivedFrom {
  ReceivedFrom(std::string data_in, Name from_in)
      : data(std::move(data_in)), from(std::move(from_in)), length(data.size()) {}

  std::string data;
  Name from;
  // What the call returned: with MSG_TRUNC that may be more than there is `data`.
  std::size_t length;

  bool operator==(const ReceivedFrom&) const = default;
};
void PrintTo(const ReceivedFrom& received, std::ostream* out);

// Names of events of poll() or epoll_wait(), sorted: {"POLLIN", "POLLRDHUP"}.
using Events = std::vector<std::string>;

// A handle: copies mean the same descriptor, and none of them closes it. Whatever a test leaves
// open ends with the agent. Every call may block in the system under test; the plain form waits
// for its return (Departure after kPatience), the Start form goes on with the test meanwhile.
class Socket {
 public:
  // `version` is that of the addresses of a socket of AF_INET or AF_INET6.
  Socket(Stack& stack, int fd, std::optional<IpVersion> version = std::nullopt)
      : stack_(&stack), version_(version), fd_(fd) {}

  int fd() const { return fd_; }
  // The same descriptor in that process (harness/sut/process.h); none: the agent's own.
  Socket In(std::optional<int> process) const;
  // Another descriptor of the same process, with addresses of the same version.
  Socket WithDescriptor(int fd) const;
  // The same, whose calls get a bad pointer in place of an argument: "data", "address",
  // "address_length", "value", "length", "message", "vector", "control". `kind`: "null",
  // "unmapped", "read-only".
  Socket WithBadPointer(const std::string& argument, const std::string& kind) const;
  // A pointer to so many octets of the argument, behind which nothing may be touched.
  Socket WithPointerTo(int octets, const std::string& argument) const;
  Stack& stack() const { return *stack_; }

  Outcome<int> Bind(const Name& local) const;
  // Binds to this stack's address on the wire.
  Outcome<int> Bind(std::uint16_t port) const { return Bind(stack_->At(version_.value(), port)); }
  Outcome<int> Listen(int backlog) const;
  // Name::Unspecified() takes the peer away again.
  Pending<int> StartConnect(const Name& remote) const;
  Outcome<int> Connect(const Name& remote, SourceLocation where = SourceLocation::Current()) const {
    return StartConnect(remote).Await(Within(kPatience), where);
  }
  // `flags` are those of accept4(): "SOCK_NONBLOCK".
  Pending<Accepted> StartAccept(const std::vector<std::string>& flags = {}) const;
  Outcome<Accepted> Accept(const std::vector<std::string>& flags = {},
                           SourceLocation where = SourceLocation::Current()) const;
  Pending<int> StartSend(const std::string& data, const std::vector<std::string>& flags = {}) const;
  Outcome<int> Send(const std::string& data, const std::vector<std::string>& flags = {},
                    SourceLocation where = SourceLocation::Current()) const {
    return StartSend(data, flags).Await(Within(kPatience), where);
  }
  // At most `length` bytes; "" is the end of the file.
  Pending<std::string> StartReceive(size_t length,
                                    const std::vector<std::string>& flags = {}) const;
  Outcome<std::string> Receive(size_t length, const std::vector<std::string>& flags = {},
                               SourceLocation where = SourceLocation::Current()) const {
    return StartReceive(length, flags).Await(Within(kPatience), where);
  }
  // sendto(), recvfrom().
  Pending<int> StartSendTo(const Name& remote, const std::string& data,
                           const std::vector<std::string>& flags = {}) const;
  Outcome<int> SendTo(const Name& remote, const std::string& data,
                      const std::vector<std::string>& flags = {},
                      SourceLocation where = SourceLocation::Current()) const {
    return StartSendTo(remote, data, flags).Await(Within(kPatience), where);
  }
  Pending<ReceivedFrom> StartReceiveFrom(size_t length,
                                         const std::vector<std::string>& flags = {}) const;
  Outcome<ReceivedFrom> ReceiveFrom(size_t length, const std::vector<std::string>& flags = {},
                                    SourceLocation where = SourceLocation::Current()) const {
    return StartReceiveFrom(length, flags).Await(Within(kPatience), where);
  }
  // sendmsg(), recvmsg() with room for data in one part or in several.
  Pending<int> StartSendMessage(const Message& message,
                                const std::vector<std::string>& flags = {}) const;
  Outcome<int> SendMessage(const Message& message, const std::vector<std::string>& flags = {},
                           SourceLocation where = SourceLocation::Current()) const {
    return StartSendMessage(message, flags).Await(Within(kPatience), where);
  }
  Pending<Received> StartReceiveMessage(const std::vector<std::size_t>& lengths,
                                        const ControlRoom& room = {},
                                        const std::vector<std::string>& flags = {}) const;
  Outcome<Received> ReceiveMessage(const std::vector<std::size_t>& lengths,
                                   const ControlRoom& room = {},
                                   const std::vector<std::string>& flags = {},
                                   SourceLocation where = SourceLocation::Current()) const {
    return StartReceiveMessage(lengths, room, flags).Await(Within(kPatience), where);
  }
  Outcome<Received> ReceiveMessage(std::size_t length, const ControlRoom& room = {},
                                   const std::vector<std::string>& flags = {},
                                   SourceLocation where = SourceLocation::Current()) const {
    return ReceiveMessage(std::vector{length}, room, flags, where);
  }
  // sendmmsg(): how much of each message was sent, of those that were.
  Outcome<std::vector<int>> SendMessages(const std::vector<Message>& messages,
                                         const std::vector<std::string>& flags = {},
                                         SourceLocation where = SourceLocation::Current()) const;
  // recvmmsg() of at most so many messages, with the same room for each. It returns after
  // `timeout`, which Linux looks at when a message has come.
  Pending<std::vector<Received>> StartReceiveMessages(
      int most, std::size_t length, const ControlRoom& room = {},
      const std::vector<std::string>& flags = {},
      std::optional<std::chrono::milliseconds> timeout = std::nullopt) const;
  Outcome<std::vector<Received>> ReceiveMessages(
      int most, std::size_t length, const ControlRoom& room = {},
      const std::vector<std::string>& flags = {},
      std::optional<std::chrono::milliseconds> timeout = std::nullopt,
      SourceLocation where = SourceLocation::Current()) const {
    return StartReceiveMessages(most, length, room, flags, timeout).Await(Within(kPatience), where);
  }
  // writev(), readv(): the data of all parts together.
  Outcome<int> WriteVector(const std::vector<std::string>& parts,
                           SourceLocation where = SourceLocation::Current()) const;
  Outcome<std::string> ReadVector(const std::vector<std::size_t>& lengths,
                                  SourceLocation where = SourceLocation::Current()) const;
  // lseek(), sendfile() of a file to here, splice() of a pipe to here.
  Outcome<int> Seek(int offset, const std::string& whence = "SEEK_SET") const;
  Pending<int> StartSendFile(const Socket& file, int count, std::optional<int> offset = {}) const;
  Outcome<int> SendFile(const Socket& file, int count, std::optional<int> offset = {},
                        SourceLocation where = SourceLocation::Current()) const {
    return StartSendFile(file, count, offset).Await(Within(kPatience), where);
  }
  Pending<int> StartSplice(const Socket& from, int count,
                           const std::vector<std::string>& flags = {}) const;
  Outcome<int> Splice(const Socket& from, int count, const std::vector<std::string>& flags = {},
                      SourceLocation where = SourceLocation::Current()) const {
    return StartSplice(from, count, flags).Await(Within(kPatience), where);
  }
  // write() and read(), the calls of any file.
  Pending<int> StartWrite(const std::string& data) const;
  Outcome<int> Write(const std::string& data,
                     SourceLocation where = SourceLocation::Current()) const {
    return StartWrite(data).Await(Within(kPatience), where);
  }
  Pending<std::string> StartRead(size_t length) const;
  Outcome<std::string> Read(size_t length, SourceLocation where = SourceLocation::Current()) const {
    return StartRead(length).Await(Within(kPatience), where);
  }
  // dup(): another descriptor of the same socket.
  Outcome<Socket> Dup() const;
  // `how`: "SHUT_RD", "SHUT_WR", "SHUT_RDWR".
  Outcome<int> Shutdown(const std::string& how,
                        SourceLocation where = SourceLocation::Current()) const;
  Pending<int> StartClose() const;
  Outcome<int> Close(SourceLocation where = SourceLocation::Current()) const {
    return StartClose().Await(Within(kPatience), where);
  }

  // The number that this request of ioctl() reads: "SIOCINQ".
  Outcome<int> Inquire(const std::string& request) const;
  // SIOCATMARK, as sockatmark(3) reads it: 1 when the next octet to be read is at the urgent mark.
  Outcome<int> AtMark() const { return Inquire("SIOCATMARK"); }
  // ioctl() with a number, as it left that: "SIOCSPGRP", "FIOASYNC".
  Outcome<int> Control(const std::string& request, int value) const;
  // 1 when O_ASYNC is set, else 0.
  Outcome<int> IsAsynchronous() const;
  // 1 when O_NONBLOCK is set, else 0.
  Outcome<int> IsNonblocking() const;
  // 1 when FD_CLOEXEC is set, else 0.
  Outcome<int> IsClosedOnExec() const;

  // Options by name, each at its own level. Here as with all names: one that no table of the agent
  // protocol knows is a HarnessError.
  Outcome<int> SetOption(const std::string& name, int value) const;
  Outcome<int> GetOption(const std::string& name) const;
  // An option that is a name: TCP_CONGESTION.
  Outcome<std::string> GetText(const std::string& name) const;
  // An option as the octets that setsockopt() gets.
  Outcome<int> SetOption(const std::string& name, const Bytes& value) const;
  // An option as octets, with room for so many.
  Outcome<std::string> GetOctets(const std::string& name, int room) const;
  // SO_PEERCRED.
  Outcome<Credentials> PeerCredentials() const;
  // SO_LINGER with l_onoff 1.
  Outcome<int> SetLinger(int seconds) const;
  // SO_ERROR as an errno: reads and clears it.
  int TakeError(SourceLocation where = SourceLocation::Current()) const;
  // A number of TCP_INFO by its name in struct tcp_info, e.g. "rto" (microseconds). Throws Skip
  // when the system does not tell it.
  std::int64_t Info(const std::string& field) const;

  // getsockname(), getpeername(). With `room`, the length that the call is told that its buffer
  // has; the length that it gives is then in the name. What does not fit is zero.
  Outcome<Name> LocalName(std::optional<int> room = std::nullopt) const {
    return AskName("getsockname", room);
  }
  Outcome<Name> PeerName(std::optional<int> room = std::nullopt) const {
    return AskName("getpeername", room);
  }
  // The same of sockets of AF_INET and AF_INET6. Throw Departure when the call fails.
  Endpoint LocalEndpoint(SourceLocation where = SourceLocation::Current()) const;
  Endpoint RemoteEndpoint(SourceLocation where = SourceLocation::Current()) const;

  // poll() of this socket alone: names of the events that are ready, sorted; none on timeout.
  Pending<std::vector<std::string>> StartPoll(const std::vector<std::string>& events,
                                              std::chrono::milliseconds timeout) const;
  Outcome<std::vector<std::string>> Poll(const std::vector<std::string>& events,
                                         std::chrono::milliseconds timeout = 0ms,
                                         SourceLocation where = SourceLocation::Current()) const {
    return StartPoll(events, timeout).Await(Within(kPatience), where);
  }

 private:
  struct BadPointer {
    std::string kind;
    std::optional<int> octets;
  };

  // This one without bad pointers.
  Socket Plain() const { return WithDescriptor(fd_); }
  void Complete(nlohmann::json& params) const;
  template <typename T>
  Outcome<T> AtOnce(const std::string& method, nlohmann::json params, const std::string& text,
                    const typename Pending<T>::Reader& read) const;
  template <typename T>
  Pending<T> Start(const std::string& method, nlohmann::json params, std::string text,
                   typename Pending<T>::Reader read) const;
  // 1 when the flag is among those that this command of fcntl() reads, else 0.
  Outcome<int> HasFlag(const std::string& command, const std::string& flag) const;
  Outcome<Name> AskName(const std::string& method, std::optional<int> room) const;

  Stack* stack_;
  std::optional<IpVersion> version_;
  int fd_;
  std::optional<int> process_;
  std::vector<std::pair<std::string, BadPointer>> bad_pointers_;
};

// What accept() gives.
struct Accepted {
  Socket socket;
  Name remote;
};

}  // namespace sockproof
