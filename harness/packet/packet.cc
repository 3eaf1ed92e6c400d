#include "harness/packet/packet.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/packet/header_sizes.h"
#include "harness/packet/write_layer.h"

namespace sockproof::packet {
namespace {

// What is to be computed when it is not told.
struct Forget {
  void operator()(Ethernet& ethernet) const { ethernet.type.reset(); }
  void operator()(Arp&) const {}
  void operator()(Ipv4& ip) const {
    ip.header_words.reset();
    ip.total_length.reset();
    ip.protocol.reset();
    ip.checksum.reset();
  }
  void operator()(Ipv6& ip) const {
    ip.payload_length.reset();
    ip.next_header.reset();
  }
  void operator()(Ipv6Options& header) const {
    header.next_header.reset();
    header.length.reset();
  }
  void operator()(Ipv6Routing& header) const {
    header.next_header.reset();
    header.length.reset();
  }
  void operator()(Ipv6Fragment& header) const { header.next_header.reset(); }
  void operator()(Tcp& tcp) const {
    tcp.data_offset.reset();
    tcp.checksum.reset();
  }
  void operator()(Udp& udp) const {
    udp.length.reset();
    udp.checksum.reset();
  }
  void operator()(Icmp& icmp) const { icmp.checksum.reset(); }
  void operator()(Igmp& igmp) const { igmp.checksum.reset(); }
};

// The end of a source route that has not been gone to its end.
std::optional<IpAddress> EndOfRoute(const Ipv4& ip) {
  for (const HeaderOption& option : ip.options) {
    const bool is_route = option.kind == ipv4_option::kLooseSourceRoute ||
                          option.kind == ipv4_option::kStrictSourceRoute;
    // The pointer counts from the kind, whose octet and that of the length are not in the data.
    if (is_route && option.data.size() >= 5 && option.data[0] <= option.data.size() + 2) {
      return IpAddress(IpVersion::kIpv4, option.data.data() + option.data.size() - 4);
    }
  }
  return std::nullopt;
}

std::optional<IpAddress> EndOfRoute(const Ipv6Routing& header) {
  constexpr std::uint8_t kSource = 0, kMobile = 2, kSegment = 4;  // RFC 2460, 6275, 8754
  constexpr std::size_t kAddresses = 4;                           // where they start in the data
  const std::size_t size = header.data.size();
  if (header.segments_left == 0 || size < kAddresses + 16) return std::nullopt;
  if (header.type == kSegment) {  // the last one comes first
    return IpAddress(IpVersion::kIpv6, header.data.data() + kAddresses);
  }
  if (header.type != kSource && header.type != kMobile) return std::nullopt;
  const std::size_t last = (size - kAddresses) / 16 - 1;
  return IpAddress(IpVersion::kIpv6, header.data.data() + kAddresses + 16 * last);
}

std::size_t OptionsSize(const std::vector<HeaderOption>& options,
                        const std::optional<Bytes>& rest) {
  Bytes bytes;
  AppendOptions(bytes, options);
  return rest ? bytes.size() + rest->size() : (bytes.size() + 3) / 4 * 4;
}

// Looks at the layers from the innermost one on, with what each of them carries.
class Inspection {
 public:
  explicit Inspection(const Packet& packet) : packet_(packet) {
    Bytes body = packet.payload;
    for (std::size_t index = packet.layers.size(); index-- > 0;) {
      body_size_ = body.size();
      LayerBytes layer = WriteLayer(packet, index, body);
      is_checksum_right_ = layer.is_checksum_right;
      std::visit(*this, packet.layers[index]);
      body = std::move(layer.bytes);
    }
  }

  bool is_cut_short = false;
  std::optional<bool> is_innermost_checksum_right;
  std::vector<std::string> lengths, checksums;

  void operator()(const Ethernet&) {}
  void operator()(const Arp&) {}
  void operator()(const Ipv6Options&) {}
  void operator()(const Ipv6Routing&) {}
  void operator()(const Ipv6Fragment&) {}

