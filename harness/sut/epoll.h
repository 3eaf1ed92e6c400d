// An epoll instance of the system under test (epoll(7)).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "harness/sut/outcome.h"
#include "harness/sut/socket.h"

namespace sockproof {

// Watches one socket. A handle, as Socket is; not thread-safe.
//
//   Epoll epoll(listener, {"EPOLLIN", "EPOLLET"});
//   EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
class Epoll {
 public:
  // epoll_create1() and EPOLL_CTL_ADD. `events` as epoll_ctl(2) names them, input flags included.
  // Throws Departure when either call fails.
  Epoll(const Socket& watched, const std::vector<std::string>& events,
        SourceLocation where = SourceLocation::Current());

  // epoll_wait(): the events of the socket; none on timeout.
  Pending<Events> StartWait(std::chrono::milliseconds timeout);
  Outcome<Events> Wait(std::chrono::milliseconds timeout = 0ms,
                       SourceLocation where = SourceLocation::Current()) {
    return StartWait(timeout).Await(Within(kPatience), where);
  }

 private:
  Stack* stack_;
  int fd_;
};

}  // namespace sockproof
