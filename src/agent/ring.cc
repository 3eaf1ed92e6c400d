#include "src/agent/ring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "harness/base/unique_fd.h"

namespace sockproof::agent::ring {
namespace {

constexpr unsigned kEntries = 4;
// What tells the completions of a ring apart.
constexpr std::uint64_t kOfTheCall = 1;
constexpr std::uint64_t kOfItsCancellation = 2;

std::uint64_t AddressOf(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

io_uring_sqe Entry(int operation, int fd) {
  io_uring_sqe entry{};
  entry.opcode = static_cast<std::uint8_t>(operation);
  entry.fd = fd;
  entry.user_data = kOfTheCall;
  return entry;
}

// Memory that the kernel shares.
class Shared {
 public:
  Shared(int fd, std::size_t size, off_t what)
      : size_(size),
        memory_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what)) {}
  ~Shared() {
    if (ok()) munmap(memory_, size_);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  bool ok() const { return memory_ != MAP_FAILED; }
  template <typename T = unsigned>
  T* At(unsigned offset) const {
    return reinterpret_cast<T*>(static_cast<char*>(memory_) + offset);
  }

 private:
  std::size_t size_;
  void* memory_;
};

class Ring {
 public:
  Ring()
      : fd_(static_cast<int>(syscall(SYS_io_uring_setup, kEntries, &about_))),
        error_(fd_ ? 0 : errno),
        submissions_(fd_.get(), about_.sq_off.array + about_.sq_entries * sizeof(unsigned),
                     IORING_OFF_SQ_RING),
        completions_(fd_.get(), about_.cq_off.cqes + about_.cq_entries * sizeof(io_uring_cqe),
                     IORING_OFF_CQ_RING),
        entries_(fd_.get(), about_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES) {}

  bool ok() const { return error() == 0; }
  // Why there is none: an errno, 0 where there is one.
  int error() const {
    const bool shared = submissions_.ok() && completions_.ok() && entries_.ok();
    return error_ == 0 && !shared ? ENOMEM : error_;
  }
  int fd() const { return fd_.get(); }

  // Hands the entry to the kernel, and waits for at least so many completions. Negative, with
  // errno, where that fails. From any thread.
  int Enter(const io_uring_sqe& entry, unsigned completions) {
    {
      const std::lock_guard lock(submitting_);
      const unsigned tail = *submissions_.At(about_.sq_off.tail);
      const unsigned index = tail & *submissions_.At(about_.sq_off.ring_mask);
      entries_.At<io_uring_sqe>(0)[index] = entry;
      submissions_.At(about_.sq_off.array)[index] = index;
      std::atomic_ref(*submissions_.At(about_.sq_off.tail)).store(tail + 1);
    }
    return Enter(1, completions);
  }
  int Enter(unsigned submitted, unsigned completions) const {
    const unsigned flags = completions > 0 ? IORING_ENTER_GETEVENTS : 0;
    return static_cast<int>(
        syscall(SYS_io_uring_enter, fd(), submitted, completions, flags, nullptr, 0));
  }
  // What the call has given, once its completion has come. From one thread.
  std::optional<int> Result() {
    std::atomic_ref head(*completions_.At(about_.cq_off.head));
    const std::atomic_ref tail(*completions_.At(about_.cq_off.tail));
    std::optional<int> result;
    for (; head.load() != tail.load(); head.fetch_add(1)) {
      const unsigned index = head.load() & *completions_.At(about_.cq_off.ring_mask);
      const io_uring_cqe& completion = completions_.At<io_uring_cqe>(about_.cq_off.cqes)[index];
      if (completion.user_data == kOfTheCall) result = completion.res;
    }
    return result;
  }

