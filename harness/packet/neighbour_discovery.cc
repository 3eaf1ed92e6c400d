#include "harness/packet/neighbour_discovery.h"

#include <algorithm>

namespace sockproof::packet {
namespace {

constexpr std::size_t kTargetSize = 16;
constexpr std::size_t kLinkAddressOption = 8;  // type, length and six octets

void AppendLinkAddress(Bytes& bytes, std::uint8_t kind, const std::optional<MacAddress>& mac) {
  if (!mac) return;
  Append8(bytes, kind);
  Append8(bytes, kLinkAddressOption / 8);
  Append(bytes, *mac);
}

}  // namespace

Packet NeighbourMessage::Message() const {
  Packet packet{.layers = {Icmp{.version = IpVersion::kIpv6, .type = type, .rest = flags}}};
  Append(packet.payload, View(target.bytes(), kTargetSize));
  AppendLinkAddress(packet.payload, kSourceLinkAddress, source_mac);
  AppendLinkAddress(packet.payload, kTargetLinkAddress, target_mac);
  return packet;
}

std::optional<NeighbourMessage> ReadNeighbourMessage(const Packet& packet) {
  const auto* icmp = packet.Find<Icmp>();
  if (icmp == nullptr || icmp->version != IpVersion::kIpv6 ||
      (icmp->type != icmpv6_type::kNeighbourSolicitation &&
       icmp->type != icmpv6_type::kNeighbourAdvertisement &&
       icmp->type != icmpv6_type::kRedirect) ||
      packet.payload.size() < kTargetSize) {
    return std::nullopt;
  }
  NeighbourMessage message{.type = icmp->type,
                           .flags = icmp->rest,
                           .target = IpAddress(IpVersion::kIpv6, packet.payload.data())};
  const std::size_t addresses =
      icmp->type == icmpv6_type::kRedirect ? 2 * kTargetSize : kTargetSize;
  View left = View(packet.payload).subspan(std::min(addresses, packet.payload.size()));
  while (left.size() >= kLinkAddressOption && left[1] != 0 &&
         std::size_t{8} * left[1] <= left.size()) {
    MacAddress mac;
    std::copy_n(left.begin() + 2, mac.size(), mac.begin());
    if (left[0] == NeighbourMessage::kSourceLinkAddress) message.source_mac = mac;
    if (left[0] == NeighbourMessage::kTargetLinkAddress) message.target_mac = mac;
    left = left.subspan(std::size_t{8} * left[1]);
  }
  return message;
}

}  // namespace sockproof::packet