  void operator()(const Ipv4& ip) {
    if (ip.version != 4) lengths.push_back(fmt::format("IP version {}", ip.version));
    const std::size_t header = HeaderSize(ip);
    if (ip.header_words && std::size_t{4} * *ip.header_words != header) {
      lengths.push_back(fmt::format("IP header length {}", 4 * *ip.header_words));
    } else if (ip.total_length && *ip.total_length < header) {
      lengths.push_back(fmt::format("IP total length {}", *ip.total_length));
    } else if (ip.total_length && *ip.total_length > header + body_size_) {
      is_cut_short = true;
    }
    if (!is_checksum_right_) checksums.push_back("bad IP checksum");
  }
  void operator()(const Ipv6& ip) {
    if (ip.version != 6) lengths.push_back(fmt::format("IP version {}", ip.version));
    if (ip.payload_length && *ip.payload_length > body_size_) is_cut_short = true;
  }
  void operator()(const Tcp& tcp) {
    const std::size_t header = HeaderSize(tcp);
    if (tcp.data_offset && std::size_t{4} * *tcp.data_offset != header) {
      lengths.push_back(fmt::format("data offset {}", *tcp.data_offset));
    }
    JudgeChecksum();
  }
  void operator()(const Udp& udp) {
    if (udp.length && (*udp.length < kUdpHeader || *udp.length > kUdpHeader + body_size_)) {
      lengths.push_back(fmt::format("UDP length {}", *udp.length));
    }
    if (udp.checksum == 0 && packet_.Find<Ipv6>() != nullptr) {
      is_innermost_checksum_right = false;
      checksums.push_back("no checksum");
    } else if (udp.checksum != 0) {
      JudgeChecksum();
    }
  }
  void operator()(const Icmp&) { JudgeChecksum(); }
  void operator()(const Igmp&) { JudgeChecksum(); }

 private:
  void JudgeChecksum() {
    is_innermost_checksum_right = is_checksum_right_;
    if (!is_checksum_right_) checksums.push_back("bad checksum");
  }

  const Packet& packet_;
  std::size_t body_size_ = 0;
  bool is_checksum_right_ = true;  // of the layer that is looked at
};

}  // namespace

Packet Recomputed(Packet packet) {
  for (Layer& layer : packet.layers) std::visit(Forget(), layer);
  return packet;
}

std::optional<std::uint8_t> ProtocolOf(const Layer& layer) {
  constexpr std::uint8_t kIpv4InIp = 4, kIpv6InIp = 41;
  if (std::holds_alternative<Ipv4>(layer)) return kIpv4InIp;
  if (std::holds_alternative<Ipv6>(layer)) return kIpv6InIp;
  if (const auto* options = std::get_if<Ipv6Options>(&layer)) return options->header;
  if (std::holds_alternative<Ipv6Routing>(layer)) return ip_protocol::kRouting;
  if (std::holds_alternative<Ipv6Fragment>(layer)) return ip_protocol::kFragment;
  if (std::holds_alternative<Tcp>(layer)) return ip_protocol::kTcp;
  if (std::holds_alternative<Udp>(layer)) return ip_protocol::kUdp;
  if (std::holds_alternative<Igmp>(layer)) return ip_protocol::kIgmp;
  if (const auto* icmp = std::get_if<Icmp>(&layer)) {
    return icmp->version == IpVersion::kIpv4 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6;
  }
  return std::nullopt;
}

std::size_t HeaderSize(const Ipv4& ip) {
  return kIpv4Header + OptionsSize(ip.options, ip.option_rest);
}

std::size_t HeaderSize(const Tcp& tcp) {
  return kTcpHeader + OptionsSize(tcp.options, tcp.option_rest);
}

IpAddress FinalDestination(const Packet& packet) {
  if (const auto* ip = packet.Find<Ipv4>()) return EndOfRoute(*ip).value_or(ip->destination);
  const auto* ip = packet.Find<Ipv6>();
  if (ip == nullptr) return {};
  const auto* routing = packet.Find<Ipv6Routing>();
  return (routing == nullptr ? std::nullopt : EndOfRoute(*routing)).value_or(ip->destination);
}

bool IsFragment(const Packet& packet) {
  const auto* ip = packet.Find<Ipv4>();
  const auto* header = packet.Find<Ipv6Fragment>();
  return (ip != nullptr && ip->is_fragment()) || (header != nullptr && header->is_fragment());
}

std::vector<std::string> Defects(const Packet& packet) {
  Inspection inspection(packet);
  std::vector<std::string> defects;
  if (inspection.is_cut_short) defects.push_back("cut short");
  for (auto* found : {&inspection.lengths, &inspection.checksums}) {
    defects.insert(defects.end(), found->begin(), found->end());
  }
  return defects;
}

bool IsChecksumRight(const Packet& packet) {
  return Inspection(packet).is_innermost_checksum_right.value_or(true);
}

bool IsCutShort(const Packet& packet) { return Inspection(packet).is_cut_short; }

}  // namespace sockproof::packet