 private:
  io_uring_params about_{};
  UniqueFd fd_;
  int error_;
  Shared submissions_, completions_, entries_;
  std::mutex submitting_;
};

// Calls under way, for who cancels one of them.
struct UnderWay {
  int fd;
  Ring* ring;
};
std::mutex under_way_lock;
std::vector<UnderWay> under_way;

int Failed(int error) {
  errno = error;
  return -1;
}

int Run(const io_uring_sqe& entry) {
  Ring ring;
  if (!ring.ok()) return Failed(ring.error());
  {
    const std::lock_guard lock(under_way_lock);
    under_way.push_back({entry.fd, &ring});
  }
  std::optional<int> result;
  int entered = ring.Enter(entry, 1);
  while (!(result = ring.Result()) && (entered >= 0 || errno == EINTR)) entered = ring.Enter(0U, 1);
  const int error = errno;
  {
    const std::lock_guard lock(under_way_lock);
    std::erase_if(under_way, [&](const UnderWay& call) { return call.ring == &ring; });
  }
  if (!result) return Failed(error);
  return *result < 0 ? Failed(-*result) : *result;
}

}  // namespace

std::string WhyNot(int operation) {
  const Ring ring;
  if (!ring.ok()) return strerrorname_np(ring.error());
  constexpr unsigned kMost = 256;
  alignas(io_uring_probe)
      std::array<char, sizeof(io_uring_probe) + kMost * sizeof(io_uring_probe_op)>
          room{};
  if (syscall(SYS_io_uring_register, ring.fd(), IORING_REGISTER_PROBE, room.data(), kMost) != 0) {
    return strerrorname_np(errno);
  }
  io_uring_probe probe{};
  memcpy(&probe, room.data(), sizeof probe);
  io_uring_probe_op known{};
  const auto number = static_cast<std::size_t>(operation);
  memcpy(&known, room.data() + sizeof probe + number * sizeof known, sizeof known);
  const bool knows = operation <= probe.last_op && (known.flags & IO_URING_OP_SUPPORTED) != 0;
  return knows ? "" : "the kernel does not know it";
}

int Accept(int fd, sockaddr* address, socklen_t* length, int flags) {
  io_uring_sqe entry = Entry(IORING_OP_ACCEPT, fd);
  entry.addr = AddressOf(address);
  entry.addr2 = AddressOf(length);
  entry.accept_flags = static_cast<std::uint32_t>(flags);
  return Run(entry);
}

int Connect(int fd, const sockaddr* address, socklen_t length) {
  io_uring_sqe entry = Entry(IORING_OP_CONNECT, fd);
  entry.addr = AddressOf(address);
  entry.off = length;
  return Run(entry);
}

int Shutdown(int fd, int how) {
  io_uring_sqe entry = Entry(IORING_OP_SHUTDOWN, fd);
  entry.len = static_cast<std::uint32_t>(how);
  return Run(entry);
}

int Close(int fd) { return Run(Entry(IORING_OP_CLOSE, fd)); }

ssize_t Send(int fd, const void* data, std::size_t size, int flags) {
  io_uring_sqe entry = Entry(IORING_OP_SEND, fd);
  entry.addr = AddressOf(data);
  entry.len = static_cast<std::uint32_t>(size);
  entry.msg_flags = static_cast<std::uint32_t>(flags);
  return Run(entry);
}

ssize_t SendMessage(int fd, const msghdr* message, int flags) {
  io_uring_sqe entry = Entry(IORING_OP_SENDMSG, fd);
  entry.addr = AddressOf(message);
  entry.len = 1;
  entry.msg_flags = static_cast<std::uint32_t>(flags);
  return Run(entry);
}

ssize_t Receive(int fd, void* data, std::size_t size, int flags) {
  io_uring_sqe entry = Entry(IORING_OP_RECV, fd);
  entry.addr = AddressOf(data);
  entry.len = static_cast<std::uint32_t>(size);
  entry.msg_flags = static_cast<std::uint32_t>(flags);
  return Run(entry);
}

ssize_t ReceiveMessage(int fd, msghdr* message, int flags) {
  io_uring_sqe entry = Entry(IORING_OP_RECVMSG, fd);
  entry.addr = AddressOf(message);
  entry.len = 1;
  entry.msg_flags = static_cast<std::uint32_t>(flags);
  return Run(entry);
}

int Poll(pollfd* fds, nfds_t, int) {
  io_uring_sqe entry = Entry(IORING_OP_POLL_ADD, fds->fd);
  entry.poll_events = static_cast<std::uint16_t>(fds->events);
  const int events = Run(entry);
  if (events < 0) return -1;
  fds->revents = static_cast<short>(events);
  return 1;
}

int Cancel(int fd) {
  const std::lock_guard lock(under_way_lock);
  for (const UnderWay& call : under_way) {
    if (call.fd != fd) continue;
    io_uring_sqe entry = Entry(IORING_OP_ASYNC_CANCEL, -1);
    entry.addr = kOfTheCall;
    entry.user_data = kOfItsCancellation;
    return call.ring->Enter(entry, 0) < 0 ? -1 : 0;
  }
  return Failed(ENOENT);
}

}  // namespace sockproof::agent::ring
