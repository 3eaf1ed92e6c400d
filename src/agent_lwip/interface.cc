#include "src/agent_lwip/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "harness/base/unique_fd.h"
#include "src/agent_lwip/core_lock.h"

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <netif/ethernet.h>

namespace sockproof::agent_lwip {
namespace {

constexpr std::size_t kLargestFrame = 65536;
constexpr int kReceiveBuffer = 8 << 20;
constexpr u16_t kMtu = 1500;

[[noreturn]] void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

ip4_addr_t Ipv4(const std::string& text) {
  ip4_addr_t address{};
  if (!text.empty() && ip4addr_aton(text.c_str(), &address) == 0) {
    throw std::runtime_error(text + " is not an IPv4 address");
  }
  return address;
}

ip6_addr_t Ipv6(const std::string& text) {
  ip6_addr_t address{};
  if (ip6addr_aton(text.c_str(), &address) == 0) {
    throw std::runtime_error(text + " is not an IPv6 address");
  }
  return address;
}

// An address that is in use at once: on this wire nobody else can have it.
void AddIpv6(netif& interface, const ip6_addr_t& address) {
  s8_t index = 0;
  if (netif_add_ip6_address(&interface, &address, &index) != ERR_OK) {
    throw std::runtime_error("lwIP has no room for another IPv6 address");
  }
  netif_ip6_addr_set_state(&interface, index, IP6_ADDR_PREFERRED);
}

// ---- loopback ----

err_t InitLoopback(netif* interface) {
  interface->name[0] = 'l';
  interface->name[1] = 'o';
  interface->output = [](netif* self, pbuf* packet, const ip4_addr_t*) {
    return netif_loop_output(self, packet);
  };
  interface->output_ip6 = [](netif* self, pbuf* packet, const ip6_addr_t*) {
    return netif_loop_output(self, packet);
  };
  return ERR_OK;
}

void AddLoopback() {
  static netif loopback{};
  const ip4_addr_t address = Ipv4("127.0.0.1");
  const ip4_addr_t mask = Ipv4("255.0.0.0");
  if (netif_add(&loopback, &address, &mask, &address, nullptr, InitLoopback, tcpip_input) ==
      nullptr) {
    throw std::runtime_error("lwIP does not take the loopback interface");
  }
  AddIpv6(loopback, Ipv6("::1"));
  netif_set_link_up(&loopback);
  netif_set_up(&loopback);
}

// ---- the wire ----

// A link on which this process sends and receives frames. Lives as long as the process.
class Wire {
 public:
  // Throws std::system_error.
  explicit Wire(const std::string& link);

  const std::array<u8_t, NETIF_MAX_HWADDR_LEN>& mac() const { return mac_; }

  // In the thread that holds the lock of lwIP.
  err_t Send(pbuf* frame);

  // Hands each frame to `interface`, in order, for ever.
  [[noreturn]] void Receive(netif& interface);

 private:
  UniqueFd socket_;
  std::array<u8_t, NETIF_MAX_HWADDR_LEN> mac_{};
  std::array<char, kLargestFrame> sent_{};
  std::array<char, kLargestFrame> received_{};
};

Wire::Wire(const std::string& link) {
  // Protocol 0 first: a packet socket that is born with one attaches to all links.
  socket_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket_) Fail("socket(AF_PACKET)");
  const int on = 1;
  if (setsockopt(socket_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0) {
    Fail("PACKET_IGNORE_OUTGOING");
  }
  // Beyond rmem_max only with CAP_NET_ADMIN in the first user namespace.
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer,
                 sizeof kReceiveBuffer) != 0 &&
      setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer) !=
          0) {
    Fail("SO_RCVBUF");
  }
  ifreq request{};
  link.copy(request.ifr_name, sizeof request.ifr_name - 1);
  if (ioctl(socket_.get(), SIOCGIFHWADDR, &request) != 0) Fail("link " + link);
  std::memcpy(mac_.data(), request.ifr_hwaddr.sa_data, mac_.size());
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(link.c_str()));
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Fail("bind a packet socket to " + link);
  }
}

err_t Wire::Send(pbuf* frame) {
  const u16_t size = pbuf_copy_partial(frame, sent_.data(), frame->tot_len, 0);
  if (send(socket_.get(), sent_.data(), size, 0) == size) return ERR_OK;
  std::perror("sockproof-agent-lwip: send a frame");
  return ERR_IF;
}

void Wire::Receive(netif& interface) {
  while (true) {
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t size = recvfrom(socket_.get(), received_.data(), received_.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0 && errno != EINTR) {
      std::perror("sockproof-agent-lwip: receive a frame");
      _exit(1);
    }
    // A card would not take in what is meant for others; lwIP expects that.
    if (size <= 0 || size > 0xffff || from.sll_pkttype == PACKET_OTHERHOST) continue;
    const CoreLock lock;
    // PBUF_POOL of Debian's build overflows with large frames.
    pbuf* frame = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(size), PBUF_RAM);
    if (frame == nullptr) continue;
    pbuf_take(frame, received_.data(), static_cast<u16_t>(size));
    if (interface.input(frame, &interface) != ERR_OK) pbuf_free(frame);
  }
}

err_t InitWire(netif* interface) {
  const auto& mac = static_cast<Wire*>(interface->state)->mac();
  interface->name[0] = 'e';
  interface->name[1] = 'n';
  interface->mtu = kMtu;
  interface->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                     NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
  interface->hwaddr_len = ETH_HWADDR_LEN;
  std::copy(mac.begin(), mac.end(), interface->hwaddr);
  interface->output = etharp_output;
  interface->output_ip6 = ethip6_output;
  interface->linkoutput = [](netif* self, pbuf* frame) {
    return static_cast<Wire*>(self->state)->Send(frame);
  };
  return ERR_OK;
}

void AddWire(const InterfacePlan& plan) {
  static Wire wire(plan.link);
  static netif interface {};
  const ip4_addr_t address = Ipv4(plan.ipv4);
  const ip4_addr_t mask = Ipv4("255.255.255.0");
  const ip4_addr_t gateway = Ipv4(plan.gateway);
  // Frames are handed over with the lock held, so that lwIP needs no queue that might overflow.
  if (netif_add(&interface, &address, &mask, &gateway, &wire, InitWire, ethernet_input) ==
      nullptr) {
    throw std::runtime_error("lwIP does not take the interface");
  }
  netif_set_default(&interface);
  netif_create_ip6_linklocal_address(&interface, 1);
  netif_ip6_addr_set_state(&interface, 0, IP6_ADDR_PREFERRED);
  AddIpv6(interface, Ipv6(plan.ipv6));
  netif_set_link_up(&interface);
  netif_set_up(&interface);
  std::thread([] { wire.Receive(interface); }).detach();
}

}  // namespace

void StartStack(const InterfacePlan& plan) {
  std::promise<void> started;
  tcpip_init([](void* promise) { static_cast<std::promise<void>*>(promise)->set_value(); },
             &started);
  started.get_future().wait();
  const CoreLock lock;
  AddLoopback();
  if (!plan.link.empty()) AddWire(plan);
}

}  // namespace sockproof::agent_lwip
