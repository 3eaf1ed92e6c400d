// Partial packets about who has which address on a link: ARP (RFC 826) in IPv4, neighbour discovery
// (RFC 4861) in IPv6. The same words for both.
//
//   host.Send(ip, WhoHas(sut.Address(ip)));
//   const IpPacket answer = host.Expect(Tells(sut.Address(ip)));
//   EXPECT_EQ(LinkAddressToldIn(answer), answer.from_link);
#pragma once

#include <optional>

#include "harness/packet/neighbour_discovery.h"
#include "harness/wire/partial_packet.h"

namespace sockproof {

// A request for the link-layer address of `address`. Sent: in the name of the host that sends it,
// with its link-layer address; to all (IPv4), or to the solicited-node group of `address` (IPv6).
PartialPacket WhoHas(const IpAddress& address);
// An answer, or what seems to be one: `address` has that link-layer address. Sent: to the system
// under test; in IPv6 solicited, and to override what is known. Expected: with that link-layer
// address.
PartialPacket IsAt(const IpAddress& address, const MacAddress& mac);
// Expected only: an answer for `address`, whatever it tells.
PartialPacket Tells(const IpAddress& address);

// For PartialPacket::Changed(): the link-layer address told, or none (IPv6 only), in a request that
// of who asks; the flags of an advertisement, of NeighbourMessage (IPv6 only).
std::function<void(packet::Packet&)> TellingLinkAddress(const std::optional<MacAddress>& mac);
std::function<void(packet::Packet&)> WithFlags(std::uint32_t flags);

// What ARP or a message of neighbour discovery tells; nothing of another packet, and where IPv6
// tells none.
std::optional<MacAddress> LinkAddressToldIn(const packet::Packet& packet);
inline std::optional<MacAddress> LinkAddressToldIn(const IpPacket& packet) {
  return LinkAddressToldIn(packet.packet);
}
// The group of all who may have that address: RFC 4291 section 2.7.1.
IpAddress SolicitedNodeGroup(const IpAddress& address);
// Whether it is a request, ARP's or a solicitation.
bool AsksForNeighbour(const packet::Packet& packet);
// The address that it is about; nothing of another packet.
std::optional<IpAddress> NeighbourNamedIn(const packet::Packet& packet);

}  // namespace sockproof
