#include "src/packetdrill/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utility>

#include "harness/base/errors.h"
#include "harness/net/namespace.h"
#include "harness/net/netlink.h"
#include "harness/packet/packet.h"

namespace sockproof::packetdrill {
namespace {

constexpr const char* kName = "tun0";
// What stands before each packet with IFF_VNET_HDR: struct virtio_net_hdr of Linux, whose header is
// none in C++.
struct BeforePacket {
  static constexpr std::uint8_t kSegmentsOfIpv4 = 1, kSegmentsOfIpv6 = 4;
  std::uint8_t flags = 0;
  std::uint8_t segments = 0;  // which kind of several in one
  std::uint16_t header_length = 0;
  std::uint16_t segment_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};

constexpr std::size_t kLargestPacket = 65536 + 64;
constexpr int kReceiveBuffer = 8 << 20;

UniqueFd MakeDevice() {
  UniqueFd device(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device) throw Skip(fmt::format("/dev/net/tun: {}", strerror(errno)));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  strncpy(request.ifr_name, kName, IFNAMSIZ - 1);
  if (ioctl(device.get(), TUNSETIFF, &request) != 0) ThrowErrno("TUNSETIFF");
  constexpr unsigned long kOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (ioctl(device.get(), TUNSETOFFLOAD, kOffloads) != 0) ThrowErrno("TUNSETOFFLOAD");
  // It ends with its namespace and not with the descriptor: the kernel takes down the devices of many
  // namespaces at once, but single ones one after the other, in 40 ms each.
  if (ioctl(device.get(), TUNSETPERSIST, 1) != 0) ThrowErrno("TUNSETPERSIST");
  return device;
}

void SetOption(int socket, int level, int name, int value, const char* what) {
  if (setsockopt(socket, level, name, &value, sizeof value) != 0) ThrowErrno(what);
}

// Of what leaves by the device, with timestamps. Protocol 0 first, see harness/wire/port.cc.
UniqueFd Listener(int link) {
  UniqueFd listener(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) ThrowErrno("socket(AF_PACKET)");
  SetOption(listener.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
  SetOption(listener.get(), SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA");
  if (setsockopt(listener.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer,
                 sizeof kReceiveBuffer) != 0) {
    SetOption(listener.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer, "SO_RCVBUF");
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = link;
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ThrowErrno("bind packet socket to tun0");
  }
  return listener;
}

// The address without what is behind the prefix.
IpAddress NetworkOf(const IpAddress& address, int prefix_length) {
  Bytes octets(address.bytes(), address.bytes() + address.size());
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const int bits = std::clamp(prefix_length - static_cast<int>(i) * 8, 0, 8);
    octets[i] &= static_cast<std::uint8_t>(0xff << (8 - bits));
  }
  return {address.version(), octets.data()};
}

}  // namespace

Tunnel::Tunnel(EventLoop& loop, const TunnelPlan& plan)
    : loop_(loop), device_(MakeDevice()), buffer_(kLargestPacket) {
  const bool ipv6 = plan.local.version() == IpVersion::kIpv6;
  // No address of its own beside that of the script, no questions about neighbours.
  WriteSysctl("net.ipv6.conf.tun0.router_solicitations", "0");
  Netlink netlink;
  const int link = netlink.IndexOf(kName);
  netlink.KeepWithoutOwnAddress(link);
  constexpr std::uint32_t kMtuOfTun = 1500;
  if (plan.mtu != kMtuOfTun) netlink.SetMtu(link, plan.mtu);
  netlink.SetUp(link);
  netlink.AddAddress(link, plan.local, plan.prefix_length);
  netlink.AddRoute(link, NetworkOf(plan.remote, plan.remote_prefix_length), plan.remote_prefix_length, plan.gateway);
  if (ipv6) netlink.WaitUntilReceiving(plan.local);
  socket_ = Listener(link);
  loop_.Watch(socket_.get(), [this] { TakePackets(); });
  loop_.Watch(device_.get(), [this] { Drain(); });
}

Tunnel::~Tunnel() {
  loop_.Unwatch(socket_.get());
  loop_.Unwatch(device_.get());
}

Time Tunnel::Send(const Bytes& packet, std::uint16_t segment) {
  BeforePacket header;
  if (segment != 0) {
    const bool ipv4 = !packet.empty() && packet[0] >> 4 == 4;
    header.segments = ipv4 ? BeforePacket::kSegmentsOfIpv4 : BeforePacket::kSegmentsOfIpv6;
    header.segment_size = segment;
  }
  const iovec parts[] = {{&header, sizeof header},
                         {const_cast<std::uint8_t*>(packet.data()), packet.size()}};
  const Time before = Clock::now();
  if (writev(device_.get(), parts, 2) < 0) ThrowErrno("write a packet to tun0");
  // The stack answers inside this call: if it took long, that was this machine.
  loop_.NoteServed(before);
  return before;
}

unsigned Tunnel::Dropped() {
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) {
    ThrowErrno("PACKET_STATISTICS");
  }
  return statistics.tp_drops;
}

// What left has been seen by the other socket; it is taken out so that the kernel takes it for sent.
void Tunnel::Drain() {
  char octets[sizeof(BeforePacket) + 1];
  while (read(device_.get(), octets, sizeof octets) > 0) {
  }
}

void Tunnel::TakePackets() {
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) char control[256];
  sockaddr_ll from{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(socket_.get(), &message, 0);
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN) return;
    ThrowErrno("receive packet");
  }
  if (from.sll_pkttype != PACKET_OUTGOING) return;
  Time time = Clock::now();
  bool sum_is_missing = false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_TIMESTAMPNS) {
      timespec stamp;
      memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
      time = Time(std::chrono::seconds(stamp.tv_sec) + Duration(stamp.tv_nsec));
    } else if (header->cmsg_level == SOL_PACKET && header->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata auxiliary;
      memcpy(&auxiliary, CMSG_DATA(header), sizeof auxiliary);
      sum_is_missing = (auxiliary.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
    }
  }
  // It has its time from the kernel: that it is looked at late delays nothing but the next line, which
  // tells so itself.
  Drain();
  if (!handler_) return;
  Bytes packet(buffer_.begin(), buffer_.begin() + size);
  // A card would fill it in.
  if (sum_is_missing) {
    packet::Packet read = packet::ReadIp(packet);
    if (auto* tcp = read.Find<packet::Tcp>()) tcp->checksum.reset();
    if (auto* udp = read.Find<packet::Udp>()) udp->checksum.reset();
    if (auto* icmp = read.Find<packet::Icmp>()) icmp->checksum.reset();
    packet = packet::Write(read);
  }
  handler_(time, std::move(packet));
}

}  // namespace sockproof::packetdrill
