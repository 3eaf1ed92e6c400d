// Partial packets: the words in which tests speak of datagrams, ICMP messages, group membership and
// fragments. One vocabulary for both directions, as for segments (harness/wire/partial_segment.h):
// a field left unset has its natural value when sent and is not looked at when expected.
//
//   peer.Send(Datagram("hello").NoChecksum());     peer.Expect(Datagram("hello"));
//   peer.Send(Datagram(text).InFragments({{8, 1000}, {0, 8}}));
//   host.Expect(PortUnreachable().About(datagram)).quoted();
//   host.Send(ip, EchoRequest("are you there?")); host.Expect(EchoReply("are you there?"));
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/fragments.h"
#include "harness/packet/groups.h"
#include "harness/packet/partial.h"
#include "harness/wire/icmp.h"
#include "harness/wire/ip_packet.h"

namespace sockproof {

// What kind of message a packet carries. A host takes what comes to it in a queue for each kind.
enum class PacketKind { kUdp, kIcmp, kGroups, kNeighbours, kOther };
PacketKind KindOf(const packet::Packet& packet);

// A value type. A word that makes no sense of a packet (a checksum where there is none) is a
// HarnessError when it is sent, and matches nothing.
class PartialPacket {
 public:
  // `natural`: the layers behind IP when sent, for that version of IP; `test`: whether such a
  // packet is of the kind that the name says.
  using Natural = std::function<void(packet::Packet& packet, IpVersion version)>;
  using Test = std::function<bool(const packet::Packet& packet)>;
  PartialPacket(std::string name, PacketKind kind, Natural natural, Test test);

  // --- of IP ---
  PartialPacket& Source(const IpAddress& address);  // ports are left as they are
  PartialPacket& To(const IpAddress& address);
  PartialPacket& HopLimit(std::uint8_t hops);               // TTL in IPv4
  PartialPacket& TrafficClass(std::uint8_t traffic_class);  // TOS in IPv4
  PartialPacket& FlowLabel(std::uint32_t label);            // IPv6 only, 20 bits
  PartialPacket& DontFragment(bool dont_fragment);          // IPv4 only
  // Expected: an option of the IPv4 header. Sent: appended to it.
  PartialPacket& Option(HeaderOption option);
  // Of IPv4, and of fragments of both.
  PartialPacket& Identification(std::uint32_t identification);

  // --- of UDP ---
  PartialPacket& Source(const Endpoint& endpoint);
  PartialPacket& To(const Endpoint& endpoint);
  PartialPacket& SourcePort(std::uint16_t port);
  PartialPacket& DestinationPort(std::uint16_t port);

  PartialPacket& Payload(Bytes payload);
  PartialPacket& Payload(const std::string& text);
  // As it stands there, right or wrong. UDP: 0 is none.
  PartialPacket& Checksum(std::uint16_t checksum);
  PartialPacket& NoChecksum() { return Checksum(0); }

  // --- of ICMP ---
  PartialPacket& Code(std::uint8_t code);
  // Expected: an error about this packet: it quotes its addresses, its protocol and, as far as both
  // are there, its ports.
  PartialPacket& About(const IpPacket& packet);
  PartialPacket& About(const Segment& segment);
  // Of a parameter problem: the octet that it points at.
  PartialPacket& Pointer(std::uint32_t octet);

  // --- only when sent, to make what no stack makes ---
  PartialPacket& BadChecksum();
  PartialPacket& BadIpChecksum();                    // IPv4 only
  PartialPacket& Length(std::uint16_t length);       // of the UDP header
  PartialPacket& Surplus(const Bytes& octets);       // in the IP packet, behind the UDP length
  PartialPacket& With(const packet::Layer& header);  // an extension header, before the transport's
  PartialPacket& NextHeader(std::uint8_t protocol);  // of the last header before the transport's
  // Any other change, after all of these.
  PartialPacket& Changed(std::function<void(packet::Packet& packet)> change);
  // One fragment a piece, in this order (harness/packet/fragments.h).
  PartialPacket& InFragments(std::vector<packet::FragmentPiece> pieces);
  // As a router does it.
  PartialPacket& InFragmentsOfMtu(std::size_t mtu);
  // Instead of the link-layer address that belongs to the destination.
  PartialPacket& ToLink(const MacAddress& mac);

