// Reads headers as far as they are there.
#include "harness/trace/decode.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <span>

#include "harness/packet/header_sizes.h"

namespace sockproof {
namespace {

using View = std::span<const std::uint8_t>;

constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kUdpHeader = 8;

std::uint16_t U16(View bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t U32(View bytes, std::size_t at) {
  return static_cast<std::uint32_t>(U16(bytes, at)) << 16 | U16(bytes, at + 2);
}

// The sum of RFC 1071, not yet folded.
std::uint64_t Sum(View bytes) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) sum += U16(bytes, at);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint64_t>(bytes.back()) << 8;
  return sum;
}

bool IsChecksumRight(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

std::string AddressText(View address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), text, sizeof text);
  return text;
}

std::string MacText(View mac) { return fmt::format("{:02x}", fmt::join(mac, ":")); }

// The payload of an IP packet, of either version.
struct IpView {
  View source;
  View destination;
  std::uint8_t protocol = 0;
  View payload;
  bool is_cut_short = false;  // the packet ends before its length field says so
  bool is_checksum_right = true;
  // Where it goes in the end, which checksums cover; with a source route that is not `destination`.
  View final_destination;
};

TcpView DecodeTcp(const IpView& ip) {
  const View segment = ip.payload;
  TcpView tcp;
  tcp.source = AddressText(ip.source);
  tcp.destination = AddressText(ip.destination);
  tcp.source_port = U16(segment, 0);
  tcp.destination_port = U16(segment, 2);
  tcp.seq = U32(segment, 4);
  tcp.ack = U32(segment, 8);
  tcp.flags = U16(segment, 12) & 0xfff;
  tcp.window = U16(segment, 14);
  tcp.urgent_pointer = U16(segment, 18);
  const std::size_t words = segment[12] >> 4;
  const std::size_t header = 4 * words;
  if (header >= kTcpHeader && header <= segment.size()) {
    const View options = segment.subspan(kTcpHeader, header - kTcpHeader);
    const View payload = segment.subspan(header);
    tcp.options.assign(options.begin(), options.end());
    tcp.payload.assign(payload.begin(), payload.end());
  }
  const std::uint64_t sum =
      Sum(ip.source) + Sum(ip.final_destination) + ip.protocol + segment.size() + Sum(segment);
  if (ip.is_cut_short) {
    tcp.defect = "cut short";
  } else if (header < kTcpHeader || header > segment.size()) {
    tcp.defect = fmt::format("data offset {}", words);
  } else if (!IsChecksumRight(sum)) {
    tcp.defect = "bad checksum";
  } else if (!ip.is_checksum_right) {
    tcp.defect = "bad IP checksum";
  }
  return tcp;
}

std::string DecodeIcmp(View message) {
  if (message.size() < 2) return "ICMP, cut short";
  const std::string code = fmt::format(", code {}", message[1]);
  switch (message[0]) {
    case 0:
      return "ICMP echo reply";
    case 3:
      return "ICMP destination unreachable" + code;
    case 8:
      return "ICMP echo request";
    case 11:
      return "ICMP time exceeded" + code;
    default:
      return fmt::format("ICMP type {}", message[0]) + code;
  }
}

void DecodeIcmp6(const IpView& ip, FrameView& view) {
  const View message = ip.payload;
  constexpr std::size_t kTarget = 8;  // where neighbour discovery has its address (RFC 4861)
  if (message.size() < 2) {
    view.other = "ICMPv6, cut short";
    return;
  }
  const std::string code = fmt::format(", code {}", message[1]);
  const bool has_target = message.size() >= kTarget + 16;
  switch (message[0]) {
    case 1:
      view.other = "ICMPv6 destination unreachable" + code;
      return;
    case 2:
      view.other = "ICMPv6 packet too big";
      return;
    case 3:
      view.other = "ICMPv6 time exceeded" + code;
      return;
    case 128:
      view.other = "ICMPv6 echo request";
      return;
    case 129:
      view.other = "ICMPv6 echo reply";
      return;
    case 130:
    case 131:
    case 132:
    case 143:
      view.other = "MLD";
      view.is_noise = true;
      return;
    case 133:
      view.other = "ND router solicitation";
      view.is_noise = true;
      return;
    case 135:
      if (!has_target) break;
      view.other = "ND who-has " + AddressText(message.subspan(kTarget, 16));
      view.is_resolution = true;
      // From the unspecified address it is duplicate address detection.
      view.is_noise = std::all_of(ip.source.begin(), ip.source.end(),
                                  [](std::uint8_t byte) { return byte == 0; });
      return;
    case 136:
      if (!has_target) break;
      view.other = "ND " + AddressText(message.subspan(kTarget, 16)) + " is here";
      view.is_resolution = true;
      return;
    default:
      break;
  }
  view.other = fmt::format("ICMPv6 type {}", message[0]) + code;
}

