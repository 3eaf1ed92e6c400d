// Octets to layers.
#include <algorithm>

#include "harness/packet/header_sizes.h"
#include "harness/packet/packet.h"

namespace sockproof::packet {
namespace {

MacAddress MacAt(View bytes, std::size_t at) {
  MacAddress mac;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
  return mac;
}

IpAddress Ipv4At(View bytes, std::size_t at) { return {IpVersion::kIpv4, bytes.data() + at}; }
IpAddress Ipv6At(View bytes, std::size_t at) { return {IpVersion::kIpv6, bytes.data() + at}; }

// Each function takes all that is left, and adds to the packet what it finds.
class Reader {
 public:
  Packet Take() {
    if (!packet_.trailer) packet_.trailer = Bytes();
    return std::move(packet_);
  }

  void Frame(View bytes) {
    if (bytes.size() < kEthernetHeader) return Payload(bytes);
    const std::uint16_t type = Read16(bytes, 12);
    packet_.layers.push_back(Ethernet{MacAt(bytes, 0), MacAt(bytes, 6), type});
    const View body = bytes.subspan(kEthernetHeader);
    switch (type) {
      case ether_type::kIpv4:
        return IpOfVersion4(body);
      case ether_type::kIpv6:
        return IpOfVersion6(body);
      case ether_type::kArp:
        return ArpMessage(body);
      default:
        return Payload(body);
    }
  }

  void Ip(View bytes) {
    const int version = bytes.empty() ? 0 : bytes[0] >> 4;
    if (version == 4) return IpOfVersion4(bytes);
    if (version == 6) return IpOfVersion6(bytes);
    Payload(bytes);
  }

  void Transport(std::uint8_t protocol, View bytes) {
    switch (protocol) {
      case ip_protocol::kTcp:
        return TcpSegment(bytes);
      case ip_protocol::kUdp:
        return UdpDatagram(bytes);
      case ip_protocol::kIcmp:
        return IcmpMessage(IpVersion::kIpv4, bytes);
      case ip_protocol::kIcmpv6:
        return IcmpMessage(IpVersion::kIpv6, bytes);
      case ip_protocol::kIgmp:
        return IgmpMessage(bytes);
      default:
        return Payload(bytes);
    }
  }

 private:
  void Payload(View bytes) { packet_.payload = ToBytes(bytes); }

  void ArpMessage(View bytes) {
    if (bytes.size() < kArpMessage) return Payload(bytes);
    packet_.layers.push_back(Arp{Read16(bytes, 0), Read16(bytes, 2), bytes[4], bytes[5],
                                 Read16(bytes, 6), MacAt(bytes, 8), Ipv4At(bytes, 14),
                                 MacAt(bytes, 18), Ipv4At(bytes, 24)});
    packet_.trailer = ToBytes(bytes.subspan(kArpMessage));
  }

  void IpOfVersion4(View bytes) {
    if (bytes.size() < kIpv4Header) return Payload(bytes);
    Ipv4 ip;
    ip.version = bytes[0] >> 4;
    ip.header_words = bytes[0] & 0xf;
    ip.traffic_class = bytes[1];
    const std::size_t total = *(ip.total_length = Read16(bytes, 2));
    ip.identification = Read16(bytes, 4);
    const std::uint16_t fragment = Read16(bytes, 6);
    ip.reserved_bit = (fragment & 0x8000) != 0;
    ip.dont_fragment = (fragment & 0x4000) != 0;
    ip.more_fragments = (fragment & 0x2000) != 0;
    ip.fragment_offset = fragment & 0x1fff;
    ip.hop_limit = bytes[8];
    ip.protocol = bytes[9];
    ip.checksum = Read16(bytes, 10);
    ip.source = Ipv4At(bytes, 12);
    ip.destination = Ipv4At(bytes, 16);
    const std::size_t header = std::size_t{4} * *ip.header_words;
    const bool is_whole = header >= kIpv4Header && header <= bytes.size();
    const std::size_t header_seen = is_whole ? header : kIpv4Header;
    OptionList list = ReadOptions(bytes.first(header_seen).subspan(kIpv4Header));
    ip.options = std::move(list.options);
    ip.option_rest = std::move(list.rest);
    const bool is_fragment = ip.is_fragment();
    const std::uint8_t protocol = *ip.protocol;
    packet_.layers.push_back(std::move(ip));
    if (!is_whole || total < header) return Payload(bytes.subspan(header_seen));
    const std::size_t end = std::min(total, bytes.size());
    packet_.trailer = ToBytes(bytes.subspan(end));  // Ethernet may have padded the packet
    const View body = bytes.first(end).subspan(header);
    if (is_fragment) return Payload(body);
    Transport(protocol, body);
  }

