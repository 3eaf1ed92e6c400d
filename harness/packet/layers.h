// The layers of a packet as values. A field in std::optional is one that can be computed: unset, it
// is written with the right value; set, it is written as it is. Reading sets all of them, so that
// what was read can be written again octet by octet.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/bytes.h"
#include "harness/packet/options.h"
#include "harness/packet/tcp_flags.h"

namespace sockproof::packet {

namespace ether_type {
inline constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806, kIpv6 = 0x86dd;
}
namespace ip_protocol {
inline constexpr std::uint8_t kHopByHop = 0, kIcmp = 1, kIgmp = 2, kTcp = 6, kUdp = 17,
                              kRouting = 43, kFragment = 44, kIcmpv6 = 58, kNone = 59,
                              kDestinationOptions = 60;
}

struct Ethernet {
  MacAddress destination{}, source{};
  std::optional<std::uint16_t> type;
  bool operator==(const Ethernet&) const = default;
};

// RFC 826, between IPv4 addresses on Ethernet.
struct Arp {
  static constexpr std::uint16_t kRequest = 1, kReply = 2;
  std::uint16_t hardware_type = 1;
  std::uint16_t protocol_type = ether_type::kIpv4;
  std::uint8_t hardware_size = 6, protocol_size = 4;
  std::uint16_t operation = kRequest;
  MacAddress sender_mac{};
  IpAddress sender;
  MacAddress target_mac{};
  IpAddress target;
  bool operator==(const Arp&) const = default;
};

// RFC 791 section 3.1.
struct Ipv4 {
  std::uint8_t version = 4;
  std::optional<std::uint8_t> header_words;
  std::uint8_t traffic_class = 0;
  std::optional<std::uint16_t> total_length;
  std::uint16_t identification = 0;
  bool reserved_bit = false, dont_fragment = false, more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in units of 8 octets
  std::uint8_t hop_limit = 64;        // time to live
  std::optional<std::uint8_t> protocol;
  std::optional<std::uint16_t> checksum;
  IpAddress source, destination;
  std::vector<HeaderOption> options;
  std::optional<Bytes> option_rest;  // behind `options`; unset: zeros up to 32 bits

  bool is_fragment() const { return more_fragments || fragment_offset != 0; }
  bool operator==(const Ipv4&) const = default;
};

// RFC 8200 section 3.
struct Ipv6 {
  std::uint8_t version = 6;
  std::uint8_t traffic_class = 0;
  std::uint32_t flow_label = 0;  // 20 bits
  std::optional<std::uint16_t> payload_length;
  std::optional<std::uint8_t> next_header;
  std::uint8_t hop_limit = 64;
  IpAddress source = IpAddress("::"), destination = IpAddress("::");
  bool operator==(const Ipv6&) const = default;
};

// Hop-by-hop or destination options, RFC 8200 sections 4.3 and 4.6.
struct Ipv6Options {
  std::uint8_t header = ip_protocol::kHopByHop;  // which of the two this is
  std::optional<std::uint8_t> next_header;
  std::optional<std::uint8_t> length;  // in units of 8 octets, without the first
  std::vector<HeaderOption> options;
  std::optional<Bytes> option_rest;  // behind `options`; unset: padding up to 64 bits
  bool operator==(const Ipv6Options&) const = default;
};

// RFC 8200 section 4.4.
struct Ipv6Routing {
  std::optional<std::uint8_t> next_header;
  std::optional<std::uint8_t> length;  // in units of 8 octets, without the first
  std::uint8_t type = 0;
  std::uint8_t segments_left = 0;
  Bytes data;  // by type; padded with zeros up to 64 bits when `length` is unset
  bool operator==(const Ipv6Routing&) const = default;
};

// RFC 8200 section 4.5.
struct Ipv6Fragment {
  std::optional<std::uint8_t> next_header;
  std::uint8_t reserved = 0;
  std::uint16_t offset = 0;        // in units of 8 octets
  std::uint8_t reserved_bits = 0;  // two
  bool more_fragments = false;
  std::uint32_t identification = 0;

  bool is_fragment() const { return more_fragments || offset != 0; }
  bool operator==(const Ipv6Fragment&) const = default;
};

// RFC 9293 section 3.1.
struct Tcp {
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t seq = 0, ack = 0;
  std::optional<std::uint8_t> data_offset;  // in units of 4 octets
  std::uint8_t reserved = 0;                // four bits
  TcpFlags flags = 0;
  std::uint16_t window = 65535;
  std::optional<std::uint16_t> checksum;
  std::uint16_t urgent_pointer = 0;
  std::vector<TcpOption> options;
  std::optional<Bytes> option_rest;  // behind `options`; unset: zeros up to 32 bits

  // The twelve bits after the data offset.
  std::uint16_t all_flags() const { return static_cast<std::uint16_t>(reserved << 8 | flags); }
  bool operator==(const Tcp&) const = default;
};

// RFC 768.
struct Udp {
  std::uint16_t source_port = 0, destination_port = 0;
  std::optional<std::uint16_t> length;
  std::optional<std::uint16_t> checksum;  // 0: none
  Bytes surplus;                          // in the IP packet, but behind `length` (RFC 9868)
  bool operator==(const Udp&) const = default;
};

// ICMP (RFC 792) or ICMPv6 (RFC 4443); what follows the first eight octets is the payload.
struct Icmp {
  IpVersion version = IpVersion::kIpv4;
  std::uint8_t type = 0, code = 0;
  std::optional<std::uint16_t> checksum;
  std::uint32_t rest = 0;  // the four octets after the checksum
  bool operator==(const Icmp&) const = default;
};

// RFC 2236, RFC 3376; what follows the first eight octets is the payload.
struct Igmp {
  static constexpr std::uint8_t kQuery = 0x11, kReportV1 = 0x12, kReportV2 = 0x16, kLeave = 0x17,
                                kReportV3 = 0x22;
  std::uint8_t type = 0, code = 0;
  std::optional<std::uint16_t> checksum;
  std::uint32_t rest = 0;  // a group address, or the number of records
  bool operator==(const Igmp&) const = default;
};

using Layer = std::variant<Ethernet, Arp, Ipv4, Ipv6, Ipv6Options, Ipv6Routing, Ipv6Fragment, Tcp,
                           Udp, Icmp, Igmp>;

namespace icmp_type {
inline constexpr std::uint8_t kEchoReply = 0, kUnreachable = 3, kSourceQuench = 4, kRedirect = 5,
                              kEchoRequest = 8, kTimeExceeded = 11, kParameterProblem = 12,
                              kTimestamp = 13, kTimestampReply = 14;
}
namespace icmpv6_type {
inline constexpr std::uint8_t kUnreachable = 1, kTooBig = 2, kTimeExceeded = 3,
                              kParameterProblem = 4, kEchoRequest = 128, kEchoReply = 129,
                              kGroupQuery = 130, kGroupReport = 131, kGroupDone = 132,
                              kRouterSolicitation = 133, kRouterAdvertisement = 134,
                              kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136,
                              kRedirect = 137, kGroupReportV2 = 143;
}

}  // namespace sockproof::packet
