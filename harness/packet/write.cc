// Layers to octets.
#include <algorithm>

#include "harness/packet/checksum.h"
#include "harness/packet/header_sizes.h"
#include "harness/packet/write_layer.h"

namespace sockproof::packet {
namespace {

constexpr std::uint16_t kExperimentalEtherType = 0x88b5;  // IEEE 802, for local experiments

constexpr std::size_t kLargestHeaderWords = 15;

void AppendAddress(Bytes& bytes, const IpAddress& address, std::size_t size) {
  Append(bytes, View(address.bytes(), size));
}

// Options and what is behind them, with zeros up to 32 bits unless that is told.
Bytes OptionArea(const std::vector<HeaderOption>& options, const std::optional<Bytes>& rest) {
  Bytes area;
  AppendOptions(area, options);
  if (rest) Append(area, *rest);
  while (!rest && area.size() % 4 != 0) area.push_back(0);
  return area;
}

std::size_t HeaderWords(const std::optional<std::uint8_t>& told, std::size_t size) {
  return (told ? std::size_t{*told} : std::min(kLargestHeaderWords, size / 4)) & 0xf;
}

std::size_t ExtensionLength(const std::optional<std::uint8_t>& told, std::size_t size) {
  return told ? std::size_t{*told} : size / 8 - 1;
}

void Put16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

// Puts the header of a layer before what follows it.
class LayerWriter {
 public:
  LayerWriter(const Packet& packet, std::size_t index, View body)
      : packet_(packet), index_(index), body_(body) {}

  LayerBytes operator()(const Ethernet& ethernet) const {
    Bytes bytes = Empty();
    Append(bytes, ethernet.destination);
    Append(bytes, ethernet.source);
    Append16(bytes, ethernet.type.value_or(NextEtherType()));
    return WithBody(std::move(bytes));
  }

  LayerBytes operator()(const Arp& arp) const {
    Bytes bytes = Empty();
    Append16(bytes, arp.hardware_type);
    Append16(bytes, arp.protocol_type);
    Append8(bytes, arp.hardware_size);
    Append8(bytes, arp.protocol_size);
    Append16(bytes, arp.operation);
    Append(bytes, arp.sender_mac);
    AppendAddress(bytes, arp.sender, 4);
    Append(bytes, arp.target_mac);
    AppendAddress(bytes, arp.target, 4);
    return WithBody(std::move(bytes));
  }

  LayerBytes operator()(const Ipv4& ip) const {
    const Bytes options = OptionArea(ip.options, ip.option_rest);
    const std::size_t size = kIpv4Header + options.size();
    Bytes bytes = Empty();
    Append8(bytes, ip.version << 4 | static_cast<int>(HeaderWords(ip.header_words, size)));
    Append8(bytes, ip.traffic_class);
    Append16(bytes, ip.total_length ? *ip.total_length : size + body_.size());
    Append16(bytes, ip.identification);
    Append16(bytes, (ip.reserved_bit ? 0x8000U : 0U) | (ip.dont_fragment ? 0x4000U : 0U) |
                        (ip.more_fragments ? 0x2000U : 0U) | (ip.fragment_offset & 0x1fffU));
    Append8(bytes, ip.hop_limit);
    Append8(bytes, ip.protocol.value_or(NextProtocol()));
    Append16(bytes, 0);
    AppendAddress(bytes, ip.source, 4);
    AppendAddress(bytes, ip.destination, 4);
    Append(bytes, options);
    return Checked(std::move(bytes), size, 10, ip.checksum, {});
  }

  LayerBytes operator()(const Ipv6& ip) const {
    Bytes bytes = Empty();
    Append32(bytes, static_cast<std::uint32_t>(ip.version) << 28 |
                        static_cast<std::uint32_t>(ip.traffic_class) << 20 |
                        (ip.flow_label & 0xfffff));
    Append16(bytes, ip.payload_length ? *ip.payload_length : body_.size());
    Append8(bytes, ip.next_header.value_or(NextProtocol()));
    Append8(bytes, ip.hop_limit);
    AppendAddress(bytes, ip.source, 16);
    AppendAddress(bytes, ip.destination, 16);
    return WithBody(std::move(bytes));
  }

