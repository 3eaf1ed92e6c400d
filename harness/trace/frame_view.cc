// Picks from a packet.
#include "harness/trace/frame_view.h"

#include <algorithm>

#include "harness/packet/describe.h"
#include "harness/packet/groups.h"
#include "harness/packet/neighbour_discovery.h"
#include "harness/packet/packet.h"

namespace sockproof {
namespace {

using packet::Arp;
using packet::Icmp;
using packet::Ipv4;
using packet::Ipv6;
using packet::Packet;
using packet::Tcp;
using packet::Udp;
namespace icmpv6_type = packet::icmpv6_type;

template <typename View>
View BetweenAddresses(const Packet& frame) {
  View view;
  const auto take = [&](const auto* ip) {
    if (ip == nullptr) return;
    view.source = ip->source.ToString();
    view.destination = ip->destination.ToString();
  };
  take(frame.Find<Ipv4>());
  take(frame.Find<Ipv6>());
  return view;
}

std::string GravestDefect(const Packet& frame) {
  const std::vector<std::string> defects = packet::Defects(frame);
  return defects.empty() ? "" : defects.front();
}

TcpView ViewOf(const Packet& frame, const Tcp& tcp) {
  auto view = BetweenAddresses<TcpView>(frame);
  view.source_port = tcp.source_port;
  view.destination_port = tcp.destination_port;
  view.seq = tcp.seq;
  view.ack = tcp.ack;
  view.flags = tcp.all_flags();
  view.window = tcp.window;
  view.urgent_pointer = tcp.urgent_pointer;
  view.defect = GravestDefect(frame);
  if (HeaderSize(tcp) != std::size_t{4} * tcp.data_offset.value_or(0)) return view;
  packet::AppendOptions(view.options, tcp.options);
  packet::Append(view.options, tcp.option_rest.value_or(Bytes()));
  view.payload = frame.payload;
  return view;
}

// A group that a node joins by itself: all nodes, all routers, all MLDv2 snoopers, solicited node
// (RFC 4291 section 2.7.1, RFC 3810 section 12).
bool IsOfHousekeeping(const IpAddress& group) {
  static const IpAddress kByItself[] = {
      IpAddress("ff01::1"),  IpAddress("ff01::2"),  IpAddress("ff02::1"), IpAddress("ff02::2"),
      IpAddress("ff02::16"), IpAddress("ff02::6a"), IpAddress("ff05::2")};
  static const IpAddress kSolicitedNode("ff02::1:ff00:0");
  constexpr std::size_t kPrefix = 13;
  return group.bytes()[0] != 0xff ||
         std::find(std::begin(kByItself), std::end(kByItself), group) != std::end(kByItself) ||
         std::equal(group.bytes(), group.bytes() + kPrefix, kSolicitedNode.bytes());
}

bool IsNoise(const Packet& frame) {
  if (const auto* arp = frame.Find<Arp>()) {
    // Who has an address tells all of it, or looks whether anybody else has (RFC 5227 sections 2.1.1 and 2.3).
    return arp->sender == arp->target || arp->sender == IpAddress("0.0.0.0");
  }
  const auto* icmp = frame.Find<Icmp>();
  if (icmp == nullptr || icmp->version != IpVersion::kIpv6) return false;
  const auto* ip = frame.Find<Ipv6>();
  switch (icmp->type) {
    case icmpv6_type::kRouterSolicitation:
      return true;
    case icmpv6_type::kNeighbourSolicitation:
      // From the unspecified address it is duplicate address detection.
      return ip != nullptr && ip->source == IpAddress("::");
    case icmpv6_type::kGroupQuery:
    case icmpv6_type::kGroupReport:
    case icmpv6_type::kGroupDone: {
      const auto query = packet::ReadGroupQuery(frame);
      const auto group = query ? query->group : packet::ReadSingleGroup(frame);
      return !group || IsOfHousekeeping(*group);
    }
    case icmpv6_type::kGroupReportV2: {
      const auto records = packet::ReadGroupReport(frame);
      return std::all_of(records->begin(), records->end(), [](const packet::GroupRecord& record) {
        return IsOfHousekeeping(record.group);
      });
    }
    default:
      return false;
  }
}

bool IsResolution(const Packet& frame) {
  if (frame.Find<Arp>() != nullptr) return true;
  const auto* ethernet = frame.Find<packet::Ethernet>();
  if (ethernet != nullptr && ethernet->type == packet::ether_type::kArp) return true;
  const auto message = packet::ReadNeighbourMessage(frame);
  return message && message->type != icmpv6_type::kRedirect;
}

}  // namespace

FrameView DecodeFrame(const Bytes& bytes) {
  const Packet frame = packet::ReadFrame(bytes);
  FrameView view;
  if (const auto* tcp = frame.Find<Tcp>()) {
    view.tcp = ViewOf(frame, *tcp);
    return view;
  }
  if (const auto* udp = frame.Find<Udp>()) {
    view.udp = BetweenAddresses<UdpView>(frame);
    view.udp->source_port = udp->source_port;
    view.udp->destination_port = udp->destination_port;
  }
  const auto take = [&](const auto* ip) {
    if (ip == nullptr) return;
    view.source = ip->source.ToString();
    view.destination = ip->destination.ToString();
  };
  take(frame.Find<Ipv4>());
  take(frame.Find<Ipv6>());
  const packet::Description description = packet::Describe(frame);
  view.other = description.text();
  view.kind = description.kind();
  view.defect = GravestDefect(frame);
  view.is_resolution = IsResolution(frame);
  view.is_noise = IsNoise(frame);
  return view;
}

}  // namespace sockproof
