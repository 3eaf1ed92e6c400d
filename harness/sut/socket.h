// A socket of the system under test. Its members are the socket calls, made there by the agent.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/net/ip.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/outcome.h"
#include "harness/sut/stack.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

// A call that has begun and may not have returned yet. Move-only.
template <typename T>
class Pending {
 public:
  using Reader = std::function<T(const nlohmann::json& value)>;

  Pending(Stack& stack, Agent::CallId call, std::string text, Reader read)
      : stack_(&stack), call_(call), text_(std::move(text)), read_(std::move(read)) {}
  Pending(Pending&&) noexcept = default;
  Pending& operator=(Pending&&) noexcept = default;

  // Whether its return was seen by now: that it was not proves nothing. To be replaced by
  // ExpectStillBlocked().
  bool Returned() {
    stack_->loop().RunUntil([] { return false; }, Clock::now());
    return stack_->agent().Finished(call_);
  }

  // Proves that the call has not returned (Agent::StillBlocks()). What was sent before must have
  // been taken in by the system: the testbeds' ExpectStillBlocked() sees to that. Throws Departure.
  void ExpectStillBlocked(SourceLocation where = SourceLocation::Current()) {
    if (stack_->agent().StillBlocks(call_)) return;
    throw Departure("  Expected: " + text_ + " still blocks\n  Observed: it has returned", where);
  }

  // Whether the call still has not returned after so long.
  bool BlocksFor(Duration duration) {
    return !stack_->agent().Wait(call_, Clock::now() + duration);
  }

  // Waits until the call returns. Throws Departure when it has not within the time given.
  Outcome<T> Await(Within within = Within(kPatience),
                   SourceLocation where = SourceLocation::Current()) {
    if (!stack_->agent().Wait(call_, Clock::now() + within.value)) {
      throw Departure("  Expected: " + text_ + " returns within " + FormatDuration(within.value) +
                          "\n  Observed: it is still blocked",
                      where, ThatExplainsAbsence(within.value));
    }
    AgentReply reply = stack_->agent().Take(call_);
    Outcome<T> outcome = reply.error != 0 ? Outcome<T>::Failed(text_, reply.error)
                                          : Outcome<T>::Succeeded(text_, read_(reply.value));
    outcome.begin = reply.begin;
    outcome.end = reply.end;
    outcome.signals = std::move(reply.signals);
    return outcome;
  }

 private:
  Stack* stack_;
  Agent::CallId call_;
  std::string text_;
  Reader read_;
};

struct Accepted;

// Names of events of poll() or epoll_wait(), sorted: {"POLLIN", "POLLRDHUP"}.
using Events = std::vector<std::string>;

// A handle: copies mean the same descriptor, and none of them closes it. Whatever a test leaves
// open ends with the agent. Every call may block in the system under test; the plain form waits
// for its return (Departure after kPatience), the Start form goes on with the test meanwhile.
class Socket {
 public:
  Socket(Stack& stack, IpVersion version, int fd) : stack_(&stack), version_(version), fd_(fd) {}

  int fd() const { return fd_; }
  IpVersion version() const { return version_; }
  Stack& stack() const { return *stack_; }

  Outcome<int> Bind(const Endpoint& local);
  // Binds to this stack's address on the wire.
  Outcome<int> Bind(std::uint16_t port) { return Bind(stack_->At(version_, port)); }
  Outcome<int> Listen(int backlog);
  Pending<int> StartConnect(const Endpoint& remote);
  Outcome<int> Connect(const Endpoint& remote, SourceLocation where = SourceLocation::Current()) {
    return StartConnect(remote).Await(Within(kPatience), where);
  }
  // `flags` are those of accept4(): "SOCK_NONBLOCK".
  Pending<Accepted> StartAccept(const std::vector<std::string>& flags = {});
  Outcome<Accepted> Accept(const std::vector<std::string>& flags = {},
                           SourceLocation where = SourceLocation::Current());
  Pending<int> StartSend(const std::string& data, const std::vector<std::string>& flags = {});
  Outcome<int> Send(const std::string& data, const std::vector<std::string>& flags = {},
                    SourceLocation where = SourceLocation::Current()) {
    return StartSend(data, flags).Await(Within(kPatience), where);
  }
  // At most `length` bytes; "" is the end of the file.
  Pending<std::string> StartReceive(size_t length, const std::vector<std::string>& flags = {});
  Outcome<std::string> Receive(size_t length, const std::vector<std::string>& flags = {},
                               SourceLocation where = SourceLocation::Current()) {
    return StartReceive(length, flags).Await(Within(kPatience), where);
  }
  // `how`: "SHUT_RD", "SHUT_WR", "SHUT_RDWR".
  Outcome<int> Shutdown(const std::string& how, SourceLocation where = SourceLocation::Current());
  Pending<int> StartClose();
  Outcome<int> Close(SourceLocation where = SourceLocation::Current()) {
    return StartClose().Await(Within(kPatience), where);
  }

  // The number that this request of ioctl() reads: "SIOCINQ".
  Outcome<int> Inquire(const std::string& request);
  // SIOCATMARK, as sockatmark(3) reads it: 1 when the next octet to be read is at the urgent mark.
  Outcome<int> AtMark() { return Inquire("SIOCATMARK"); }
  // 1 when O_NONBLOCK is set, else 0.
  Outcome<int> IsNonblocking();

  // Options by name, each at its own level. Here as with all names: one that no table of the agent
  // protocol knows is a HarnessError.
  Outcome<int> SetOption(const std::string& name, int value);
  Outcome<int> GetOption(const std::string& name);
  // An option that is a name: TCP_CONGESTION.
  Outcome<std::string> GetText(const std::string& name);
  // An option as the octets that setsockopt() gets.
  Outcome<int> SetOption(const std::string& name, const Bytes& value);
  // SO_LINGER with l_onoff 1.
  Outcome<int> SetLinger(int seconds);
  // SO_ERROR as an errno: reads and clears it.
  int TakeError(SourceLocation where = SourceLocation::Current());
  // A number of TCP_INFO by its name in struct tcp_info, e.g. "rto" (microseconds). Throws Skip
  // when the system does not tell it.
  std::int64_t Info(const std::string& field);

  // Throw Departure when the call fails.
  Endpoint LocalEndpoint(SourceLocation where = SourceLocation::Current());
  Endpoint RemoteEndpoint(SourceLocation where = SourceLocation::Current());

  // poll() of this socket alone: names of the events that are ready, sorted; none on timeout.
  Pending<std::vector<std::string>> StartPoll(const std::vector<std::string>& events,
                                              std::chrono::milliseconds timeout);
  Outcome<std::vector<std::string>> Poll(const std::vector<std::string>& events,
                                         std::chrono::milliseconds timeout = 0ms,
                                         SourceLocation where = SourceLocation::Current()) {
    return StartPoll(events, timeout).Await(Within(kPatience), where);
  }

 private:
  template <typename T>
  Pending<T> Start(const std::string& method, nlohmann::json params, std::string text,
                   typename Pending<T>::Reader read);

  Stack* stack_;
  IpVersion version_;
  int fd_;
};

// What accept() gives.
struct Accepted {
  Socket socket;
  Endpoint remote;
};

}  // namespace sockproof
