#include "harness/wire/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

constexpr size_t kLargestFrame = 65536 + 64;  // a super-frame, should offloads be on
constexpr int kReceiveBuffer = 8 << 20;

void SetOption(int socket, int level, int name, int value, const char* what) {
  if (setsockopt(socket, level, name, &value, sizeof value) != 0) ThrowErrno(what);
}

}  // namespace

WirePort::WirePort(EventLoop& loop, const std::string& link, Mode mode)
    : loop_(loop), buffer_(kLargestFrame) {
  // Protocol 0 first: a packet socket that is born with a protocol attaches to all interfaces, and
  // moving it to one costs 23 ms of synchronize_net().
  socket_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) ThrowErrno("socket(AF_PACKET)");
  SetOption(socket_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
  SetOption(socket_.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
  // Beyond rmem_max only with CAP_NET_ADMIN in the first user namespace.
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer,
                 sizeof kReceiveBuffer) != 0) {
    SetOption(socket_.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer, "SO_RCVBUF");
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(link.c_str()));
  if (address.sll_ifindex == 0) ThrowErrno("if_nametoindex(" + link + ")");
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ThrowErrno("bind packet socket to " + link);
  }
  if (mode == Mode::kPromiscuous) {
    packet_mreq request{};
    request.mr_ifindex = address.sll_ifindex;
    request.mr_type = PACKET_MR_PROMISC;
    if (setsockopt(socket_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) !=
        0) {
      ThrowErrno("PACKET_MR_PROMISC on " + link);
    }
  }
  loop_.Watch(socket_.get(), [this] { TakeFrames(); });
}

WirePort::~WirePort() { loop_.Unwatch(socket_.get()); }

Time WirePort::Send(const Bytes& frame) {
  const Time before = Clock::now();
  if (!tamper_sent_) {
    Transmit(frame);
    return before;
  }
  for (Tampered& tampered : tamper_sent_(frame)) {
    if (tampered.delay == Duration(0)) {
      Transmit(tampered.frame);
    } else {
      loop_.At(before + tampered.delay,
               [this, late = std::move(tampered.frame)] { Transmit(late); });
    }
  }
  return before;
}

void WirePort::Transmit(const Bytes& frame) {
  const ssize_t sent = send(socket_.get(), frame.data(), frame.size(), 0);
  if (sent != static_cast<ssize_t>(frame.size())) ThrowErrno("send frame");
}

unsigned WirePort::Dropped() {
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) {
    ThrowErrno("PACKET_STATISTICS");
  }
  return statistics.tp_drops;
}

void WirePort::TakeFrames() {
  // One at a time: after each, a waiting test looks whether it has what it waits for.
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) char control[256];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(socket_.get(), &message, 0);
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    ThrowErrno("receive frame");
  }
  Time time = Clock::now();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SO_TIMESTAMPNS) continue;
    timespec stamp;
    memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
    time = Time(std::chrono::seconds(stamp.tv_sec) + Duration(stamp.tv_nsec));
  }
  loop_.NoteServed(time);
  if (!handler_ && !observer_) return;
  Bytes frame(buffer_.begin(), buffer_.begin() + size);
  if (observer_) observer_(frame);
  if (!handler_) return;
  if (!tamper_received_) {
    handler_(time, std::move(frame));
    return;
  }
  for (Tampered& tampered : tamper_received_(std::move(frame))) {
    const Time seen = time + tampered.delay;
    if (tampered.delay == Duration(0)) {
      handler_(seen, std::move(tampered.frame));
    } else {
      loop_.At(seen, [this, seen, late = std::move(tampered.frame)] {
        if (handler_) handler_(seen, late);
      });
    }
  }
}

}  // namespace sockproof
