#include "harness/wire/segment.h"

#include <fmt/format.h>
#include <tins/tins.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"

namespace sockproof {
namespace {

constexpr size_t kTcpHeader = 20;
constexpr std::uint8_t kProtocolTcp = 6;

std::uint16_t Read16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
std::uint32_t Read32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(Read16(at)) << 16 | Read16(at + 2);
}
void Append32(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// RFC 9293 section 3.1: ones' complement sum over pseudo-header and segment. 0 when it is right.
std::uint16_t TcpChecksum(const IpAddress& source, const IpAddress& destination,
                          const std::uint8_t* tcp, size_t size) {
  std::uint32_t sum = kProtocolTcp + static_cast<std::uint32_t>(size);
  for (const IpAddress* address : {&source, &destination}) {
    for (size_t i = 0; i < address->size(); i += 2) sum += Read16(address->bytes() + i);
  }
  for (size_t i = 0; i + 1 < size; i += 2) sum += Read16(tcp + i);
  if (size % 2 != 0) sum += static_cast<std::uint32_t>(tcp[size - 1] << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::vector<TcpOption> ParseOptions(const std::uint8_t* at, size_t size) {
  std::vector<TcpOption> options;
  size_t i = 0;
  while (i < size) {
    const std::uint8_t kind = at[i];
    if (kind == tcp_option::kEnd) break;
    if (kind == tcp_option::kNop) {
      options.push_back({kind, {}});
      ++i;
      continue;
    }
    if (i + 1 >= size || at[i + 1] < 2 || i + at[i + 1] > size) break;
    options.push_back({kind, Bytes(at + i + 2, at + i + at[i + 1])});
    i += at[i + 1];
  }
  return options;
}

Bytes OptionBytes(const Segment& segment) {
  Bytes bytes;
  if (segment.raw_options) {
    bytes = *segment.raw_options;
  } else {
    for (const TcpOption& option : segment.options) {
      bytes.push_back(option.kind);
      if (option.kind == tcp_option::kEnd || option.kind == tcp_option::kNop) continue;
      bytes.push_back(static_cast<std::uint8_t>(option.data.size() + 2));
      bytes.insert(bytes.end(), option.data.begin(), option.data.end());
    }
  }
  while (bytes.size() % 4 != 0) bytes.push_back(tcp_option::kEnd);
  if (bytes.size() > 40) throw HarnessError("TCP options longer than 40 octets");
  return bytes;
}

void Write16(std::uint8_t* at, size_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

// Into a frame with a plain IPv4 header. RFC 791 section 3.1.
void InsertIpOptions(Bytes& frame, const Bytes& options) {
  if (frame[kEthernetHeader] != 0x45 || options.size() % 4 != 0 || options.size() > 40) {
    throw HarnessError("these octets cannot be options of this IP header");
  }
  frame.insert(frame.begin() + kEthernetHeader + kIpv4Header, options.begin(), options.end());
  std::uint8_t* const ip = frame.data() + kEthernetHeader;
  const size_t header = kIpv4Header + options.size();
  ip[0] = static_cast<std::uint8_t>(0x40 | header / 4);
  Write16(ip + 2, Read16(ip + 2) + options.size());
  Write16(ip + 10, 0);
  std::uint32_t sum = 0;
  for (size_t i = 0; i < header; i += 2) sum += Read16(ip + i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  Write16(ip + 10, static_cast<std::uint16_t>(~sum));
}

}  // namespace

namespace tcp_option {
TcpOption Nop() { return {kNop, {}}; }
TcpOption Mss(std::uint16_t mss) {
  return {kMss, {static_cast<std::uint8_t>(mss >> 8), static_cast<std::uint8_t>(mss)}};
}
TcpOption WindowScale(std::uint8_t shift) { return {kWindowScale, {shift}}; }
TcpOption SackPermitted() { return {kSackPermitted, {}}; }
TcpOption Timestamps(std::uint32_t ts_val, std::uint32_t ts_ecr) {
  TcpOption option{kTimestamps, {}};
  Append32(option.data, ts_val);
  Append32(option.data, ts_ecr);
  return option;
}
}  // namespace tcp_option

std::string TcpFlagsName(TcpFlags flags) {
  static constexpr std::pair<TcpFlag, const char*> kNames[] = {
      {kSyn, "SYN"}, {kFin, "FIN"}, {kRst, "RST"}, {kPsh, "PSH"},
      {kAck, "ACK"}, {kUrg, "URG"}, {kEce, "ECE"}, {kCwr, "CWR"}};
  std::string text;
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) == 0) continue;
    if (!text.empty()) text += ',';
    text += name;
  }
  return text.empty() ? "none" : text;
}

const TcpOption* Segment::FindOption(std::uint8_t kind) const {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const TcpOption& option) { return option.kind == kind; });
  return found == options.end() ? nullptr : &*found;
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> Segment::timestamps() const {
  const TcpOption* option = FindOption(tcp_option::kTimestamps);
  if (option == nullptr || option->data.size() != 8) return std::nullopt;
  return std::pair(Read32(option->data.data()), Read32(option->data.data() + 4));
}

// By hand, not by libtins: it refuses malformed headers and options, and a test suite must be able
// to say what is wrong with them.
std::optional<Segment> ParseSegment(const Bytes& frame, Time time) {
  if (frame.size() < kEthernetHeader) return std::nullopt;
  const std::uint8_t* ip = frame.data() + kEthernetHeader;
  size_t left = frame.size() - kEthernetHeader;
  const std::uint16_t ether_type = Read16(frame.data() + 12);
  Segment segment;
  segment.time = time;
  size_t ip_header = 0;
  size_t ip_payload = 0;
  if (ether_type == 0x0800) {
    if (left < kIpv4Header || ip[9] != kProtocolTcp) return std::nullopt;
    if ((Read16(ip + 6) & 0x3fff) != 0) return std::nullopt;  // a fragment
    ip_header = static_cast<size_t>(ip[0] & 0xf) * 4;
    if (Read16(ip + 2) < ip_header) return std::nullopt;
    ip_payload = Read16(ip + 2) - ip_header;
    segment.source.address = IpAddress(IpVersion::kIpv4, ip + 12);
    segment.destination.address = IpAddress(IpVersion::kIpv4, ip + 16);
    segment.hop_limit = ip[8];
    if (ip_header > kIpv4Header && ip_header <= left) {
      segment.ip_options.assign(ip + kIpv4Header, ip + ip_header);
    }
    segment.traffic_class = ip[1];
  } else if (ether_type == 0x86dd) {
    if (left < kIpv6Header || ip[6] != kProtocolTcp) return std::nullopt;
    ip_header = kIpv6Header;
    ip_payload = Read16(ip + 4);
    segment.source.address = IpAddress(IpVersion::kIpv6, ip + 8);
    segment.destination.address = IpAddress(IpVersion::kIpv6, ip + 24);
    segment.hop_limit = ip[7];
    segment.traffic_class = static_cast<std::uint8_t>(Read16(ip) >> 4);
  } else {
    return std::nullopt;
  }
  if (ip_header + ip_payload > left || ip_payload < kTcpHeader) return std::nullopt;

  const std::uint8_t* tcp = ip + ip_header;
  segment.source.port = Read16(tcp);
  segment.destination.port = Read16(tcp + 2);
  segment.seq = Read32(tcp + 4);
  segment.ack = Read32(tcp + 8);
  segment.reserved = tcp[12] & 0xf;
  segment.flags = tcp[13];
  segment.window = Read16(tcp + 14);
  segment.urgent_pointer = Read16(tcp + 18);
  segment.checksum_valid =
      TcpChecksum(segment.source.address, segment.destination.address, tcp, ip_payload) == 0;
  const size_t header = std::clamp(static_cast<size_t>(tcp[12] >> 4) * 4, kTcpHeader, ip_payload);
  segment.option_area.assign(tcp + kTcpHeader, tcp + header);
  segment.options = ParseOptions(tcp + kTcpHeader, header - kTcpHeader);
  segment.payload.assign(tcp + header, tcp + ip_payload);
  return segment;
}

Bytes BuildFrame(const Segment& segment, const MacAddress& source, const MacAddress& destination) {
  const IpAddress& from = segment.source.address;
  const IpAddress& to = segment.destination.address;
  if (from.version() != to.version()) throw HarnessError("segment between two IP versions");

  // libtins lays out IP and TCP; options go in as payload, so that malformed ones can.
  Tins::TCP tcp(segment.destination.port, segment.source.port);
  tcp.seq(segment.seq);
  tcp.ack_seq(segment.ack);
  tcp.flags(segment.flags);
  tcp.window(segment.window);
  tcp.urg_ptr(segment.urgent_pointer);
  Bytes options_and_payload = OptionBytes(segment);
  const size_t options = options_and_payload.size();
  options_and_payload.insert(options_and_payload.end(), segment.payload.begin(),
                             segment.payload.end());
  tcp.inner_pdu(Tins::RawPDU(options_and_payload));

  Tins::EthernetII frame{Tins::HWAddress<6>(destination.data()), Tins::HWAddress<6>(source.data())};
  size_t ip_header = kIpv4Header;
  if (from.version() == IpVersion::kIpv4) {
    Tins::IP ip(to.ToString(), from.ToString());
    ip.ttl(segment.hop_limit);
    ip.tos(segment.traffic_class);
    ip.flags(Tins::IP::DONT_FRAGMENT);
    frame /= ip / tcp;
  } else {
    Tins::IPv6 ip(to.ToString(), from.ToString());
    ip.hop_limit(segment.hop_limit);
    ip.traffic_class(segment.traffic_class);
    ip_header = kIpv6Header;
    frame /= ip / tcp;
  }
  Bytes bytes = frame.serialize();

  const size_t tcp_size = kTcpHeader + options_and_payload.size();
  bytes.resize(std::max(bytes.size(), kEthernetHeader + ip_header + tcp_size));
  std::uint8_t* const header = bytes.data() + kEthernetHeader + ip_header;
  const auto true_offset = static_cast<std::uint8_t>((kTcpHeader + options) / 4);
  header[12] = static_cast<std::uint8_t>(segment.data_offset.value_or(true_offset) << 4 |
                                         (segment.reserved & 0xf));
  header[16] = header[17] = 0;
  std::uint16_t checksum = TcpChecksum(from, to, header, tcp_size);
  if (!segment.checksum_valid) checksum ^= 0x5555;
  header[16] = static_cast<std::uint8_t>(checksum >> 8);
  header[17] = static_cast<std::uint8_t>(checksum);
  if (!segment.ip_options.empty()) InsertIpOptions(bytes, segment.ip_options);
  return bytes;
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
