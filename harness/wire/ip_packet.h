// One IP packet with whatever it carries (a UDP datagram, an ICMP message, a report of group
// membership) as it was seen or sent, whole: of fragments, put together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/packet/packet.h"

namespace sockproof {

struct IpPacket {
  Time time;              // kernel receive timestamp; of fragments, that of the last one
  packet::Packet packet;  // from the IP header on, or ARP
  // In which it came or was sent, in that order; empty: it was whole.
  std::vector<packet::Packet> fragments;
  MacAddress from_link{}, to_link{};  // as seen: of the frame, or the last fragment's

  // The port is 0 where there is none. Of ARP, which has no IP header, who sends it and whom it asks or tells.
  Endpoint source() const;
  Endpoint destination() const;
  IpVersion version() const { return source().address.version(); }

  std::uint8_t hop_limit() const;      // TTL in IPv4
  std::uint8_t traffic_class() const;  // TOS in IPv4
  std::uint32_t flow_label() const;    // 0 in IPv4
  // Of IPv4, and of IPv6 where the packet has a fragment header.
  std::optional<std::uint32_t> identification() const;
  bool dont_fragment() const;  // of IPv4; in IPv6 no router fragments

  // Behind the innermost header: the text of a datagram, what an ICMP message quotes.
  const Bytes& payload() const { return packet.payload; }
  std::string payload_text() const { return {payload().begin(), payload().end()}; }
  // As it stands in the header of UDP, ICMP or IGMP; 0 in UDP: none. Throw HarnessError for a
  // packet without one.
  std::uint16_t checksum() const;
  bool checksum_valid() const { return packet::IsChecksumRight(packet); }

  // From the IP header on; of fragments, the first that was sent or came.
  Bytes octets() const;
  // The packet that an ICMP error quotes, as far as it is there.
  packet::Packet quoted() const { return packet::ReadIp(payload()); }
};

// "UDP 40000>53 len=5 \"hello\"".
std::string Describe(const IpPacket& packet);

}  // namespace sockproof