  LayerBytes operator()(const Ipv6Options& header) const {
    Bytes area;
    AppendIpv6Options(area, header.options);
    if (header.option_rest) {
      Append(area, *header.option_rest);
    } else {
      AppendPadding(area);
    }
    Bytes bytes = Empty();
    Append8(bytes, header.next_header.value_or(NextProtocol()));
    Append8(bytes, ExtensionLength(header.length, 2 + area.size()));
    Append(bytes, area);
    return WithBody(std::move(bytes));
  }

  LayerBytes operator()(const Ipv6Routing& header) const {
    Bytes data = header.data;
    while (!header.length && (4 + data.size()) % 8 != 0) data.push_back(0);
    Bytes bytes = Empty();
    Append8(bytes, header.next_header.value_or(NextProtocol()));
    Append8(bytes, ExtensionLength(header.length, 4 + data.size()));
    Append8(bytes, header.type);
    Append8(bytes, header.segments_left);
    Append(bytes, data);
    return WithBody(std::move(bytes));
  }

  LayerBytes operator()(const Ipv6Fragment& header) const {
    Bytes bytes = Empty();
    Append8(bytes, header.next_header.value_or(NextProtocol()));
    Append8(bytes, header.reserved);
    Append16(bytes, (header.offset & 0x1fffU) << 3 | (header.reserved_bits & 3U) << 1 |
                        (header.more_fragments ? 1U : 0U));
    Append32(bytes, header.identification);
    return WithBody(std::move(bytes));
  }

  LayerBytes operator()(const Tcp& tcp) const {
    const Bytes options = OptionArea(tcp.options, tcp.option_rest);
    Bytes bytes = Empty();
    Append16(bytes, tcp.source_port);
    Append16(bytes, tcp.destination_port);
    Append32(bytes, tcp.seq);
    Append32(bytes, tcp.ack);
    const std::size_t words = HeaderWords(tcp.data_offset, kTcpHeader + options.size());
    Append8(bytes, words << 4 | (tcp.reserved & 0xfU));
    Append8(bytes, tcp.flags);
    Append16(bytes, tcp.window);
    Append16(bytes, 0);
    Append16(bytes, tcp.urgent_pointer);
    Append(bytes, options);
    const std::size_t size = bytes.size() + body_.size();
    return Checked(std::move(bytes), size, 16, tcp.checksum, PseudoHeader(ip_protocol::kTcp, size));
  }

  // The length in the pseudo-header is the one of this header (RFC 768, RFC 8200 section 8.1), and
  // the octets summed are as many, as far as they are there.
  LayerBytes operator()(const Udp& udp) const {
    const std::size_t length = udp.length ? *udp.length : kUdpHeader + body_.size();
    Bytes bytes = Empty();
    Append16(bytes, udp.source_port);
    Append16(bytes, udp.destination_port);
    Append16(bytes, length);
    Append16(bytes, 0);
    const std::size_t covered = std::clamp(length, kUdpHeader, kUdpHeader + body_.size());
    LayerBytes layer = Checked(std::move(bytes), covered, 6, udp.checksum,
                               PseudoHeader(ip_protocol::kUdp, length & 0xffff));
    if (!udp.checksum && Read16(layer.bytes, 6) == 0) Put16(layer.bytes, 6, 0xffff);
    Append(layer.bytes, udp.surplus);
    return layer;
  }

  LayerBytes operator()(const Icmp& icmp) const {
    const std::size_t size = kIcmpHeader + body_.size();
    const bool is_ipv6 = icmp.version == IpVersion::kIpv6;
    return Checked(MessageHeader(icmp.type, icmp.code, icmp.rest), size, 2, icmp.checksum,
                   is_ipv6 ? PseudoHeader(ip_protocol::kIcmpv6, size) : OnesComplementSum());
  }

