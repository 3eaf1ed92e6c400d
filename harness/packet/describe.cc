#include "harness/packet/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "harness/packet/groups.h"
#include "harness/packet/header_sizes.h"
#include "harness/packet/neighbour_discovery.h"

namespace sockproof::packet {
namespace {

constexpr std::size_t kShownInLists = 4;  // groups, sources

struct Named {
  std::uint8_t number;
  std::string_view name;
};

template <std::size_t kCount>
std::optional<std::string_view> NameOf(const Named (&names)[kCount], std::uint8_t number) {
  for (const Named& named : names) {
    if (named.number == number) return named.name;
  }
  return std::nullopt;
}

// RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1.
constexpr Named kUnreachableCodes[] = {
    {0, "net unreachable"},
    {1, "host unreachable"},
    {2, "protocol unreachable"},
    {3, "port unreachable"},
    {4, "fragmentation needed"},
    {5, "source route failed"},
    {6, "net unknown"},
    {7, "host unknown"},
    {8, "source host isolated"},
    {9, "net prohibited"},
    {10, "host prohibited"},
    {11, "net unreachable for this service"},
    {12, "host unreachable for this service"},
    {13, "communication prohibited"},
    {14, "host precedence violation"},
    {15, "precedence cutoff"},
};
constexpr Named kIcmpTypes[] = {
    {icmp_type::kEchoReply, "echo reply"},
    {icmp_type::kUnreachable, "destination unreachable"},
    {icmp_type::kSourceQuench, "source quench"},
    {icmp_type::kRedirect, "redirect"},
    {icmp_type::kEchoRequest, "echo request"},
    {icmp_type::kTimeExceeded, "time exceeded"},
    {icmp_type::kParameterProblem, "parameter problem"},
    {icmp_type::kTimestamp, "timestamp request"},
    {icmp_type::kTimestampReply, "timestamp reply"},
};
// RFC 4443 section 3.1.
constexpr Named kIcmpv6UnreachableCodes[] = {
    {0, "no route"},
    {1, "communication prohibited"},
    {2, "beyond scope of source"},
    {3, "address unreachable"},
    {4, "port unreachable"},
    {5, "source address failed policy"},
    {6, "route rejected"},
};
constexpr Named kIcmpv6Types[] = {
    {icmpv6_type::kUnreachable, "destination unreachable"},
    {icmpv6_type::kTooBig, "packet too big"},
    {icmpv6_type::kTimeExceeded, "time exceeded"},
    {icmpv6_type::kParameterProblem, "parameter problem"},
    {icmpv6_type::kEchoRequest, "echo request"},
    {icmpv6_type::kEchoReply, "echo reply"},
};
constexpr Named kRecordTypes[] = {
    {1, "is_in"}, {2, "is_ex"}, {3, "to_in"}, {4, "to_ex"}, {5, "allow"}, {6, "block"},
};
constexpr Named kIpv4Options[] = {
    {ipv4_option::kRecordRoute, "RR"},    {ipv4_option::kTimestamp, "TS"},
    {ipv4_option::kSecurity, "security"}, {ipv4_option::kLooseSourceRoute, "LSRR"},
    {ipv4_option::kCipso, "CIPSO"},       {ipv4_option::kStrictSourceRoute, "SSRR"},
    {ipv4_option::kRouterAlert, "RA"},
};
constexpr Named kProtocols[] = {
    {ip_protocol::kIcmp, "ICMP"},
    {ip_protocol::kIgmp, "IGMP"},
    {ip_protocol::kTcp, "TCP"},
    {ip_protocol::kUdp, "UDP"},
    {ip_protocol::kIcmpv6, "ICMPv6"},
    {ip_protocol::kHopByHop, "hop-by-hop options"},
    {ip_protocol::kRouting, "routing header"},
    {ip_protocol::kFragment, "fragment header"},
    {ip_protocol::kDestinationOptions, "destination options"},
};

std::string Limited(std::vector<std::string> parts, std::string_view separator) {
  const bool is_long = parts.size() > kShownInLists;
  if (is_long) parts.resize(kShownInLists);
  return fmt::format("{}{}", fmt::join(parts, separator), is_long ? "..." : "");
}

std::string SourcesText(const std::vector<IpAddress>& sources) {
  std::vector<std::string> texts;
  for (const IpAddress& source : sources) texts.push_back(source.ToString());
  return "{" + Limited(std::move(texts), " ") + "}";
}

std::string LengthText(View payload) {
  std::string text = fmt::format(" len={}", payload.size());
  return payload.empty() ? text : text + " " + Quoted(payload);
}

// "TCP 40000>80", also of the eight octets that an ICMP error may be content with.
std::string FlowText(const Packet& packet) {
  if (const auto* tcp = packet.Find<Tcp>()) {
    return fmt::format("TCP {}>{}", tcp->source_port, tcp->destination_port);
  }
  if (const auto* udp = packet.Find<Udp>()) {
    return fmt::format("UDP {}>{}", udp->source_port, udp->destination_port);
  }
  if (const auto* icmp = packet.Find<Icmp>()) {
    return icmp->version == IpVersion::kIpv4 ? "ICMP" : "ICMPv6";
  }
  std::optional<std::uint8_t> protocol;
  bool is_first = true;
  if (const auto* ip = packet.Find<Ipv4>()) {
    protocol = ip->protocol;
    is_first = ip->fragment_offset == 0;
  } else if (packet.Find<Ipv6>() != nullptr) {
    protocol = packet.Find<Ipv6>()->next_header;
    if (const auto* header = packet.Find<Ipv6Fragment>()) {
      protocol = header->next_header;
      is_first = header->offset == 0;
    }
  }
  if (!protocol) return "no IP packet";
  const std::string name(NameOf(kProtocols, *protocol).value_or(""));
  if (name.empty()) return fmt::format("IP protocol {}", *protocol);
  const bool has_ports = *protocol == ip_protocol::kTcp || *protocol == ip_protocol::kUdp;
  if (!has_ports || !is_first || packet.payload.size() < 4) return name;
  return fmt::format("{} {}>{}", name, Read16(packet.payload, 0), Read16(packet.payload, 2));
}

std::string AboutText(const Packet& error) {
  return error.payload.empty() ? "" : " about " + FlowText(ReadIp(error.payload));
}

std::string EchoText(const Packet& packet, const Icmp& icmp) {
  return fmt::format(" id={} seq={} len={}", icmp.rest >> 16, icmp.rest & 0xffff,
                     packet.payload.size());
}

Description DescribeIcmpv4(const Packet& packet, const Icmp& icmp) {
  const auto type = NameOf(kIcmpTypes, icmp.type);
  if (!type) return {fmt::format("ICMP type {}, code {}", icmp.type, icmp.code), ""};
  const std::string kind = fmt::format("ICMP {}", *type);
  switch (icmp.type) {
    case icmp_type::kUnreachable: {
      const auto code = NameOf(kUnreachableCodes, icmp.code);
      const std::string mtu = icmp.code == 4 ? fmt::format(", mtu {}", icmp.rest & 0xffff) : "";
      if (!code) return {fmt::format("{}, code {}", kind, icmp.code), AboutText(packet)};
      return {fmt::format("ICMP {}{}", *code, mtu), AboutText(packet)};
    }
    case icmp_type::kTimeExceeded:
    case icmp_type::kRedirect:
      return {fmt::format("{}, code {}", kind, icmp.code), AboutText(packet)};
    case icmp_type::kParameterProblem:
      return {fmt::format("{} at octet {}", kind, icmp.rest >> 24), AboutText(packet)};
    case icmp_type::kSourceQuench:
      return {kind, AboutText(packet)};
    default:
      return {kind, EchoText(packet, icmp)};
  }
}

std::string RecordText(const GroupRecord& record) {
  const auto type = static_cast<std::uint8_t>(record.type);
  const auto name = NameOf(kRecordTypes, type);
  return fmt::format("{} {} {}", record.group.ToString(),
                     name ? std::string(*name) : fmt::format("type {}", type),
                     SourcesText(record.sources));
}

// Of IGMP or MLD, whatever the version of the message.
Description DescribeGroups(const Packet& packet, const std::string& protocol, int old_version,
                           bool is_leave) {
  if (const auto records = ReadGroupReport(packet)) {
    std::vector<std::string> texts;
    for (const GroupRecord& record : *records) texts.push_back(RecordText(record));
    const std::string kind = fmt::format("{}v{} report", protocol, protocol == "MLD" ? 2 : 3);
    return {texts.empty() ? kind : kind + " " + Limited(std::move(texts), ", "), ""};
  }
  if (const auto query = ReadGroupQuery(packet)) {
    const bool is_general = query->group == IpAddress("0.0.0.0") || query->group == IpAddress("::");
    const std::string sources = query->sources.empty() ? "" : " " + SourcesText(query->sources);
    return {fmt::format("{} query{}{}", protocol, is_general ? "" : " " + query->group.ToString(),
                        sources),
            ""};
  }
  if (const auto group = ReadSingleGroup(packet)) {
    if (is_leave) return {fmt::format("{} leave {}", protocol, group->ToString()), ""};
    return {fmt::format("{}v{} report {}", protocol, old_version, group->ToString()), ""};
  }
  return {protocol + ", cut short", ""};
}

Description DescribeIcmpv6(const Packet& packet, const Icmp& icmp) {
  const auto neighbour = ReadNeighbourMessage(packet);
  switch (icmp.type) {
    case icmpv6_type::kUnreachable:
      if (const auto code = NameOf(kIcmpv6UnreachableCodes, icmp.code)) {
        return {fmt::format("ICMPv6 {}", *code), AboutText(packet)};
      }
      return {fmt::format("ICMPv6 destination unreachable, code {}", icmp.code), AboutText(packet)};
    case icmpv6_type::kTooBig:
      return {fmt::format("ICMPv6 packet too big, mtu {}", icmp.rest), AboutText(packet)};
    case icmpv6_type::kTimeExceeded:
      return {fmt::format("ICMPv6 time exceeded, code {}", icmp.code), AboutText(packet)};
    case icmpv6_type::kParameterProblem:
      return {fmt::format("ICMPv6 parameter problem, code {}, at octet {}", icmp.code, icmp.rest),
              AboutText(packet)};
    case icmpv6_type::kEchoRequest:
    case icmpv6_type::kEchoReply:
      return {fmt::format("ICMPv6 {}", *NameOf(kIcmpv6Types, icmp.type)), EchoText(packet, icmp)};
    case icmpv6_type::kGroupQuery:
    case icmpv6_type::kGroupReport:
    case icmpv6_type::kGroupReportV2:
      return DescribeGroups(packet, "MLD", 1, false);
    case icmpv6_type::kGroupDone:
      return DescribeGroups(packet, "MLD", 1, true);
    case icmpv6_type::kRouterSolicitation:
      return {"ND router solicitation", ""};
    case icmpv6_type::kRouterAdvertisement:
      return {"ND router advertisement", ""};
    case icmpv6_type::kNeighbourSolicitation:
      if (neighbour) return {"ND who-has " + neighbour->target.ToString(), ""};
      break;
    case icmpv6_type::kNeighbourAdvertisement:
      if (neighbour) return {"ND " + neighbour->target.ToString() + " is here", ""};
      break;
    case icmpv6_type::kRedirect:
      if (neighbour) return {"ND redirect to " + neighbour->target.ToString(), ""};
      break;
    default:
      break;
  }
  return {fmt::format("ICMPv6 type {}, code {}", icmp.type, icmp.code), ""};
}

// What is behind an IP header, where it could not be read as more than octets.
Description DescribeUnread(std::uint8_t protocol, const Packet& packet) {
  const std::size_t size = packet.payload.size();
  if (protocol == ip_protocol::kTcp) {
    return {fmt::format("TCP, {} bytes: too few for a header", size), ""};
  }
  if (const auto name = NameOf(kProtocols, protocol)) {
    return {fmt::format("{}, cut short", *name), ""};
  }
  return {fmt::format("IP protocol {}, {} bytes", protocol, size), ""};
}

Description DescribeFragment(std::string_view ip, std::uint32_t id, std::size_t offset, bool more,
                             const Packet& packet) {
  return {fmt::format("{} fragment", ip),
          fmt::format(" {}:{}@{}{} {}", id, packet.payload.size(), 8 * offset, more ? "+" : "",
                      FlowText(packet)),
          fmt::format(" {}@{}{}", packet.payload.size(), 8 * offset, more ? "+" : "")};
}

// By the innermost layer that could be read.
class Describer {
 public:
  explicit Describer(const Packet& packet) : packet_(packet) {}

