// An epoll instance of the system under test.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/sut/socket.h"

namespace sockproof {

// A handle, as Socket is; not thread-safe. `events` are named as epoll_ctl(2) names them, input
// flags included.
//
//   Epoll epoll(listener, {"EPOLLIN", "EPOLLET"});
//   EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
class Epoll {
 public:
  // epoll_create1(). Throws Departure when it fails.
  explicit Epoll(Stack& stack, SourceLocation where = SourceLocation::Current());
  // And EPOLL_CTL_ADD of one socket; likewise.
  Epoll(const Socket& watched, const std::vector<std::string>& events,
        SourceLocation where = SourceLocation::Current());

  // EPOLL_CTL_ADD, EPOLL_CTL_MOD and EPOLL_CTL_DEL. The descriptor may be any.
  Outcome<int> Add(const Socket& socket, const std::vector<std::string>& events) {
    return Control("ADD", socket.fd(), events);
  }
  Outcome<int> Modify(const Socket& socket, const std::vector<std::string>& events) {
    return Control("MOD", socket.fd(), events);
  }
  Outcome<int> Remove(const Socket& socket) { return Control("DEL", socket.fd(), {}); }

  // epoll_wait() for one event: the events of the socket that has one; none on timeout.
  Pending<Events> StartWait(std::chrono::milliseconds timeout);
  Outcome<Events> Wait(std::chrono::milliseconds timeout = 0ms,
                       SourceLocation where = SourceLocation::Current()) {
    return StartWait(timeout).Await(Within(kPatience), where);
  }

  // The same for up to `most` sockets, by descriptor.
  Outcome<std::map<int, Events>> WaitForAll(int most, std::chrono::milliseconds timeout = 0ms,
                                            SourceLocation where = SourceLocation::Current());

  // The epoll instance as what it is to other calls: a descriptor that is no socket.
  Socket AsSocket() const { return {*stack_, fd_}; }

 private:
  Outcome<int> Control(const std::string& operation, int fd,
                       const std::vector<std::string>& events);
  template <typename T>
  Pending<T> StartWait(int most, std::chrono::milliseconds timeout,
                       typename Pending<T>::Reader read);

  Stack* stack_;
  int fd_;
};

}  // namespace sockproof
