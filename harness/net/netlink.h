// Links, addresses, routes and offloads of the calling thread's network namespace, by libnl.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/net/namespace.h"

struct nl_sock;

namespace sockproof {

// A veth pair to be made: one end here, the other in another namespace.
struct VethPlan {
  std::string name;
  MacAddress mac{};
  std::string peer_name;
  MacAddress peer_mac{};
  const NetworkNamespace* peer_namespace = nullptr;
};

// A route-netlink socket. It belongs to the namespace in which it was made, wherever the thread
// goes later. All members throw HarnessError. Move-only, not thread-safe.
class Netlink {
 public:
  Netlink();
  ~Netlink();
  Netlink(Netlink&&) noexcept;
  Netlink& operator=(Netlink&&) noexcept;

  void CreateVeth(const VethPlan& plan);
  int IndexOf(const std::string& link);
  void SetUp(int link);
  // It gets no IPv6 address by itself when it is set up.
  void KeepWithoutOwnAddress(int link);

  // With IFA_F_NODAD: usable at once, duplicate address detection would take a second.
  void AddAddress(int link, const IpAddress& address, int prefix_length);
  void AddDefaultRoute(int link, const IpAddress& gateway);
  // To `destination`/`prefix_length`, of the version of `gateway`.
  void AddRoute(int link, const IpAddress& destination, int prefix_length,
                const IpAddress& gateway);

  void SetMtu(int link, std::uint32_t mtu);
  // A metric of every route through `link` that is no local one: its number is RTAX_INITCWND, ...
  void SetRouteMetric(int link, int metric, std::uint32_t value);

  // Waits until the kernel takes packets for its own `address` in. The route that makes it do so is
  // inserted by a work queue, also without duplicate address detection.
  void WaitUntilReceiving(const IpAddress& address, Duration patience = 30s);

  // Waits for IFLA_OPERSTATE == IF_OPER_UP. A veth activates asynchronously: a frame sent after
  // IFF_UP or even IFF_RUNNING may still be lost; after this, none is.
  void WaitUntilOperational(int link, Duration patience = 30s);

 private:
  // Asks `holds` now and after each notification of `group`.
  void WaitUntil(const std::function<bool()>& holds, int group, Duration patience,
                 const std::string& what);

  std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket_;
};

// Turns checksum and segmentation offloads of `link` in the calling thread's namespace off
// (ethtool netlink), so that frames on the wire are as a receiver must see them: real checksums,
// at most MTU bytes. Throws HarnessError.
void DisableOffloads(const std::string& link);

}  // namespace sockproof