  Description operator()(const Ethernet& ethernet) const {
    const std::size_t size = packet_.payload.size();
    switch (ethernet.type.value_or(0)) {
      case ether_type::kIpv4:
        return {fmt::format("IPv4, {} bytes: too few for a header", size), ""};
      case ether_type::kIpv6:
        return {fmt::format("IPv6, {} bytes: too few for a header", size), ""};
      case ether_type::kArp:
        return {"ARP, cut short", ""};
      default:
        return {fmt::format("Ethernet type {:#06x}, {} bytes", ethernet.type.value_or(0), size),
                ""};
    }
  }
  Description operator()(const Arp& arp) const {
    if (arp.operation == Arp::kRequest) return {"ARP who-has " + arp.target.ToString(), ""};
    return {"ARP " + arp.sender.ToString() + " is-at " + ToString(arp.sender_mac), ""};
  }
  Description operator()(const Ipv4& ip) const {
    const std::size_t header = HeaderSize(ip);
    if (ip.header_words && std::size_t{4} * *ip.header_words != header) {
      return {fmt::format("IPv4, malformed header, {} bytes", header + packet_.payload.size()), ""};
    }
    if (ip.total_length && *ip.total_length < header) {
      return {fmt::format("IPv4, total length {}", *ip.total_length), ""};
    }
    if (ip.is_fragment()) {
      return DescribeFragment("IPv4", ip.identification, ip.fragment_offset, ip.more_fragments,
                              packet_);
    }
    return DescribeUnread(ip.protocol.value_or(ip_protocol::kNone), packet_);
  }
  Description operator()(const Ipv6& ip) const {
    return DescribeUnread(ip.next_header.value_or(ip_protocol::kNone), packet_);
  }
  Description operator()(const Ipv6Options& header) const {
    return DescribeUnread(header.next_header.value_or(ip_protocol::kNone), packet_);
  }
  Description operator()(const Ipv6Routing& header) const {
    return DescribeUnread(header.next_header.value_or(ip_protocol::kNone), packet_);
  }
  Description operator()(const Ipv6Fragment& header) const {
    if (!header.is_fragment()) {
      return DescribeUnread(header.next_header.value_or(ip_protocol::kNone), packet_);
    }
    return DescribeFragment("IPv6", header.identification, header.offset, header.more_fragments,
                            packet_);
  }
  Description operator()(const Tcp& tcp) const {
    std::string options;
    for (const TcpOption& option : tcp.options) {
      options += (options.empty() ? "" : ",") +
                 TcpOptionText(option, [](std::uint32_t number) { return std::to_string(number); });
    }
    if (const std::string rest = OptionRestText(tcp.option_rest.value_or(Bytes())); !rest.empty()) {
      options += (options.empty() ? "" : ",") + rest;
    }
    std::string details = fmt::format(" {}>{} seq={} ack={} win={}", tcp.source_port,
                                      tcp.destination_port, tcp.seq, tcp.ack, tcp.window);
    if (!options.empty()) details += " <" + options + ">";
    return {"TCP " + TcpFlagsName(tcp.all_flags()), details + LengthText(packet_.payload)};
  }
  Description operator()(const Udp& udp) const {
    return {"UDP",
            fmt::format(" {}>{}{}{}", udp.source_port, GroupText(), udp.destination_port,
                        LengthText(packet_.payload)),
            fmt::format(" len={}", packet_.payload.size())};
  }
  Description operator()(const Icmp& icmp) const {
    return icmp.version == IpVersion::kIpv4 ? DescribeIcmpv4(packet_, icmp)
                                            : DescribeIcmpv6(packet_, icmp);
  }
  Description operator()(const Igmp& igmp) const {
    if (igmp.type != Igmp::kQuery && igmp.type != Igmp::kReportV3 && !ReadSingleGroup(packet_)) {
      return {fmt::format("IGMP type {:#04x}", igmp.type), ""};
    }
    return DescribeGroups(packet_, "IGMP", igmp.type == Igmp::kReportV1 ? 1 : 2,
                          igmp.type == Igmp::kLeave);
  }

