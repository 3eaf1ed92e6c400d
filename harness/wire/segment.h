// TCP segments as values, and their form as Ethernet frames (RFC 9293 section 3.1, RFC 791,
// RFC 8200), well-formed or malformed on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/packet/options.h"
#include "harness/packet/packet.h"
#include "harness/packet/tcp_flags.h"
#include "harness/trace/event.h"

namespace sockproof {

// One segment, as it was seen or as it is to be sent.
struct Segment {
  Time time;  // kernel receive timestamp
  Endpoint source;
  Endpoint destination;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  TcpFlags flags = 0;
  std::uint16_t window = 65535;
  std::uint16_t urgent_pointer = 0;
  std::vector<TcpOption> options;
  Bytes option_area;  // only when seen: all octets between the fixed header and the data
  Bytes payload;
  std::uint8_t hop_limit = 64;     // TTL in IPv4
  std::uint8_t traffic_class = 0;  // TOS in IPv4
  Bytes ip_options;                // of an IPv4 header; a multiple of 4 octets, at most 40
  std::uint8_t reserved = 0;       // the four reserved bits
  bool checksum_valid = true;      // false when sending: send it wrong

  // Only for sending what no stack would send:
  std::optional<std::uint8_t> data_offset;  // in 32-bit words, whatever the true length is
  std::optional<Bytes> raw_options;         // instead of `options`; padded with EOL to 32 bits

  bool Has(TcpFlag flag) const { return (flags & flag) != 0; }
  // SEG.LEN: octets occupied in sequence space, SYN and FIN included.
  std::uint32_t length() const {
    return static_cast<std::uint32_t>(payload.size()) + (Has(kSyn) ? 1U : 0U) +
           (Has(kFin) ? 1U : 0U);
  }
  std::string payload_text() const { return {payload.begin(), payload.end()}; }
  const TcpOption* FindOption(std::uint8_t kind) const;
  // The value of a Timestamps option: {TSval, TSecr}.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> timestamps() const;
};

// The segment in an Ethernet frame, nothing when there is none or a part of one. Malformed option
// lists end where they stop making sense; a wrong checksum is reported in `checksum_valid`, not
// refused.
std::optional<Segment> ParseSegment(const Bytes& frame, Time time);

// The segment in a packet that was read, with or without Ethernet; of fragments, put together.
std::optional<Segment> SegmentIn(const packet::Packet& read, Time time);

// The frame that carries `segment`. IP version: that of its endpoints, which must agree.
Bytes BuildFrame(const Segment& segment, const MacAddress& source, const MacAddress& destination);

// The same without Ethernet.
packet::Packet IpPacketOf(const Segment& segment);

// "SYN,ACK seq=0 ack=1 len=0": with numbers relative to the given initial ones.
std::string Describe(const Segment& segment, std::uint32_t initial_seq, std::uint32_t initial_ack);

}  // namespace sockproof
