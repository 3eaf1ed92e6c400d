#include "src/packetdrill/flow.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "harness/base/errors.h"
#include "harness/packet/describe.h"

namespace sockproof::packetdrill {
namespace {

using packet::Icmp;
using packet::Ipv4;
using packet::Ipv6;
using packet::Packet;
using packet::Tcp;
using packet::Udp;

constexpr std::uint8_t kHopLimit = 255;
constexpr std::uint8_t kEcnBits = 3;
constexpr std::uint16_t kAccurateEcnFlags = kAccurateEcn | kCwr | kEce;
constexpr std::uint8_t kEct1 = 1, kEct0 = 2, kCe = 3;

std::uint8_t EcnCodepoint(EcnCheck check) {
  switch (check) {
    case EcnCheck::kEct0:
      return kEct0;
    case EcnCheck::kEct1:
      return kEct1;
    case EcnCheck::kCe:
      return kCe;
    default:
      return 0;
  }
}

packet::Layer IpLayer(const Endpoint& from, const Endpoint& to, const IpInfo& info) {
  const std::uint8_t traffic_class =
      info.traffic_class.value_or(info.ecn ? EcnCodepoint(*info.ecn) : std::uint8_t{0});
  if (from.address.version() == IpVersion::kIpv4) {
    Ipv4 ip{.source = from.address, .destination = to.address};
    ip.traffic_class = traffic_class;
    ip.hop_limit = info.hop_limit.value_or(kHopLimit);
    return ip;
  }
  Ipv6 ip{.source = from.address, .destination = to.address};
  ip.traffic_class = traffic_class;
  ip.hop_limit = info.hop_limit.value_or(kHopLimit);
  ip.flow_label = info.flow_label.value_or(0);
  return ip;
}

std::uint16_t FlagsOf(const TcpPart& part) {
  if (!part.ace) return part.flags;
  return static_cast<std::uint16_t>((part.flags & ~kAccurateEcnFlags) | (*part.ace << 6));
}

// --- Options -------------------------------------------------------------------------------------

TcpOption Shifted(const TcpOption& option, std::uint32_t offset) {
  if (option.kind != tcp_option::kSack) return option;
  std::vector<tcp_option::SackBlock> blocks = tcp_option::SackBlocksOf(option);
  for (auto& [left, right] : blocks) {
    left += offset;
    right += offset;
  }
  return tcp_option::Sack(blocks);
}

// Of a packet that is injected: SACK and TSecr are about what was sent.
TcpOption Live(const TcpOption& option, Position where, const Flow& flow, const PacketRules& rules,
               bool syn, bool has_ack) {
  const auto stamps = tcp_option::TimestampsOf(option);
  if (!stamps) return Shifted(option, flow.LocalOffset(syn));
  const auto [value, echo] = *stamps;
  if (!has_ack) return option;
  if (const auto known = flow.timestamps.find(echo); known != flow.timestamps.end()) {
    return tcp_option::Timestamps(value, known->second);
  }
  if (rules.any_timestamp_echo && flow.first_timestamp) {
    const auto& [script, live] = *flow.first_timestamp;
    return tcp_option::Timestamps(value, echo - script + live);
  }
  throw SyntaxError(where, fmt::format("ecr {}: no packet with that TS val was expected before",
                                       echo));
}

// --- ICMP ----------------------------------------------------------------------------------------

struct IcmpName {
  const char* name;
  std::uint8_t number;
};

constexpr IcmpName kTypes4[] = {
    {"echo_reply", 0},      {"unreachable", 3},  {"source_quench", 4},     {"redirect", 5},
    {"echo_request", 8},    {"time_exceeded", 11}, {"parameter_problem", 12},
    {"timestamp_request", 13}, {"timestamp_reply", 14}, {"information_request", 15},
    {"information_reply", 16}, {"address_mask_request", 17}, {"address_mask_reply", 18},
};
constexpr IcmpName kCodes4[] = {
    {"net_unreachable", 0},       {"host_unreachable", 1},      {"protocol_unreachable", 2},
    {"port_unreachable", 3},      {"frag_needed", 4},           {"source_route_failed", 5},
    {"net_unknown", 6},           {"host_unknown", 7},          {"source_host_isolated", 8},
    {"net_prohibited", 9},        {"host_prohibited", 10},      {"net_unreachable_for_tos", 11},
    {"host_unreachable_for_tos", 12}, {"packet_filtered", 13},  {"precedence_violation", 14},
    {"precedence_cutoff", 15},    {"ttl_exceeded_in_transit", 0}, {"frag_reass_exceeded", 1},
};
constexpr IcmpName kTypes6[] = {
    {"unreachable", 1},   {"packet_too_big", 2}, {"time_exceeded", 3},
    {"parameter_problem", 4}, {"echo_request", 128}, {"echo_reply", 129}, {"router_advertisement", 134},
};
constexpr IcmpName kCodes6[] = {
    {"no_route", 0},          {"net_unreachable", 0},  {"admin_prohibited", 1},
    {"not_neighbour", 2},     {"address_unreachable", 3}, {"addr_unreachable", 3},
    {"host_unreachable", 3},  {"port_unreachable", 4},    {"exceeded_hop_limit", 0},
    {"exceeded_frag_time", 1}, {"header_field", 0},      {"unknown_next_header", 1}, {"unknown_option", 2},
};

// Of a `what`: "type", "code". A number is a name of itself, and code_5 of 5.
std::optional<std::uint8_t> IcmpNumberIn(std::span<const IcmpName> names, const std::string& name, const char* what) {
  for (const IcmpName& entry : names) {
    if (name == entry.name) return entry.number;
  }
  const std::string begin = std::string(what) + "_";
  const char* const digits = name.c_str() + (name.starts_with(begin) ? begin.size() : 0);
  char* end = nullptr;
  const long number = std::strtol(digits, &end, 10);
  if (*digits == '\0' || *end != '\0' || number < 0 || number > 255) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

std::uint8_t IcmpNumber(std::span<const IcmpName> names, const std::string& name, const char* what,
                        Position where) {
  if (const auto number = IcmpNumberIn(names, name, what)) return *number;
  throw Skip(fmt::format("line {}: the {} of ICMP {} is not supported", where.line, what, name));
}

Icmp IcmpLayer(const IcmpPart& part, IpVersion version, Position where) {
  const bool v4 = version == IpVersion::kIpv4;
  Icmp icmp;
  icmp.version = version;
  icmp.type = IcmpNumber(v4 ? std::span<const IcmpName>(kTypes4) : std::span<const IcmpName>(kTypes6),
                         part.type, "type", where);
  if (!part.code.empty()) {
    icmp.code = IcmpNumber(
        v4 ? std::span<const IcmpName>(kCodes4) : std::span<const IcmpName>(kCodes6), part.code,
        "code", where);
  }
  if (part.mtu) icmp.rest = *part.mtu;
  if (part.id) icmp.rest = std::uint32_t{*part.id} << 16;
  return icmp;
}

// The beginning of the packet that an ICMP message is about: one that the flow has sent.
Bytes Quoted(const Echoed& about, const Flow& flow, IpVersion version) {
  Packet quoted;
  quoted.layers.push_back(IpLayer(flow.local, flow.remote, {}));
  if (about.kind == Echoed::Kind::kUdp || flow.protocol == IPPROTO_UDP) {
    Udp udp{.source_port = flow.local.port, .destination_port = flow.remote.port};
    udp.length = static_cast<std::uint16_t>(about.length + 8);
    quoted.layers.emplace_back(udp);
  } else {
    Tcp tcp{.source_port = flow.local.port, .destination_port = flow.remote.port};
    tcp.seq = about.seq + flow.LocalOffset(false);
    quoted.layers.emplace_back(tcp);
  }
  quoted.payload.resize(about.length);
  Bytes octets = packet::Write(quoted);
  constexpr std::size_t kOfTransport = 8;
  const std::size_t header = version == IpVersion::kIpv4 ? 20 : 40;
  octets.resize(std::min(octets.size(), header + kOfTransport));
  return octets;
}

// --- Judging -------------------------------------------------------------------------------------

// Collects what is different.
class Differences {
 public:
  template <typename Expected, typename Observed>
  void Add(const char* what, const Expected& expected, const Observed& observed) {
    if (expected == observed) return;
    Say(fmt::format("{} is {} in place of {}", what, observed, expected));
  }
  void Say(const std::string& text) { text_ += (text_.empty() ? "" : "; ") + text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void JudgeIp(const IpInfo& info, const Packet& seen, Flow& flow, Differences& differences) {
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 0;
  std::optional<std::uint32_t> flow_label;
  if (const auto* ip = seen.Find<Ipv4>()) {
    traffic_class = ip->traffic_class;
    hop_limit = ip->hop_limit;
  } else if (const auto* ipv6 = seen.Find<Ipv6>()) {
    traffic_class = ipv6->traffic_class;
    hop_limit = ipv6->hop_limit;
    flow_label = ipv6->flow_label;
  }
  const std::uint8_t ecn = traffic_class & kEcnBits;
  if (info.ecn == EcnCheck::kAnyEct) {
    if (ecn != kEct0 && ecn != kEct1) {
      differences.Say(fmt::format("ECN is {} in place of ect0 or ect1", ecn));
    }
  } else if (info.ecn) {
    differences.Add("ECN", EcnCodepoint(*info.ecn), ecn);
  }
  if (info.traffic_class) differences.Add("tos", *info.traffic_class, traffic_class);
  if (info.hop_limit) differences.Add("ttl", *info.hop_limit, hop_limit);
  if (info.flow_label && flow_label) {
    // A label of the script stands for one of the wire, always the same.
    const auto [known, is_new] = flow.flow_labels.emplace(*info.flow_label, *flow_label);
    if (!is_new) differences.Add("the flow label", known->second, *flow_label);
  }
}

std::string OptionsText(const std::vector<TcpOption>& options, const Flow* flow, bool outbound);

void JudgeOptions(const std::vector<TcpOption>& expected, std::vector<TcpOption> seen, Flow& flow,
                  const PacketRules& rules, Duration tolerance, Differences& differences) {
  bool alike = expected.size() == seen.size();
  for (std::size_t i = 0; alike && i < expected.size(); ++i) {
    const auto wanted = tcp_option::TimestampsOf(expected[i]);
    const auto observed = tcp_option::TimestampsOf(seen[i]);
    if (!wanted || !observed) {
      alike = expected[i] == seen[i];
      continue;
    }
    flow.timestamps[wanted->first] = observed->first;
    if (!flow.first_timestamp) flow.first_timestamp = {wanted->first, observed->first};
    if (rules.timestamp_tick == Duration(0)) continue;
    const std::uint32_t in_script =
        flow.first_timestamp->first + (observed->first - flow.first_timestamp->second);
    const Duration off =
        std::abs(std::int64_t{static_cast<std::int32_t>(in_script - wanted->first)}) *
        rules.timestamp_tick;
    if (off > tolerance) {
      differences.Say(fmt::format("TS val is {} in place of {}", in_script, wanted->first));
    }
  }
  if (!alike) {
    differences.Say(fmt::format("options are <{}> in place of <{}>", OptionsText(seen, &flow, true),
                                OptionsText(expected, &flow, true)));
  }
}

void JudgeTcp(const TcpPart& part, const Packet& seen, Flow& flow, const PacketRules& rules,
              Duration tolerance, Differences& differences) {
  const auto* tcp = seen.Find<Tcp>();
  if (tcp == nullptr) {
    differences.Say("it is no TCP segment");
    return;
  }
  const bool syn = (tcp->flags & kSyn) != 0;
  const std::uint16_t wanted = FlagsOf(part);
  const auto observed = static_cast<std::uint16_t>(tcp->all_flags());
  differences.Add("the flags", TcpFlagsName(wanted), TcpFlagsName(observed));
  differences.Add("seq", part.seq, tcp->seq - flow.LocalOffset(syn));
  differences.Add("the length", part.length, seen.payload.size());
  if ((tcp->flags & kAck) != 0 || part.ack) {
    differences.Add("ack", part.ack.value_or(0),
                    (tcp->flags & kAck) != 0 ? tcp->ack - flow.RemoteOffset(syn) : tcp->ack);
  }
  if (part.window) differences.Add("win", *part.window, tcp->window);
  differences.Add("urg", part.urgent_pointer, tcp->urgent_pointer);
  if (part.options) {
    std::vector<TcpOption> options = tcp->options;
    for (TcpOption& option : options) option = Shifted(option, 0 - flow.RemoteOffset(syn));
    // Behind an end of the list nothing counts.
    if (tcp->option_rest && !tcp->option_rest->empty() &&
        (*tcp->option_rest)[0] == tcp_option::kEnd && !part.options->empty() &&
        part.options->back().kind == tcp_option::kEnd) {
      for (std::size_t i = options.size(); i < part.options->size(); ++i) {
        options.push_back({tcp_option::kEnd, {}});
      }
    }
    JudgeOptions(*part.options, std::move(options), flow, rules, tolerance, differences);
  }
  if (!rules.zeros_only) return;
  const auto other = std::find_if(seen.payload.begin(), seen.payload.end(),
                                  [](std::uint8_t octet) { return octet != 0; });
  if (other != seen.payload.end()) differences.Say("the data are not zeros");
}

// --- Words ---------------------------------------------------------------------------------------

std::string OptionText(const TcpOption& option, const Flow* flow, bool outbound) {
  if (option.kind == tcp_option::kMptcp && flow != nullptr && flow->initial_data) {
    const auto [local, remote] = *flow->initial_data;
    const auto text = WrittenWithDataNumbers(option.data, outbound ? local : remote, outbound ? remote : local);
    if (text) return *text;
  }
  if (option.kind == tcp_option::kEnd) return "eol";
  if (const auto stamps = tcp_option::TimestampsOf(option)) {
    return fmt::format("TS val {} ecr {}", stamps->first, stamps->second);
  }
  if (option.kind == tcp_option::kSackPermitted) return "sackOK";
  if (option.kind == tcp_option::kSack) {
    std::string text = "sack";
    for (const auto& [left, right] : tcp_option::SackBlocksOf(option)) {
      text += fmt::format(" {}:{}", left, right);
    }
    return text;
  }
  if (option.kind == tcp_option::kFastOpen || option.kind == tcp_option::kMd5) {
    std::string text = option.kind == tcp_option::kMd5 ? "md5" : "FO";
    if (!option.data.empty()) text += " ";
    for (const std::uint8_t octet : option.data) text += fmt::format("{:02x}", octet);
    return text;
  }
  return packet::TcpOptionText(option, [](std::uint32_t number) { return std::to_string(number); });
}

std::string OptionsText(const std::vector<TcpOption>& options, const Flow* flow, bool outbound) {
  std::string text;
  for (const TcpOption& option : options) text += (text.empty() ? "" : ",") + OptionText(option, flow, outbound);
  return text;
}

}  // namespace

bool IsIcmpType(const std::string& name) {
  return IcmpNumberIn(kTypes4, name, "type") || IcmpNumberIn(kTypes6, name, "type");
}
bool IsIcmpCode(const std::string& name) {
  return IcmpNumberIn(kCodes4, name, "code") || IcmpNumberIn(kCodes6, name, "code");
}

bool Flow::Sends(const Packet& packet) const {
  if (packet.Find<Ipv4>() == nullptr && packet.Find<Ipv6>() == nullptr) return false;
  const auto* ip = packet.Find<Ipv4>();
  const auto* ipv6 = packet.Find<Ipv6>();
  const IpAddress& source = ip != nullptr ? ip->source : ipv6->source;
  const IpAddress& destination = ip != nullptr ? ip->destination : ipv6->destination;
  if (destination != remote.address) return false;
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  if (const auto* tcp = packet.Find<Tcp>()) {
    if (protocol != IPPROTO_TCP) return false;
    from = tcp->source_port;
    to = tcp->destination_port;
    const bool first = state == State::kSynSent && (tcp->flags & (kSyn | kAck)) == kSyn;
    if (first && to == remote.port) return true;
  } else if (const auto* udp = packet.Find<Udp>()) {
    if (protocol != IPPROTO_UDP) return false;
    from = udp->source_port;
    to = udp->destination_port;
    if (local.port == 0) return to == remote.port;
  } else {
    return packet.Find<Icmp>() != nullptr && source == local.address;
  }
  return source == local.address && from == local.port && to == remote.port;
}

bool Flow::IsFrom(const Packet& packet) const {
  if (const auto* tcp = packet.Find<Tcp>()) return tcp->source_port == local.port;
  if (const auto* udp = packet.Find<Udp>()) return udp->source_port == local.port;
  return true;
}

Packet MakePacket(const PacketEvent& event, Position where, const Flow& flow,
                  const PacketRules& rules) {
  Packet packet;
  packet.layers.push_back(IpLayer(flow.remote, flow.local, event.ip));
  const std::uint16_t source = event.source_port != 0 ? event.source_port : flow.remote.port;
  const std::uint16_t destination =
      event.destination_port != 0 ? event.destination_port : flow.local.port;
  if (const auto* part = std::get_if<TcpPart>(&event.what)) {
    Tcp tcp{.source_port = source, .destination_port = destination};
    const std::uint16_t flags = FlagsOf(*part);
    tcp.flags = static_cast<TcpFlags>(flags);
    tcp.reserved = static_cast<std::uint8_t>(flags >> 8);
    const bool syn = (flags & kSyn) != 0;
    const bool has_ack = (flags & kAck) != 0;
    tcp.seq = part->seq + flow.RemoteOffset(syn);
    if (has_ack) tcp.ack = part->ack.value_or(0) + flow.LocalOffset(syn);
    tcp.window = part->window.value_or(0);
    tcp.urgent_pointer = part->urgent_pointer;
    if (part->options) {
      for (const TcpOption& option : *part->options) {
        tcp.options.push_back(Live(option, where, flow, rules, syn, has_ack));
      }
    }
    packet.layers.emplace_back(std::move(tcp));
    packet.payload.resize(part->length);
  } else if (const auto* udp = std::get_if<UdpPart>(&event.what)) {
    packet.layers.emplace_back(Udp{.source_port = source, .destination_port = destination});
    packet.payload.resize(udp->length);
  } else {
    const auto& icmp = std::get<IcmpPart>(event.what);
    packet.layers.emplace_back(IcmpLayer(icmp, flow.remote.address.version(), where));
    packet.payload = Quoted(icmp.about, flow, flow.remote.address.version());
  }
  return packet;
}

std::string Judge(const PacketEvent& event, Position where, const Packet& seen, Flow& flow,
                  const PacketRules& rules, Duration tolerance) {
  Differences differences;
  for (const std::string& defect : packet::Defects(seen)) differences.Say(defect);
  JudgeIp(event.ip, seen, flow, differences);
  if (const auto* tcp = std::get_if<TcpPart>(&event.what)) {
    JudgeTcp(*tcp, seen, flow, rules, tolerance, differences);
  } else if (const auto* udp = std::get_if<UdpPart>(&event.what)) {
    if (seen.Find<Udp>() == nullptr) {
      differences.Say("it is no UDP datagram");
    } else {
      differences.Add("the length", udp->length, seen.payload.size());
    }
  } else {
    const auto* icmp = seen.Find<Icmp>();
    const Icmp wanted = IcmpLayer(std::get<IcmpPart>(event.what), flow.remote.address.version(),
                                  where);
    if (icmp == nullptr) {
      differences.Say("it is no ICMP message");
    } else {
      differences.Add("the type", wanted.type, icmp->type);
      differences.Add("the code", wanted.code, icmp->code);
    }
  }
  return differences.text();
}

std::string Written(const Packet& packet, const Flow* flow, bool outbound, bool window) {
  const auto* tcp = packet.Find<Tcp>();
  if (tcp == nullptr) return packet::Describe(packet).text();
  const bool syn = (tcp->flags & kSyn) != 0;
  std::uint32_t seq_offset = 0;
  std::uint32_t ack_offset = 0;
  if (flow != nullptr) {
    seq_offset = outbound ? flow->LocalOffset(syn) : flow->RemoteOffset(syn);
    ack_offset = outbound ? flow->RemoteOffset(syn) : flow->LocalOffset(syn);
  }
  constexpr std::pair<int, char> kLetters[] = {
      {kFin, 'F'}, {kSyn, 'S'}, {kRst, 'R'},         {kPsh, 'P'}, {kUrg, 'U'},
      {kEce, 'E'}, {kCwr, 'W'}, {kAccurateEcn, 'A'}, {kAck, '.'}};
  std::string text;
  for (const auto& [flag, letter] : kLetters) {
    if ((tcp->all_flags() & flag) != 0) text.push_back(letter);
  }
  if (text.empty()) text = "-";
  const std::uint32_t seq = tcp->seq - seq_offset;
  const auto length = static_cast<std::uint32_t>(packet.payload.size());
  text += fmt::format(" {}:{}({})", seq, seq + length, length);
  if ((tcp->flags & kAck) != 0) text += fmt::format(" ack {}", tcp->ack - ack_offset);
  if (window) text += fmt::format(" win {}", tcp->window);
  if (tcp->urgent_pointer != 0) text += fmt::format(" urg {}", tcp->urgent_pointer);
  std::vector<TcpOption> options = tcp->options;
  for (TcpOption& option : options) option = Shifted(option, 0 - ack_offset);
  if (!options.empty()) text += fmt::format(" <{}>", OptionsText(options, flow, outbound));
  return text;
}

std::optional<std::string> Written(const Icmp& icmp) {
  const bool v4 = icmp.version == IpVersion::kIpv4;
  const auto name_in = [](std::span<const IcmpName> names, std::uint8_t number) -> const char* {
    for (const IcmpName& entry : names) {
      if (entry.number == number) return entry.name;
    }
    return nullptr;
  };
  const char* const type =
      v4 ? name_in(kTypes4, icmp.type) : name_in(kTypes6, icmp.type);
  if (type == nullptr) return std::nullopt;
  std::string text = fmt::format("icmp {}", type);
  const bool unreachable =
      icmp.type == (v4 ? packet::icmp_type::kUnreachable : packet::icmpv6_type::kUnreachable);
  if (unreachable) {
    const char* const code = v4 ? name_in(kCodes4, icmp.code) : name_in(kCodes6, icmp.code);
    if (code == nullptr) return std::nullopt;
    text += fmt::format(" {}", code);
  } else if (icmp.code != 0) {
    return std::nullopt;
  }
  constexpr std::uint8_t kFragmentationNeeded = 4;
  const bool tells_mtu = v4 ? unreachable && icmp.code == kFragmentationNeeded
                            : icmp.type == packet::icmpv6_type::kTooBig;
  if (tells_mtu) return text + fmt::format(" mtu {}", icmp.rest);
  if (icmp.rest != 0) return std::nullopt;
  return text;
}

}  // namespace sockproof::packetdrill
