#include "harness/wire/neighbour_words.h"

#include <fmt/format.h>

#include "harness/base/errors.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

using packet::Arp;
using packet::NeighbourMessage;
using packet::Packet;
namespace icmpv6_type = packet::icmpv6_type;

constexpr MacAddress kToAll = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

// By the address plan, whose hosts are numbered in the last octet.
MacAddress PlannedMac(const IpAddress& address) {
  return WireMac(address.bytes()[address.version() == IpVersion::kIpv4 ? 3 : 15]);
}

void SetMessage(Packet& packet, const NeighbourMessage& message) {
  const Packet made = message.Message();
  auto* icmp = packet.Find<packet::Icmp>();
  icmp->type = message.type;
  icmp->rest = message.flags;
  packet.payload = made.payload;
}

// In place of what a packet of IPv4 would begin with, and behind the header of IPv6.
void PutArp(Packet& packet, Arp message) {
  const auto ip = *packet.Find<packet::Ipv4>();
  message.sender_mac = PlannedMac(ip.source);
  message.sender = ip.source;
  if (message.operation == Arp::kReply) {
    message.target_mac = PlannedMac(ip.destination);
    message.target = ip.destination;
  }
  packet.layers = {message};
}
void PutMessage(Packet& packet, const NeighbourMessage& message) {
  packet.Find<packet::Ipv6>()->hop_limit = NeighbourMessage::kNeverForwarded;
  packet.layers.push_back(packet::Icmp{.version = IpVersion::kIpv6});
  SetMessage(packet, message);
}

bool IsAbout(const Packet& packet, const IpAddress& address, bool asks) {
  return NeighbourNamedIn(packet) == address && AsksForNeighbour(packet) == asks;
}

}  // namespace

PartialPacket WhoHas(const IpAddress& address) {
  PartialPacket word(
      "request for the link-layer address of " + address.ToString(), PacketKind::kNeighbours,
      [address](Packet& packet, IpVersion version) {
        if (version == IpVersion::kIpv4) return PutArp(packet, {.target = address});
        auto* ip = packet.Find<packet::Ipv6>();
        ip->destination = SolicitedNodeGroup(address);
        PutMessage(packet, {.target = address, .source_mac = PlannedMac(ip->source)});
      },
      [address](const Packet& packet) { return IsAbout(packet, address, true); });
  if (address.version() == IpVersion::kIpv4) word.ToLink(kToAll);
  return word;
}

PartialPacket Tells(const IpAddress& address) {
  return {"answer for " + address.ToString(), PacketKind::kNeighbours,
          [](Packet&, IpVersion) {
            throw HarnessError("an answer for an address that does not say which");
          },
          [address](const Packet& packet) { return IsAbout(packet, address, false); }};
}

PartialPacket IsAt(const IpAddress& address, const MacAddress& mac) {
  return {fmt::format("answer that {} is at {}", address.ToString(), ToString(mac)),
          PacketKind::kNeighbours,
          [=](Packet& packet, IpVersion version) {
            if (version == IpVersion::kIpv4) {
              PutArp(packet, {.operation = Arp::kReply});
              auto* arp = packet.Find<Arp>();
              arp->sender = address;
              arp->sender_mac = mac;
              return;
            }
            PutMessage(packet, {.type = icmpv6_type::kNeighbourAdvertisement,
                                .flags = NeighbourMessage::kSolicited | NeighbourMessage::kOverride,
                                .target = address,
                                .target_mac = mac});
          },
          [=](const Packet& packet) {
            return IsAbout(packet, address, false) && LinkAddressToldIn(packet) == mac;
          }};
}

std::function<void(Packet&)> TellingLinkAddress(const std::optional<MacAddress>& mac) {
  return [mac](Packet& packet) {
    if (auto* arp = packet.Find<Arp>()) {
      if (!mac) throw HarnessError("ARP always tells a link-layer address");
      arp->sender_mac = *mac;
      return;
    }
    auto message = packet::ReadNeighbourMessage(packet);
    if (!message) throw HarnessError("no packet that tells a link-layer address");
    (AsksForNeighbour(packet) ? message->source_mac : message->target_mac) = mac;
    SetMessage(packet, *message);
  };
}

std::function<void(Packet&)> WithFlags(std::uint32_t flags) {
  return [flags](Packet& packet) {
    if (auto* icmp = packet.Find<packet::Icmp>()) icmp->rest = flags;
  };
}

std::optional<MacAddress> LinkAddressToldIn(const Packet& packet) {
  if (const auto* arp = packet.Find<Arp>()) return arp->sender_mac;
  const auto message = packet::ReadNeighbourMessage(packet);
  if (!message) return std::nullopt;
  return AsksForNeighbour(packet) ? message->source_mac : message->target_mac;
}

IpAddress SolicitedNodeGroup(const IpAddress& address) {
  const std::uint8_t* last = address.bytes() + 13;
  return IpAddress(fmt::format("ff02::1:ff{:02x}:{:02x}{:02x}", last[0], last[1], last[2]));
}

bool AsksForNeighbour(const Packet& packet) {
  if (const auto* arp = packet.Find<Arp>()) return arp->operation == Arp::kRequest;
  const auto* icmp = packet.Find<packet::Icmp>();
  return icmp != nullptr && icmp->version == IpVersion::kIpv6 &&
         icmp->type == icmpv6_type::kNeighbourSolicitation;
}

std::optional<IpAddress> NeighbourNamedIn(const Packet& packet) {
  if (const auto* arp = packet.Find<Arp>()) {
    return arp->operation == Arp::kRequest ? arp->target : arp->sender;
  }
  const auto message = packet::ReadNeighbourMessage(packet);
  if (!message || message->type == icmpv6_type::kRedirect) return std::nullopt;
  return message->target;
}

}  // namespace sockproof
