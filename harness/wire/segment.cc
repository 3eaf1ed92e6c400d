#include "harness/wire/segment.h"

#include <fmt/format.h>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"

namespace sockproof {
namespace {

bool IsAsLongAsItSays(const packet::Ipv4& ip) {
  return HeaderSize(ip) == std::size_t{4} * ip.header_words.value_or(0);
}

Bytes OptionArea(const std::vector<HeaderOption>& options, const std::optional<Bytes>& rest) {
  Bytes area;
  packet::AppendOptions(area, options);
  packet::Append(area, rest.value_or(Bytes()));
  return area;
}

}  // namespace

const TcpOption* Segment::FindOption(std::uint8_t kind) const {
  return packet::FindOption(options, kind);
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> Segment::timestamps() const {
  const TcpOption* option = FindOption(tcp_option::kTimestamps);
  return option == nullptr ? std::nullopt : tcp_option::TimestampsOf(*option);
}

std::optional<Segment> ParseSegment(const Bytes& frame, Time time) {
  return SegmentIn(packet::ReadFrame(frame), time);
}

std::optional<Segment> SegmentIn(const packet::Packet& read, Time time) {
  const auto* tcp = read.Find<packet::Tcp>();
  if (tcp == nullptr || packet::IsCutShort(read)) return std::nullopt;
  Segment segment;
  segment.time = time;
  const auto take_addresses = [&](const auto& ip) {
    segment.source = {ip.source, tcp->source_port};
    segment.destination = {ip.destination, tcp->destination_port};
    segment.hop_limit = ip.hop_limit;
    segment.traffic_class = ip.traffic_class;
  };
  if (const auto* ip = read.Find<packet::Ipv4>()) {
    if (!IsAsLongAsItSays(*ip)) return std::nullopt;
    take_addresses(*ip);
    segment.ip_options = OptionArea(ip->options, ip->option_rest);
  } else {
    take_addresses(*read.Find<packet::Ipv6>());
  }
  segment.seq = tcp->seq;
  segment.ack = tcp->ack;
  segment.reserved = tcp->reserved;
  segment.flags = tcp->flags;
  segment.window = tcp->window;
  segment.urgent_pointer = tcp->urgent_pointer;
  segment.checksum_valid = packet::IsChecksumRight(read);
  segment.options = tcp->options;
  segment.option_area = OptionArea(tcp->options, tcp->option_rest);
  segment.payload = read.payload;
  return segment;
}

packet::Packet IpPacketOf(const Segment& segment) {
  const IpAddress& from = segment.source.address;
  const IpAddress& to = segment.destination.address;
  if (from.version() != to.version()) throw HarnessError("segment between two IP versions");
  packet::Tcp tcp{.source_port = segment.source.port,
                  .destination_port = segment.destination.port,
                  .seq = segment.seq,
                  .ack = segment.ack,
                  .data_offset = segment.data_offset,
                  .reserved = segment.reserved,
                  .flags = segment.flags,
                  .window = segment.window,
                  .urgent_pointer = segment.urgent_pointer,
                  .options = segment.options};
  if (segment.raw_options) {
    tcp.options.clear();
    tcp.option_rest = segment.raw_options;
    while (tcp.option_rest->size() % 4 != 0) tcp.option_rest->push_back(tcp_option::kEnd);
  }
  if (HeaderSize(tcp) > kTcpHeader + kLargestOptions) {
    throw HarnessError("TCP options longer than 40 octets");
  }
  packet::Packet built{.payload = segment.payload};
  if (from.version() == IpVersion::kIpv4) {
    if (segment.ip_options.size() % 4 != 0 || segment.ip_options.size() > kLargestOptions) {
      throw HarnessError("these octets cannot be options of this IP header");
    }
    packet::OptionList list = packet::ReadOptions(segment.ip_options);
    built.layers.push_back(packet::Ipv4{.traffic_class = segment.traffic_class,
                                        .dont_fragment = true,
                                        .hop_limit = segment.hop_limit,
                                        .source = from,
                                        .destination = to,
                                        .options = std::move(list.options),
                                        .option_rest = std::move(list.rest)});
  } else {
    if (!segment.ip_options.empty()) throw HarnessError("IP options in an IPv6 header");
    built.layers.push_back(packet::Ipv6{.traffic_class = segment.traffic_class,
                                        .hop_limit = segment.hop_limit,
                                        .source = from,
                                        .destination = to});
  }
  built.layers.push_back(std::move(tcp));
  if (!segment.checksum_valid) {
    constexpr std::uint16_t kSpoiled = 0x5555;
    const packet::Packet right = packet::ReadIp(packet::Write(built));
    built.Find<packet::Tcp>()->checksum = *right.Find<packet::Tcp>()->checksum ^ kSpoiled;
  }
  return built;
}

Bytes BuildFrame(const Segment& segment, const MacAddress& source, const MacAddress& destination) {
  packet::Packet built = IpPacketOf(segment);
  built.layers.insert(built.layers.begin(), packet::Ethernet{destination, source});
  return packet::Write(built);
}

std::string Describe(const Segment& segment, std::uint32_t initial_seq, std::uint32_t initial_ack) {
  std::string text =
      fmt::format("{} seq={}", TcpFlagsName(segment.flags), segment.seq - initial_seq);
  if (segment.Has(kAck)) text += fmt::format(" ack={}", segment.ack - initial_ack);
  if (!segment.payload.empty()) text += fmt::format(" len={}", segment.payload.size());
  if (segment.Has(kUrg)) text += fmt::format(" urg={}", segment.urgent_pointer);
  if (!segment.checksum_valid) text += " (bad checksum)";
  return text;
}

}  // namespace sockproof