void DecodeTransport(const IpView& ip, FrameView& view) {
  switch (ip.protocol) {
    case IPPROTO_TCP:
      if (ip.payload.size() >= kTcpHeader) {
        view.tcp = DecodeTcp(ip);
      } else {
        view.other = fmt::format("TCP, {} bytes: too few for a header", ip.payload.size());
      }
      return;
    case IPPROTO_UDP:
      view.other = ip.payload.size() < kUdpHeader
                       ? "UDP, cut short"
                       : fmt::format("UDP {}>{} len={}", U16(ip.payload, 0), U16(ip.payload, 2),
                                     ip.payload.size() - kUdpHeader);
      return;
    case IPPROTO_ICMP:
      view.other = DecodeIcmp(ip.payload);
      return;
    case IPPROTO_ICMPV6:
      DecodeIcmp6(ip, view);
      return;
    default:
      view.other = fmt::format("IP protocol {}, {} bytes", ip.protocol, ip.payload.size());
  }
}

// The last address of a source route on which there is still one to go to (RFC 791 section 3.1);
// none: there is no such route.
View EndOfSourceRoute(View options) {
  constexpr std::uint8_t kEnd = 0, kNop = 1, kLoose = 131, kStrict = 137;
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kNop) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) break;
    const View option = options.first(options[1]);
    const bool is_route = option[0] == kLoose || option[0] == kStrict;
    if (is_route && option.size() >= 7 && option[2] <= option.size()) return option.last(4);
    options = options.subspan(option.size());
  }
  return {};
}

void DecodeIpv4(View packet, FrameView& view) {
  const std::size_t header = packet.empty() ? 0 : std::size_t{4} * (packet[0] & 0xf);
  if (packet.size() < kIpv4Header || header < kIpv4Header || packet.size() < header) {
    view.other = fmt::format("IPv4, malformed header, {} bytes", packet.size());
    return;
  }
  const std::size_t total = U16(packet, 2);
  if (total < header) {
    view.other = fmt::format("IPv4, total length {}", total);
    return;
  }
  constexpr std::uint16_t kMoreFragmentsOrOffset = 0x3fff;
  if ((U16(packet, 6) & kMoreFragmentsOrOffset) != 0) {
    view.other = fmt::format("IPv4 fragment, {} bytes", std::min(total, packet.size()));
    return;
  }
  IpView ip;
  ip.source = packet.subspan(12, 4);
  ip.destination = packet.subspan(16, 4);
  const View routed_to = EndOfSourceRoute(packet.subspan(kIpv4Header, header - kIpv4Header));
  ip.final_destination = routed_to.empty() ? ip.destination : routed_to;
  ip.protocol = packet[9];
  ip.is_cut_short = packet.size() < total;
  // Ethernet may have padded the packet.
  ip.payload = packet.subspan(header, std::min(total, packet.size()) - header);
  ip.is_checksum_right = IsChecksumRight(Sum(packet.first(header)));
  DecodeTransport(ip, view);
}

void DecodeIpv6(View packet, FrameView& view) {
  if (packet.size() < kIpv6Header) {
    view.other = fmt::format("IPv6, {} bytes: too few for a header", packet.size());
    return;
  }
  IpView ip;
  ip.source = packet.subspan(8, 16);
  ip.destination = ip.final_destination = packet.subspan(24, 16);
  ip.protocol = packet[6];
  const std::size_t length = U16(packet, 4);
  ip.is_cut_short = packet.size() < kIpv6Header + length;
  ip.payload = packet.subspan(kIpv6Header, std::min(length, packet.size() - kIpv6Header));
  const auto is_option_header = [&] {
    return ip.protocol == IPPROTO_HOPOPTS || ip.protocol == IPPROTO_ROUTING ||
           ip.protocol == IPPROTO_DSTOPTS;
  };
  while (is_option_header() && ip.payload.size() >= 2) {
    const std::size_t size = 8 * (std::size_t{ip.payload[1]} + 1);
    if (size > ip.payload.size()) break;
    ip.protocol = ip.payload[0];
    ip.payload = ip.payload.subspan(size);
  }
  DecodeTransport(ip, view);
}

void DecodeArp(View message, FrameView& view) {
  view.is_resolution = true;
  if (message.size() < 28) {
    view.other = "ARP, cut short";
  } else if (U16(message, 6) == 1) {
    view.other = "ARP who-has " + AddressText(message.subspan(24, 4));
  } else {
    view.other =
        "ARP " + AddressText(message.subspan(14, 4)) + " is-at " + MacText(message.subspan(8, 6));
  }
}

}  // namespace

FrameView DecodeFrame(const Bytes& frame) {
  FrameView view;
  const View bytes(frame);
  if (bytes.size() < kEthernetHeader) {
    view.other = fmt::format("{} bytes: too few for a frame", bytes.size());
    return view;
  }
  const std::uint16_t type = U16(bytes, 12);
  const View payload = bytes.subspan(kEthernetHeader);
  switch (type) {
    case 0x0800:
      DecodeIpv4(payload, view);
      break;
    case 0x0806:
      DecodeArp(payload, view);
      break;
    case 0x86dd:
      DecodeIpv6(payload, view);
      break;
    default:
      view.other = fmt::format("Ethernet type {:#06x}, {} bytes", type, payload.size());
  }
  return view;
}

}  // namespace sockproof