  LayerBytes operator()(const Igmp& igmp) const {
    return Checked(MessageHeader(igmp.type, igmp.code, igmp.rest), kIcmpHeader + body_.size(), 2,
                   igmp.checksum, {});
  }

 private:
  // With room for a header and the body.
  Bytes Empty() const {
    constexpr std::size_t kUsualHeader = 60;
    Bytes bytes;
    bytes.reserve(kUsualHeader + body_.size());
    return bytes;
  }

  Bytes MessageHeader(std::uint8_t type, std::uint8_t code, std::uint32_t rest) const {
    Bytes bytes = Empty();
    Append8(bytes, type);
    Append8(bytes, code);
    Append16(bytes, 0);
    Append32(bytes, rest);
    return bytes;
  }

  static void AppendPadding(Bytes& area) {
    const std::size_t missing = (8 - (2 + area.size()) % 8) % 8;
    if (missing == 1) return area.push_back(ipv6_option::kPad1);
    if (missing > 1) AppendIpv6Options(area, {{ipv6_option::kPadN, Bytes(missing - 2)}});
  }

  LayerBytes WithBody(Bytes header) const {
    Append(header, body_);
    return {std::move(header), true};
  }

  // `sum`: of what is covered beside the first `covered` octets of header and body. `at`: where the
  // checksum is, zero until now.
  LayerBytes Checked(Bytes header, std::size_t covered, std::size_t at,
                     const std::optional<std::uint16_t>& told, OnesComplementSum sum) const {
    LayerBytes layer = WithBody(std::move(header));
    sum.Add(View(layer.bytes).first(covered));
    Put16(layer.bytes, at, told.value_or(sum.Checksum()));
    layer.is_checksum_right = !told || sum.Add(*told).IsRight();
    return layer;
  }

  // RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1: these are the same sum.
  OnesComplementSum PseudoHeader(std::uint8_t protocol, std::size_t length) const {
    OnesComplementSum sum;
    sum.Add(std::uint32_t{protocol}).Add(static_cast<std::uint32_t>(length));
    const IpAddress destination = FinalDestination(packet_);
    const auto add = [&](const auto* ip) {
      if (ip == nullptr) return;
      sum.Add(View(ip->source.bytes(), ip->source.size()));
      sum.Add(View(destination.bytes(), destination.size()));
    };
    if (const auto* ip = packet_.Find<Ipv4>()) {
      add(ip);
    } else {
      add(packet_.Find<Ipv6>());
    }
    return sum;
  }

  const Layer* Next() const {
    return index_ + 1 < packet_.layers.size() ? &packet_.layers[index_ + 1] : nullptr;
  }

  std::uint16_t NextEtherType() const {
    const Layer* next = Next();
    if (next == nullptr) return kExperimentalEtherType;
    if (std::holds_alternative<Ipv4>(*next)) return ether_type::kIpv4;
    if (std::holds_alternative<Ipv6>(*next)) return ether_type::kIpv6;
    return std::holds_alternative<Arp>(*next) ? ether_type::kArp : kExperimentalEtherType;
  }

  std::uint8_t NextProtocol() const {
    const Layer* next = Next();
    return next == nullptr ? ip_protocol::kNone : ProtocolOf(*next).value_or(ip_protocol::kNone);
  }

  const Packet& packet_;
  std::size_t index_;
  View body_;
};

}  // namespace

LayerBytes WriteLayer(const Packet& packet, std::size_t index, View body) {
  return std::visit(LayerWriter(packet, index, body), packet.layers[index]);
}

Bytes Write(const Packet& packet) {
  Bytes bytes = packet.payload;
  for (std::size_t index = packet.layers.size(); index-- > 0;) {
    bytes = WriteLayer(packet, index, bytes).bytes;
  }
  if (packet.trailer) {
    Append(bytes, *packet.trailer);
  } else if (packet.Find<Ethernet>() != nullptr) {
    bytes.resize(std::max(bytes.size(), kShortestFrame));
  }
  return bytes;
}

}  // namespace sockproof::packet