  void IpOfVersion6(View bytes) {
    if (bytes.size() < kIpv6Header) return Payload(bytes);
    Ipv6 ip;
    ip.version = bytes[0] >> 4;
    ip.traffic_class = static_cast<std::uint8_t>(Read16(bytes, 0) >> 4);
    ip.flow_label = Read32(bytes, 0) & 0xfffff;
    ip.payload_length = Read16(bytes, 4);
    ip.next_header = bytes[6];
    ip.hop_limit = bytes[7];
    ip.source = Ipv6At(bytes, 8);
    ip.destination = Ipv6At(bytes, 24);
    const std::size_t length =
        std::min<std::size_t>(*ip.payload_length, bytes.size() - kIpv6Header);
    packet_.trailer = ToBytes(bytes.subspan(kIpv6Header + length));
    packet_.layers.push_back(ip);
    BehindIpv6(*ip.next_header, bytes.subspan(kIpv6Header, length));
  }

  void BehindIpv6(std::uint8_t next, View bytes) {
    while (next == ip_protocol::kHopByHop || next == ip_protocol::kRouting ||
           next == ip_protocol::kFragment || next == ip_protocol::kDestinationOptions) {
      if (bytes.size() < 8) return Payload(bytes);
      if (next == ip_protocol::kFragment) {
        const std::uint16_t offset = Read16(bytes, 2);
        const Ipv6Fragment fragment{bytes[0],
                                    bytes[1],
                                    static_cast<std::uint16_t>(offset >> 3),
                                    static_cast<std::uint8_t>(offset >> 1 & 3),
                                    (offset & 1) != 0,
                                    Read32(bytes, 4)};
        packet_.layers.push_back(fragment);
        next = bytes[0];
        bytes = bytes.subspan(8);
        if (fragment.is_fragment()) return Payload(bytes);
        continue;
      }
      const std::size_t size = 8 * (std::size_t{bytes[1]} + 1);
      if (size > bytes.size()) return Payload(bytes);
      const View header = bytes.first(size);
      if (next == ip_protocol::kRouting) {
        packet_.layers.push_back(
            Ipv6Routing{header[0], header[1], header[2], header[3], ToBytes(header.subspan(4))});
      } else {
        OptionList list = ReadIpv6Options(header.subspan(2));
        packet_.layers.push_back(
            Ipv6Options{next, header[0], header[1], std::move(list.options), std::move(list.rest)});
      }
      next = header[0];
      bytes = bytes.subspan(size);
    }
    Transport(next, bytes);
  }

  void TcpSegment(View bytes) {
    if (bytes.size() < kTcpHeader) return Payload(bytes);
    Tcp tcp;
    tcp.source_port = Read16(bytes, 0);
    tcp.destination_port = Read16(bytes, 2);
    tcp.seq = Read32(bytes, 4);
    tcp.ack = Read32(bytes, 8);
    tcp.data_offset = bytes[12] >> 4;
    tcp.reserved = bytes[12] & 0xf;
    tcp.flags = bytes[13];
    tcp.window = Read16(bytes, 14);
    tcp.checksum = Read16(bytes, 16);
    tcp.urgent_pointer = Read16(bytes, 18);
    const std::size_t header =
        std::clamp(std::size_t{4} * *tcp.data_offset, kTcpHeader, bytes.size());
    OptionList list = ReadOptions(bytes.first(header).subspan(kTcpHeader));
    tcp.options = std::move(list.options);
    tcp.option_rest = std::move(list.rest);
    packet_.layers.push_back(std::move(tcp));
    Payload(bytes.subspan(header));
  }

  void UdpDatagram(View bytes) {
    if (bytes.size() < kUdpHeader) return Payload(bytes);
    const std::size_t length = Read16(bytes, 4);
    const bool makes_sense = length >= kUdpHeader && length <= bytes.size();
    const std::size_t end = makes_sense ? length : bytes.size();
    packet_.layers.push_back(Udp{Read16(bytes, 0), Read16(bytes, 2), Read16(bytes, 4),
                                 Read16(bytes, 6), ToBytes(bytes.subspan(end))});
    Payload(bytes.first(end).subspan(kUdpHeader));
  }

  void IcmpMessage(IpVersion version, View bytes) {
    if (bytes.size() < kIcmpHeader) return Payload(bytes);
    packet_.layers.push_back(Icmp{version, bytes[0], bytes[1], Read16(bytes, 2), Read32(bytes, 4)});
    Payload(bytes.subspan(kIcmpHeader));
  }

  void IgmpMessage(View bytes) {
    if (bytes.size() < kIcmpHeader) return Payload(bytes);
    packet_.layers.push_back(Igmp{bytes[0], bytes[1], Read16(bytes, 2), Read32(bytes, 4)});
    Payload(bytes.subspan(kIcmpHeader));
  }

  Packet packet_;
};

}  // namespace

Packet ReadFrame(View frame) {
  Reader reader;
  reader.Frame(frame);
  return reader.Take();
}

Packet ReadIp(View packet) {
  Reader reader;
  reader.Ip(packet);
  return reader.Take();
}

Packet ReadTransport(std::uint8_t protocol, View bytes) {
  Reader reader;
  reader.Transport(protocol, bytes);
  return reader.Take();
}

}  // namespace sockproof::packet
