// The device that scripts name: tun0, through which all packets of a script come and go.
#pragma once

#include <cstdint>
#include <functional>

#include "harness/base/event_loop.h"
#include "harness/base/unique_fd.h"
#include "harness/net/ip.h"
#include "harness/packet/bytes.h"

namespace sockproof::packetdrill {

struct TunnelPlan {
  IpAddress local;
  int prefix_length = 16;
  IpAddress gateway;  // on the network of `local`
  IpAddress remote;   // reached by the gateway
  int remote_prefix_length = 24;
  std::uint32_t mtu = 1500;
};

// Made in the network namespace of the calling thread, with the offloads of an ordinary card: what
// TCP sends comes as it sends it, larger than the MTU. Packets are handed on inside
// EventLoop::RunUntil(), with the time at which they left the kernel. Not thread-safe; the loop
// must outlive it.
class Tunnel {
 public:
  using Handler = std::function<void(Time time, Bytes packet)>;

  // Throws Skip where there is no tun device to be had, HarnessError for all else.
  Tunnel(EventLoop& loop, const TunnelPlan& plan);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  void OnPacket(Handler handler) { handler_ = std::move(handler); }

  // An IP packet. `segment`: that it counts as several of this many octets of data (TCP only); 0:
  // as one. Returns the moment before. Throws HarnessError.
  Time Send(const Bytes& packet, std::uint16_t segment = 0);

  // Packets that the kernel dropped because this process did not take them in in time.
  unsigned Dropped();

 private:
  void TakePackets();
  void Drain();

  EventLoop& loop_;
  UniqueFd device_;
  UniqueFd socket_;
  Handler handler_;
  Bytes buffer_;
};

}  // namespace sockproof::packetdrill