 private:
  // "224.0.0.251:" when it is for more than one.
  std::string GroupText() const {
    const auto* ipv4 = packet_.Find<Ipv4>();
    const auto* ipv6 = packet_.Find<Ipv6>();
    if (ipv4 != nullptr && ipv4->destination >= IpAddress("224.0.0.0")) {
      return ipv4->destination.ToString() + ":";
    }
    if (ipv6 != nullptr && ipv6->destination.bytes()[0] == 0xff) {
      return "[" + ipv6->destination.ToString() + "]:";
    }
    return "";
  }

  const Packet& packet_;
};

// "HBH DSTOPT " of the headers that a reader would miss: routers want MLD to have one.
std::string HeadersText(const Packet& packet) {
  std::vector<std::string> names;
  const auto* icmp = packet.Find<Icmp>();
  const bool is_mld =
      icmp != nullptr &&
      (icmp->type == icmpv6_type::kGroupReportV2 ||
       (icmp->type >= icmpv6_type::kGroupQuery && icmp->type <= icmpv6_type::kGroupDone));
  for (const Layer& layer : packet.layers) {
    if (const auto* ip = std::get_if<Ipv4>(&layer);
        ip != nullptr && packet.Find<Igmp>() == nullptr) {
      for (const HeaderOption& option : ip->options) {
        if (const auto name = NameOf(kIpv4Options, option.kind)) {
          names.emplace_back(*name);
        } else if (option.kind != ipv4_option::kNop) {
          names.push_back(fmt::format("option {}", option.kind));
        }
      }
    } else if (const auto* options = std::get_if<Ipv6Options>(&layer)) {
      const bool is_hop_by_hop = options->header == ip_protocol::kHopByHop;
      if (!is_hop_by_hop || !is_mld) names.emplace_back(is_hop_by_hop ? "HBH" : "DSTOPT");
    } else if (std::holds_alternative<Ipv6Routing>(layer)) {
      names.emplace_back("RT");
    }
  }
  return names.empty() ? "" : Limited(std::move(names), " ") + " ";
}

std::string HexText(const Bytes& bytes) {
  constexpr std::size_t kShown = 8;
  const View view = View(bytes).first(std::min(kShown, bytes.size()));
  return fmt::format("{:02x}{}", fmt::join(view, ""), bytes.size() > kShown ? "..." : "");
}

std::uint64_t Read64(const Bytes& bytes, std::size_t at) {
  return std::uint64_t{Read32(bytes, at)} << 32 | Read32(bytes, at + 4);
}

// RFC 8684 section 7.2: the subtypes by their names; of those that open and carry data, what they
// say.
std::string MptcpText(const Bytes& data) {
  constexpr std::array kSubtypes = {"capable", "join", "dss",       "add-addr", "remove-addr",
                                    "prio",    "fail", "fastclose", "tcprst"};
  const std::size_t subtype = data[0] >> 4;
  if (subtype >= kSubtypes.size()) return fmt::format("subtype {} {}", subtype, HexText(data));
  std::string text = kSubtypes[subtype];
  std::size_t at = 2;
  const auto take = [&](const char* name, std::size_t size) {
    if (at + size > data.size()) return;
    const std::uint64_t value = size == 8   ? Read64(data, at)
                                : size == 4 ? Read32(data, at)
                                            : Read16(data, at);
    text += fmt::format(" {} {}", name, value);
    at += size;
  };
  if (text == "capable") {
    text += fmt::format(" v{} flags {:02x}", data[0] & 0xf, data[1]);
    for (const char* name : {"key", "and"}) {
      if (at + 8 > data.size()) break;
      text += fmt::format(" {} {:016x}", name, Read64(data, at));
      at += 8;
    }
    take("len", 2);
    take("csum", 2);
  } else if (text == "dss") {
    const std::uint8_t flags = data[1];  // 1 and 2: of the Data ACK; 4 and 8: of the mapping
    if ((flags & 0x10) != 0) text += " fin";
    if ((flags & 1) != 0) take("ack", (flags & 2) != 0 ? 8 : 4);
    if ((flags & 4) != 0) {
      take("seq", (flags & 8) != 0 ? 8 : 4);
      take("subseq", 4);
      take("len", 2);
      take("csum", 2);
    }
  } else {
    text += " " + HexText(data);
  }
  return text;
}

}  // namespace

Description Describe(const Packet& packet) {
  if (packet.layers.empty()) {
    return {fmt::format("{} bytes: too few for a frame", packet.payload.size()), ""};
  }
  Description description = std::visit(Describer(packet), packet.layers.back());
  description.start = HeadersText(packet) + description.start;
  return description;
}

std::string TcpOptionText(const TcpOption& option,
                          const std::function<std::string(std::uint32_t)>& number) {
  using namespace tcp_option;  // NOLINT
  const std::size_t size = option.data.size();
  const Bytes& data = option.data;
  switch (option.kind) {
    case kEnd:
      return "eol";
    case kNop:
      return "nop";
    case kMss:
      if (size == 2) return fmt::format("mss {}", Read16(data, 0));
      break;
    case kWindowScale:
      if (size == 1) return fmt::format("wscale {}", data[0]);
      break;
    case kSackPermitted:
      if (size == 0) return "sackOK";
      break;
    case kSack: {
      std::vector<std::string> blocks;
      for (const auto& [left, right] : SackBlocksOf(option)) {
        blocks.push_back("sack " + number(left) + ":" + number(right));
      }
      if (!blocks.empty()) return fmt::format("{}", fmt::join(blocks, ","));
      break;
    }
    case kTimestamps:
      if (size == 8) return fmt::format("TS val {} ecr {}", Read32(data, 0), Read32(data, 4));
      break;
    case kMd5:
      if (size == 16) return "md5 " + HexText(data);
      break;
    case kUserTimeout:
      if (size == 2) {
        const std::uint16_t value = Read16(data, 0);
        return fmt::format("uto {} {}", value & 0x7fff, (value & 0x8000) != 0 ? "min" : "s");
      }
      break;
    case kAo:
      if (size >= 2) {
        return fmt::format("tcp-ao key {} next {} {}", data[0], data[1],
                           HexText(Bytes(data.begin() + 2, data.end())));
      }
      break;
    case kMptcp:
      if (size >= 2) return "mptcp " + MptcpText(data);
      break;
    case kFastOpen:
      return size == 0 ? "tfo cookie request" : "tfo cookie " + HexText(data);
    case kAccurateEcn0:
    case kAccurateEcn1:
      if (size % 3 == 0) {
        return fmt::format("accecn{} {}", option.kind == kAccurateEcn0 ? 0 : 1, HexText(data));
      }
      break;
    default:
      break;
  }
  return fmt::format("kind {} len {}", option.kind, size + 2);
}

std::string OptionRestText(const Bytes& rest) {
  if (rest.empty()) return "";
  if (rest.front() == tcp_option::kEnd) return "eol";
  return fmt::format("malformed {:02x}", fmt::join(rest, " "));
}

std::string Quoted(View octets, std::size_t shown) {
  std::string text = "\"";
  for (const std::uint8_t octet : octets.first(std::min(octets.size(), shown))) {
    if (octet == '\n') {
      text += "\\n";
    } else if (octet == '\r') {
      text += "\\r";
    } else if (octet == '"' || octet == '\\') {
      text += {'\\', static_cast<char>(octet)};
    } else if (octet < 0x20 || octet > 0x7e) {
      text += fmt::format("\\x{:02x}", octet);
    } else {
      text += static_cast<char>(octet);
    }
  }
  return text + (octets.size() > shown ? "\"..." : "\"");
}

}  // namespace sockproof::packet
