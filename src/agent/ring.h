// System calls made through io_uring: by the plain functions' names, with their returns. Each has a
// ring of its own, so that nothing of one call is left for another.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <string>

namespace sockproof::agent::ring {

// Why this operation, IORING_OP_..., cannot be asked for: the kernel has no rings, forbids them or
// does not know it. Empty where it can.
std::string WhyNot(int operation);

// As their namesakes of POSIX, except that a signal does not end them.
int Accept(int fd, sockaddr* address, socklen_t* length, int flags);
int Connect(int fd, const sockaddr* address, socklen_t length);
int Shutdown(int fd, int how);
int Close(int fd);
ssize_t Send(int fd, const void* data, std::size_t size, int flags);
ssize_t SendMessage(int fd, const msghdr* message, int flags);
ssize_t Receive(int fd, void* data, std::size_t size, int flags);
ssize_t ReceiveMessage(int fd, msghdr* message, int flags);
// Of one descriptor, without a limit of time.
int Poll(pollfd* fds, nfds_t count, int timeout);

// Asks that a call that waits on this descriptor be cancelled: it then fails with ECANCELED. Fails
// with ENOENT where none does.
int Cancel(int fd);

// A request that completes again and again: it is made once, and what it gives is taken one by one.
enum class Multishot { kAccept, kReceive, kPoll };
// Why it cannot be asked for, as WhyNot().
std::string WhyNot(Multishot what);

// What a received one has room for: it ends when it has filled them all.
struct Buffers {
  int count = 0;
  int length = 0;
};

// Its number; -1, with errno. A thread that lives on must call it: the kernel ends the requests of
// one that ends.
int Start(Multishot what, int fd, int events, Buffers buffers);

struct Completion {
  Multishot of = Multishot::kAccept;
  int result = 0;     // as the kernel gives it: a negative errno
  bool more = false;  // IORING_CQE_F_MORE
  std::string data;
};

// Waits for the next one. Fails with ENOENT where there is no such request, or none any more.
int Next(int multishot, Completion& completion);

}  // namespace sockproof::agent::ring
