#include "harness/wire/ip_packet.h"

#include <fmt/format.h>

#include "harness/base/errors.h"
#include "harness/packet/describe.h"

namespace sockproof {
namespace {

template <typename Value>
Value OfIp(const packet::Packet& packet, Value packet::Ipv4::*v4, Value packet::Ipv6::*v6) {
  if (const auto* ip = packet.Find<packet::Ipv4>()) return ip->*v4;
  if (const auto* ip = packet.Find<packet::Ipv6>()) return ip->*v6;
  if constexpr (std::is_same_v<Value, IpAddress>) {
    if (const auto* arp = packet.Find<packet::Arp>()) return v4 == &packet::Ipv4::source ? arp->sender : arp->target;
  }
  throw HarnessError("a packet without an IP header");
}

}  // namespace

Endpoint IpPacket::source() const {
  const auto* udp = packet.Find<packet::Udp>();
  return {OfIp(packet, &packet::Ipv4::source, &packet::Ipv6::source),
          udp == nullptr ? std::uint16_t{0} : udp->source_port};
}

Endpoint IpPacket::destination() const {
  const auto* udp = packet.Find<packet::Udp>();
  return {OfIp(packet, &packet::Ipv4::destination, &packet::Ipv6::destination),
          udp == nullptr ? std::uint16_t{0} : udp->destination_port};
}

std::uint8_t IpPacket::hop_limit() const {
  return OfIp(packet, &packet::Ipv4::hop_limit, &packet::Ipv6::hop_limit);
}

std::uint8_t IpPacket::traffic_class() const {
  return OfIp(packet, &packet::Ipv4::traffic_class, &packet::Ipv6::traffic_class);
}

std::uint32_t IpPacket::flow_label() const {
  const auto* ip = packet.Find<packet::Ipv6>();
  return ip == nullptr ? 0 : ip->flow_label;
}

std::optional<std::uint32_t> IpPacket::identification() const {
  const packet::Packet& one = fragments.empty() ? packet : fragments.front();
  if (const auto* ip = one.Find<packet::Ipv4>()) return ip->identification;
  if (const auto* header = one.Find<packet::Ipv6Fragment>()) return header->identification;
  return std::nullopt;
}

bool IpPacket::dont_fragment() const {
  const auto* ip = packet.Find<packet::Ipv4>();
  return ip == nullptr || ip->dont_fragment;
}

std::uint16_t IpPacket::checksum() const {
  if (const auto* udp = packet.Find<packet::Udp>()) return udp->checksum.value_or(0);
  if (const auto* icmp = packet.Find<packet::Icmp>()) return icmp->checksum.value_or(0);
  if (const auto* igmp = packet.Find<packet::Igmp>()) return igmp->checksum.value_or(0);
  throw HarnessError(Describe(*this) + " has no checksum");
}

Bytes IpPacket::octets() const {
  packet::Packet one = fragments.empty() ? packet : fragments.front();
  one.trailer = Bytes();
  return packet::Write(one);
}

std::string Describe(const IpPacket& packet) {
  std::string text = packet::Describe(packet.packet).text();
  if (!packet.fragments.empty()) {
    text += fmt::format(" in {} fragments", packet.fragments.size());
  }
  for (const std::string& defect : packet::Defects(packet.packet)) text += " (" + defect + ")";
  return text;
}

}  // namespace sockproof