  // --- only when expected ---
  // Any other test; `text` is how a failure calls it.
  PartialPacket& Where(Test test, const std::string& text);
  // On a programmable wire: sent by that stack ("client", "server").
  PartialPacket& From(const std::string& actor);
  template <typename Stack>
  requires requires(const Stack& stack) { stack.actor(); }
  PartialPacket& From(const Stack& stack) { return From(stack.actor()); }
  const std::string& from() const { return from_; }

  PacketKind kind() const { return kind_; }
  const std::optional<MacAddress>& link() const { return link_; }
  bool Matches(const packet::Packet& packet) const;
  bool Matches(const IpPacket& packet) const { return Matches(packet.packet); }

  // The packet from `source` to `destination`, with all that is set here; `identification` where
  // nothing else is.
  IpPacket Made(const Endpoint& source, const Endpoint& destination,
                std::uint32_t identification) const;

  // "datagram \"hello\" hops=1 from client".
  std::string Describe() const;

 private:
  void SpoilChecksum(packet::Packet& packet) const;

  std::string name_;
  PacketKind kind_;
  Natural natural_;
  packet::Partial<packet::Packet> said_;
  std::optional<std::uint32_t> identification_;
  std::vector<packet::Layer> headers_;
  std::optional<std::uint8_t> next_header_;
  std::vector<std::function<void(packet::Packet&)>> changes_;
  std::optional<std::vector<packet::FragmentPiece>> pieces_;
  std::optional<std::size_t> mtu_;
  std::optional<MacAddress> link_;
  bool bad_checksum_ = false, bad_ip_checksum_ = false;
  std::string from_;
};

// UDP.
PartialPacket Datagram(const std::string& text);
PartialPacket Datagram(Bytes payload);
PartialPacket AnyDatagram();  // sent: an empty one

// ICMP errors, of whichever version they come in.
PartialPacket AnyError();         // expected only
PartialPacket Unreachable();      // destination unreachable, of any code when expected
PartialPacket PortUnreachable();  // expected only
PartialPacket TooBig();           // fragmentation needed, or packet too big
PartialPacket TimeExceeded();     // code 0: in transit, 1: reassembly
PartialPacket ParameterProblem();

PartialPacket EchoRequest(const std::string& text);
PartialPacket EchoReply(const std::string& text);
// An ICMP message of this type and code, its four octets by type, and no payload.
PartialPacket Icmp(const IcmpError& message);

// Group membership: IGMPv3 or MLDv2.
PartialPacket GroupQuery(const packet::GroupQuery& query);
// Only expected, in reports: a record like this; that the group is joined, from whatever source, or
// left, also in the words of the versions before (RFC 3376 section 4.2.12, RFC 3810
// section 5.2.12).
PartialPacket Reports(const packet::GroupRecord& record);
PartialPacket Joins(const IpAddress& group);
PartialPacket Leaves(const IpAddress& group);

// Of an IP protocol that has no word here.
PartialPacket Protocol(std::uint8_t protocol, const std::string& text);
// Expected on a programmable wire: a fragment as it is. From octet `offset` on; unset: any.
PartialPacket Fragment(std::optional<std::size_t> offset = std::nullopt);

// Where a packet to that address goes on Ethernet: to the group's address (RFC 1112 section 6.4,
// RFC 2464 section 7), to all, or to `neighbour`.
MacAddress LinkAddressFor(const IpAddress& destination, const MacAddress& neighbour);

}  // namespace sockproof
