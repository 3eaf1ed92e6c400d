#include "harness/net/netlink.h"

#include <linux/ethtool_netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <poll.h>

#include <array>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

void Check(int result, const std::string& what) {
  if (result < 0) throw HarnessError(what + ": " + nl_geterror(result));
}

Owned<nl_addr> MakeAddress(int family, const void* bytes, size_t size) {
  return {nl_addr_build(family, bytes, size), nl_addr_put};
}

Owned<nl_sock> Connect(int protocol) {
  Owned<nl_sock> socket(nl_socket_alloc(), nl_socket_free);
  if (!socket) throw HarnessError("nl_socket_alloc: out of memory");
  Check(nl_connect(socket.get(), protocol), "nl_connect");
  return socket;
}

}  // namespace

Netlink::Netlink() : socket_(Connect(NETLINK_ROUTE)) {}
Netlink::~Netlink() = default;
Netlink::Netlink(Netlink&&) noexcept = default;
Netlink& Netlink::operator=(Netlink&&) noexcept = default;

void Netlink::CreateVeth(const VethPlan& plan) {
  const Owned<rtnl_link> link(rtnl_link_veth_alloc(), rtnl_link_put);
  rtnl_link* const peer = rtnl_link_veth_get_peer(link.get());
  const Owned<rtnl_link> peer_reference(peer, rtnl_link_put);
  const auto mac = MakeAddress(AF_LLC, plan.mac.data(), plan.mac.size());
  const auto peer_mac = MakeAddress(AF_LLC, plan.peer_mac.data(), plan.peer_mac.size());
  rtnl_link_set_name(link.get(), plan.name.c_str());
  rtnl_link_set_addr(link.get(), mac.get());
  rtnl_link_set_name(peer, plan.peer_name.c_str());
  rtnl_link_set_addr(peer, peer_mac.get());
  if (plan.peer_namespace != nullptr) rtnl_link_set_ns_fd(peer, plan.peer_namespace->fd());
  const int result = rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  const std::string what = "create veth pair " + plan.name + " - " + plan.peer_name;
  if (result == -NLE_OPNOTSUPP) {
    throw HarnessError(what + ": the kernel has no veth: CONFIG_VETH, or its module, is missing");
  }
  Check(result, what);
}

int Netlink::IndexOf(const std::string& link) {
  rtnl_link* found = nullptr;
  Check(rtnl_link_get_kernel(socket_.get(), 0, link.c_str(), &found), "look up link " + link);
  const Owned<rtnl_link> owned(found, rtnl_link_put);
  return rtnl_link_get_ifindex(found);
}

void Netlink::SetUp(int link) {
  const Owned<rtnl_link> original(rtnl_link_alloc(), rtnl_link_put);
  const Owned<rtnl_link> change(rtnl_link_alloc(), rtnl_link_put);
  rtnl_link_set_ifindex(original.get(), link);
  rtnl_link_set_flags(change.get(), IFF_UP);
  Check(rtnl_link_change(socket_.get(), original.get(), change.get(), 0), "set link up");
}

void Netlink::KeepWithoutOwnAddress(int link) {
  const Owned<rtnl_link> original(rtnl_link_alloc(), rtnl_link_put);
  const Owned<rtnl_link> change(rtnl_link_alloc(), rtnl_link_put);
  rtnl_link_set_ifindex(original.get(), link);
  constexpr std::uint8_t kNone = 1;  // IN6_ADDR_GEN_MODE_NONE of <linux/if_link.h>
  Check(rtnl_link_inet6_set_addr_gen_mode(change.get(), kNone), "set addrgenmode");
  Check(rtnl_link_change(socket_.get(), original.get(), change.get(), 0), "set addrgenmode none");
}

void Netlink::AddAddress(int link, const IpAddress& address, int prefix_length) {
  const auto local = MakeAddress(address.family(), address.bytes(), address.size());
  nl_addr_set_prefixlen(local.get(), prefix_length);
  const Owned<rtnl_addr> assigned(rtnl_addr_alloc(), rtnl_addr_put);
  rtnl_addr_set_ifindex(assigned.get(), link);
  Check(rtnl_addr_set_local(assigned.get(), local.get()), "set local address");
  if (address.version() == IpVersion::kIpv6) rtnl_addr_set_flags(assigned.get(), IFA_F_NODAD);
  Check(rtnl_addr_add(socket_.get(), assigned.get(), 0), "add address " + address.ToString());
}

void Netlink::AddDefaultRoute(int link, const IpAddress& gateway) {
  const std::array<std::uint8_t, 16> zeros{};
  AddRoute(link, IpAddress(gateway.version(), zeros.data()), 0, gateway);
}

void Netlink::AddRoute(int link, const IpAddress& destination, int prefix_length,
                       const IpAddress& gateway) {
  const auto via = MakeAddress(gateway.family(), gateway.bytes(), gateway.size());
  const auto to = MakeAddress(destination.family(), destination.bytes(), destination.size());
  nl_addr_set_prefixlen(to.get(), prefix_length);
  rtnl_nexthop* const next_hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(next_hop, link);
  rtnl_route_nh_set_gateway(next_hop, via.get());
  const Owned<rtnl_route> route(rtnl_route_alloc(), rtnl_route_put);
  rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(gateway.family()));
  Check(rtnl_route_set_dst(route.get(), to.get()), "set route destination");
  rtnl_route_add_nexthop(route.get(), next_hop);  // owned by the route from here on
  Check(rtnl_route_add(socket_.get(), route.get(), NLM_F_CREATE),
        "add route by " + gateway.ToString());
}

