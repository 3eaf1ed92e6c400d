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
#include <map>
#include <memory>
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
constexpr std::uint64_t kOfItsBuffers = 3;
// Operations that are as old as a flag of another, which the kernel does not list.
constexpr int kAsOldAsMultishotAccept = 45;   // IORING_OP_SOCKET, 5.19
constexpr int kAsOldAsMultishotReceive = 47;  // IORING_OP_SEND_ZC, 6.0

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

// What a completion says.
struct Taken {
  int result;
  unsigned flags;
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
    const auto completion = Take(kOfTheCall);
    return completion ? std::optional(completion->result) : std::nullopt;
  }
  // The next completion of what has this mark, once it has come; others are dropped. From one
  // thread.
  std::optional<Taken> Take(std::uint64_t mark) {
    std::atomic_ref head(*completions_.At(about_.cq_off.head));
    const std::atomic_ref tail(*completions_.At(about_.cq_off.tail));
    while (head.load() != tail.load()) {
      const unsigned index = head.load() & *completions_.At(about_.cq_off.ring_mask);
      const io_uring_cqe& completion = completions_.At<io_uring_cqe>(about_.cq_off.cqes)[index];
      const bool wanted = completion.user_data == mark;
      const Taken taken{completion.res, completion.flags};
      head.fetch_add(1);
      if (wanted) return taken;
    }
    return std::nullopt;
  }
  unsigned features() const { return about_.features; }

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

// The next completion of what has this mark. Nothing, with errno, where the ring fails.
std::optional<Taken> WaitFor(Ring& ring, std::uint64_t mark) {
  while (true) {
    if (auto completion = ring.Take(mark)) return completion;
    if (ring.Enter(0U, 1) < 0 && errno != EINTR) return std::nullopt;
  }
}

// A request that completes again and again.
struct Kept {
  Multishot what;
  Buffers buffers;
  std::vector<char> octets;
  Ring ring;
  std::mutex taking;
};
std::mutex kept_lock;
std::map<int, std::shared_ptr<Kept>> kept;

// Gives the kernel the memory to receive into. False, with errno, where it does not take it.
bool ProvideBuffers(Kept& request) {
  const auto length = static_cast<std::size_t>(request.buffers.length);
  const auto count = static_cast<std::size_t>(request.buffers.count);
  request.octets.resize(length * count);
  io_uring_sqe entry = Entry(IORING_OP_PROVIDE_BUFFERS, request.buffers.count);
  entry.addr = AddressOf(request.octets.data());
  entry.len = static_cast<std::uint32_t>(length);
  entry.user_data = kOfItsBuffers;
  if (request.ring.Enter(entry, 1) < 0 && errno != EINTR) return false;
  const auto completion = WaitFor(request.ring, kOfItsBuffers);
  if (completion && completion->result < 0) errno = -completion->result;
  return completion && completion->result >= 0;
}

io_uring_sqe EntryOf(Multishot what, int fd, int events) {
  if (what == Multishot::kAccept) {
    io_uring_sqe entry = Entry(IORING_OP_ACCEPT, fd);
    entry.ioprio = IORING_ACCEPT_MULTISHOT;
    return entry;
  }
  if (what == Multishot::kPoll) {
    io_uring_sqe entry = Entry(IORING_OP_POLL_ADD, fd);
    entry.poll_events = static_cast<std::uint16_t>(events);
    entry.len = IORING_POLL_ADD_MULTI;
    return entry;
  }
  io_uring_sqe entry = Entry(IORING_OP_RECV, fd);
  entry.flags = IOSQE_BUFFER_SELECT;
  entry.ioprio = IORING_RECV_MULTISHOT;
  return entry;
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

std::string WhyNot(Multishot what) {
  if (what == Multishot::kAccept) return WhyNot(kAsOldAsMultishotAccept);
  if (what == Multishot::kReceive) return WhyNot(kAsOldAsMultishotReceive);
  const std::string why_not = WhyNot(IORING_OP_POLL_ADD);
  if (!why_not.empty()) return why_not;
  return (Ring().features() & IORING_FEAT_RSRC_TAGS) != 0 ? "" : "the kernel does not know it";
}

int Start(Multishot what, int fd, int events, Buffers buffers) {
  static int last = 0;
  const auto request = std::make_shared<Kept>();
  request->what = what;
  request->buffers = buffers;
  if (!request->ring.ok()) return Failed(request->ring.error());
  if (what == Multishot::kReceive && !ProvideBuffers(*request)) return -1;
  if (request->ring.Enter(EntryOf(what, fd, events), 0) < 0) return -1;
  {
    const std::lock_guard lock(under_way_lock);
    under_way.push_back({fd, &request->ring});
  }
  const std::lock_guard lock(kept_lock);
  kept[++last] = request;
  return last;
}

int Next(int multishot, Completion& completion) {
  std::shared_ptr<Kept> request;
  {
    const std::lock_guard lock(kept_lock);
    const auto found = kept.find(multishot);
    if (found == kept.end()) return Failed(ENOENT);
    request = found->second;
  }
  const std::lock_guard taking(request->taking);
  const auto taken = WaitFor(request->ring, kOfTheCall);
  if (!taken) return -1;
  completion.of = request->what;
  completion.result = taken->result;
  completion.more = (taken->flags & IORING_CQE_F_MORE) != 0;
  if (request->what == Multishot::kReceive && taken->result > 0) {
    const std::size_t buffer = taken->flags >> IORING_CQE_BUFFER_SHIFT;
    completion.data.assign(
        request->octets.data() + buffer * static_cast<std::size_t>(request->buffers.length),
        static_cast<std::size_t>(taken->result));
  }
  if (completion.more) return 0;
  const std::lock_guard lock(under_way_lock);
  std::erase_if(under_way, [&](const UnderWay& call) { return call.ring == &request->ring; });
  const std::lock_guard also(kept_lock);
  kept.erase(multishot);
  return 0;
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
