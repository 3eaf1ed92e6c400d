// Calls of a socket that the agent makes through io_uring instead of by themselves. Where the
// system has no rings, or forbids them, the test is a SKIP that says so.
//
//   Pending<std::string> receiving = RingCalls(socket).StartReceive(64);
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/sut/message.h"
#include "harness/sut/name.h"
#include "harness/sut/outcome.h"
#include "harness/sut/pending.h"
#include "harness/sut/socket.h"

namespace sockproof {

// What a request that completes again and again has given.
struct Completion {
  bool more = false;               // IORING_CQE_F_MORE: it will give more
  int error = 0;                   // an errno; 0 when it gave one of these
  std::optional<Socket> accepted;  // a connection
  std::string data;
  Events events;
};

// Such a request.
class Multishot {
 public:
  Multishot(Socket by, int number) : by_(std::move(by)), number_(number) {}

  Pending<Completion> StartNext() const;
  Outcome<Completion> Next(SourceLocation where = SourceLocation::Current()) const {
    return StartNext().Await(Within(kPatience), where);
  }

 private:
  Socket by_;
  int number_;
};

// Members are as those of Socket of the same names.
class RingCalls {
 public:
  explicit RingCalls(const Socket& socket) : socket_(socket) {}

  Pending<Accepted> StartAccept() const;
  Outcome<Accepted> Accept() const { return StartAccept().Await(); }
  Pending<int> StartConnect(const Name& remote) const;
  Outcome<int> Connect(const Name& remote) const { return StartConnect(remote).Await(); }
  Pending<int> StartSend(const std::string& data, const std::vector<std::string>& flags = {}) const;
  Outcome<int> Send(const std::string& data, const std::vector<std::string>& flags = {}) const {
    return StartSend(data, flags).Await();
  }
  Pending<std::string> StartReceive(std::size_t length,
                                    const std::vector<std::string>& flags = {}) const;
  Outcome<std::string> Receive(std::size_t length,
                               const std::vector<std::string>& flags = {}) const {
    return StartReceive(length, flags).Await();
  }
  Outcome<int> SendMessage(const Message& message) const;
  Outcome<Received> ReceiveMessage(std::size_t length, const ControlRoom& room = {}) const;
  // Without a limit of time.
  Pending<Events> StartPoll(const std::vector<std::string>& events) const;
  Outcome<int> Shutdown(const std::string& how) const;
  Outcome<int> Close() const;

  // Requests that are made once. That which receives has so many buffers of that length, each of
  // which it fills once.
  Multishot AcceptAgainAndAgain() const;
  Multishot ReceiveAgainAndAgain(int buffers, int length) const;
  Multishot PollAgainAndAgain(const std::vector<std::string>& events) const;

  // IORING_OP_ASYNC_CANCEL of a call of this descriptor that waits.
  Outcome<int> Cancel() const;

 private:
  Multishot StartAgainAndAgain(nlohmann::json params, const std::string& what) const;
  template <typename T>
  Pending<T> Start(const std::string& method, nlohmann::json params, const std::string& what,
                   typename Pending<T>::Reader read) const;

  Socket socket_;
};

}  // namespace sockproof