void Netlink::SetMtu(int link, std::uint32_t mtu) {
  const Owned<rtnl_link> original(rtnl_link_alloc(), rtnl_link_put);
  const Owned<rtnl_link> change(rtnl_link_alloc(), rtnl_link_put);
  rtnl_link_set_ifindex(original.get(), link);
  rtnl_link_set_mtu(change.get(), mtu);
  Check(rtnl_link_change(socket_.get(), original.get(), change.get(), 0), "set the MTU of a link");
}

void Netlink::SetRouteMetric(int link, int metric, std::uint32_t value) {
  nl_cache* found = nullptr;
  Check(rtnl_route_alloc_cache(socket_.get(), AF_UNSPEC, 0, &found), "list routes");
  const Owned<nl_cache> routes(found, nl_cache_free);
  for (nl_object* entry = nl_cache_get_first(routes.get()); entry != nullptr;
       entry = nl_cache_get_next(entry)) {
    auto* const route = reinterpret_cast<rtnl_route*>(entry);
    rtnl_nexthop* const next_hop = rtnl_route_nexthop_n(route, 0);
    if (rtnl_route_get_table(route) != RT_TABLE_MAIN || next_hop == nullptr ||
        rtnl_route_nh_get_ifindex(next_hop) != link) {
      continue;
    }
    Check(rtnl_route_set_metric(route, metric, value), "set a metric of a route");
    Check(rtnl_route_add(socket_.get(), route, NLM_F_REPLACE), "replace a route");
  }
}

void Netlink::WaitUntil(const std::function<bool()>& holds, int group, Duration patience,
                        const std::string& what) {
  const Owned<nl_sock> notifications(nl_socket_alloc(), nl_socket_free);
  nl_socket_disable_seq_check(notifications.get());
  Check(nl_connect(notifications.get(), NETLINK_ROUTE), "nl_connect");
  Check(nl_socket_add_membership(notifications.get(), group), "join netlink group");
  Check(nl_socket_set_nonblocking(notifications.get()), "set non-blocking");

  const Time deadline = Clock::now() + patience;
  while (!holds()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) throw HarnessError(what + " not within " + FormatDuration(patience));
    pollfd changed{nl_socket_get_fd(notifications.get()), POLLIN, 0};
    if (poll(&changed, 1, static_cast<int>(left.count())) > 0) {
      nl_recvmsgs_default(notifications.get());
    }
  }
}

void Netlink::WaitUntilOperational(int link, Duration patience) {
  const auto operational = [&] {
    rtnl_link* found = nullptr;
    Check(rtnl_link_get_kernel(socket_.get(), link, nullptr, &found), "read link state");
    const Owned<rtnl_link> owned(found, rtnl_link_put);
    return rtnl_link_get_operstate(found) == rtnl_link_str2operstate("up");
  };
  WaitUntil(operational, RTNLGRP_LINK, patience, "link operational");
}

void Netlink::WaitUntilReceiving(const IpAddress& address, Duration patience) {
  const auto receiving = [&] {
    const auto destination = MakeAddress(address.family(), address.bytes(), address.size());
    rtnl_route* found = nullptr;
    if (rtnl_route_lookup(socket_.get(), destination.get(), &found) < 0) return false;
    const Owned<rtnl_route> owned(found, rtnl_route_put);
    return rtnl_route_get_type(found) == RTN_LOCAL;
  };
  const bool ipv4 = address.version() == IpVersion::kIpv4;
  WaitUntil(receiving, ipv4 ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE, patience,
            address.ToString() + " receiving");
}

void DisableOffloads(const std::string& link) {
  const Owned<nl_sock> socket = Connect(NETLINK_GENERIC);
  const int family = genl_ctrl_resolve(socket.get(), ETHTOOL_GENL_NAME);
  Check(family, "resolve the ethtool netlink family (Linux 5.6 or later)");

  const Owned<nl_msg> message(nlmsg_alloc(), nlmsg_free);
  genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_REQUEST | NLM_F_ACK,
              ETHTOOL_MSG_FEATURES_SET, ETHTOOL_GENL_VERSION);
  nlattr* const header = nla_nest_start(message.get(), ETHTOOL_A_FEATURES_HEADER | NLA_F_NESTED);
  nla_put_string(message.get(), ETHTOOL_A_HEADER_DEV_NAME, link.c_str());
  nla_put_u32(message.get(), ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_OMIT_REPLY);
  nla_nest_end(message.get(), header);

  // Bits named without a value are switched off.
  nlattr* const wanted = nla_nest_start(message.get(), ETHTOOL_A_FEATURES_WANTED | NLA_F_NESTED);
  nlattr* const bits = nla_nest_start(message.get(), ETHTOOL_A_BITSET_BITS | NLA_F_NESTED);
  for (const char* feature :
       {"tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation",
        "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation", "tx-udp-segmentation",
        "tx-gso-list", "tx-generic-segmentation", "rx-gro"}) {
    nlattr* const bit = nla_nest_start(message.get(), ETHTOOL_A_BITSET_BITS_BIT | NLA_F_NESTED);
    nla_put_string(message.get(), ETHTOOL_A_BITSET_BIT_NAME, feature);
    nla_nest_end(message.get(), bit);
  }
  nla_nest_end(message.get(), bits);
  nla_nest_end(message.get(), wanted);

  Check(nl_send_auto(socket.get(), message.get()), "send ethtool request");
  Check(nl_wait_for_ack(socket.get()), "switch the offloads of " + link + " off");
}

}  // namespace sockproof
