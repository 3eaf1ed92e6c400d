#include "harness/wire/partial_packet.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/packet/describe.h"

namespace sockproof {
namespace {

namespace icmp_type = packet::icmp_type;
namespace icmpv6_type = packet::icmpv6_type;
using packet::GroupRecordType;
using packet::Packet;

constexpr std::size_t kShownText = 32;

// Calls `change` with the header of either version of IP.
template <typename Change>
void ChangeIp(Packet& packet, const Change& change) {
  if (auto* ip = packet.Find<packet::Ipv4>()) change(*ip);
  if (auto* ip = packet.Find<packet::Ipv6>()) change(*ip);
}
template <typename Test>
bool TestIp(const Packet& packet, const Test& test) {
  if (const auto* ip = packet.Find<packet::Ipv4>()) return test(*ip);
  if (const auto* ip = packet.Find<packet::Ipv6>()) return test(*ip);
  return false;
}

// Of a layer that must be there when a packet is sent.
template <typename Layer>
Layer& Must(Packet& packet, const char* what) {
  auto* layer = packet.Find<Layer>();
  if (layer == nullptr) throw HarnessError(fmt::format("no packet of {} to say that of", what));
  return *layer;
}

bool IsNamed(const packet::Icmp& icmp, std::uint8_t v4, std::uint8_t v6) {
  return icmp.type == (icmp.version == IpVersion::kIpv4 ? v4 : v6);
}

bool IsError(const packet::Icmp& icmp) {
  constexpr std::uint8_t kFirstInformational = 128;  // RFC 4443 section 2.1
  if (icmp.version == IpVersion::kIpv6) return icmp.type < kFirstInformational;
  return icmp.type == icmp_type::kUnreachable || icmp.type == icmp_type::kTimeExceeded ||
         icmp.type == icmp_type::kParameterProblem || icmp.type == icmp_type::kSourceQuench ||
         icmp.type == icmp_type::kRedirect;
}

using IcmpTest = std::function<bool(const packet::Icmp&)>;

// An ICMP message that is sent with this type of each version, and known by `test` when expected.
PartialPacket IcmpMessage(std::string name, std::uint8_t v4, std::uint8_t v6, IcmpTest test) {
  return {std::move(name), PacketKind::kIcmp,
          [v4, v6](Packet& packet, IpVersion version) {
            const bool is_ipv4 = version == IpVersion::kIpv4;
            packet.layers.push_back(packet::Icmp{.version = version, .type = is_ipv4 ? v4 : v6});
          },
          [test = std::move(test)](const Packet& packet) {
            const auto* icmp = packet.Find<packet::Icmp>();
            return icmp != nullptr && test(*icmp);
          }};
}

PartialPacket IcmpMessage(std::string name, std::uint8_t v4, std::uint8_t v6) {
  return IcmpMessage(std::move(name), v4, v6,
                     [v4, v6](const packet::Icmp& icmp) { return IsNamed(icmp, v4, v6); });
}

PartialPacket OnlyExpected(std::string name, PacketKind kind, PartialPacket::Test test) {
  const std::string what = name;
  return {std::move(name), kind,
          [what](Packet&, IpVersion) { throw HarnessError(what + " can only be expected"); },
          std::move(test)};
}

// A packet by what tells a flow: the first four octets of a transport are its ports.
struct Flow {
  IpAddress source, destination;
  std::optional<std::uint8_t> protocol;
  Bytes ports;
  std::optional<std::uint32_t> identification;

  // `quoted`: as far as it is there.
  bool IsQuotedBy(const Flow& quoted) const {
    const std::size_t known = std::min(ports.size(), quoted.ports.size());
    return source == quoted.source && destination == quoted.destination &&
           protocol == quoted.protocol &&
           (!identification || identification == quoted.identification) &&
           std::equal(ports.begin(), ports.begin() + static_cast<std::ptrdiff_t>(known),
                      quoted.ports.begin());
  }
};

Flow FlowOf(const Packet& packet) {
  Flow flow;
  const auto take = [&](const auto& ip) {
    flow.source = ip.source;
    flow.destination = ip.destination;
    return true;
  };
  TestIp(packet, take);
  if (const auto* ip = packet.Find<packet::Ipv4>()) {
    flow.protocol = ip->protocol;
    flow.identification = ip->identification;
    if (ip->fragment_offset != 0) return flow;
  } else if (const auto* ip6 = packet.Find<packet::Ipv6>()) {
    flow.protocol = ip6->next_header;
    const auto* header = packet.Find<packet::Ipv6Fragment>();
    if (header != nullptr && header->offset != 0) return flow;
  }
  if (const auto* udp = packet.Find<packet::Udp>()) {
    packet::Append16(flow.ports, udp->source_port);
    packet::Append16(flow.ports, udp->destination_port);
  } else if (const auto* tcp = packet.Find<packet::Tcp>()) {
    packet::Append16(flow.ports, tcp->source_port);
    packet::Append16(flow.ports, tcp->destination_port);
  } else if (packet.Find<packet::Icmp>() == nullptr) {
    flow.ports.assign(
        packet.payload.begin(),
        packet.payload.begin() +
            std::min<std::ptrdiff_t>(4, static_cast<std::ptrdiff_t>(packet.payload.size())));
  }
  return flow;
}

PartialPacket::Test Quotes(const Flow& flow) {
  return [flow](const Packet& error) {
    return flow.IsQuotedBy(FlowOf(packet::ReadIp(error.payload)));
  };
}

bool HasRecord(const Packet& packet, const packet::GroupRecord& wanted) {
  const auto records = packet::ReadGroupReport(packet);
  return records && std::find(records->begin(), records->end(), wanted) != records->end();
}

// A report or a leave message of IGMPv2 or MLDv1.
bool IsOfEarlierVersion(const Packet& packet, const IpAddress& group, bool leaves) {
  if (packet::ReadSingleGroup(packet) != group) return false;
  if (const auto* igmp = packet.Find<packet::Igmp>()) {
    return (igmp->type == packet::Igmp::kLeave) == leaves;
  }
  return (packet.Find<packet::Icmp>()->type == icmpv6_type::kGroupDone) == leaves;
}

PartialPacket MembershipChange(const char* name, GroupRecordType type, const IpAddress& group,
                               bool leaves) {
  return OnlyExpected(fmt::format("{} {}", name, group.ToString()), PacketKind::kGroups,
                      [=](const Packet& packet) {
                        return HasRecord(packet, {type, group, {}, {}}) ||
                               IsOfEarlierVersion(packet, group, leaves);
                      });
}

PartialPacket FromRead(std::string name, PacketKind kind, const Packet& message) {
  return {std::move(name), kind,
          [message](Packet& packet, IpVersion) {
            packet.layers.insert(packet.layers.end(), message.layers.begin(), message.layers.end());
            packet.payload = message.payload;
          },
          [message](const Packet& seen) {
            return seen.payload == message.payload &&
                   std::all_of(message.layers.begin(), message.layers.end(),
                               [&](const packet::Layer& layer) {
                                 return std::any_of(seen.layers.begin(), seen.layers.end(),
                                                    [&](const packet::Layer& other) {
                                                      return other.index() == layer.index();
                                                    });
                               });
          }};
}

std::string TextOf(const Bytes& payload) {
  const bool is_long = payload.size() > kShownText;
  std::string text = packet::Quoted(payload, kShownText);
  return is_long ? fmt::format("{} ({} octets)", text, payload.size()) : text;
}

}  // namespace

PacketKind KindOf(const Packet& packet) {
  if (packet.Find<packet::Udp>() != nullptr) return PacketKind::kUdp;
  if (packet.Find<packet::Igmp>() != nullptr || packet::ReadGroupReport(packet) ||
      packet::ReadGroupQuery(packet) || packet::ReadSingleGroup(packet)) {
    return PacketKind::kGroups;
  }
  const auto* icmp = packet.Find<packet::Icmp>();
  const bool is_discovery = icmp != nullptr && icmp->version == IpVersion::kIpv6 &&
                            (icmp->type == icmpv6_type::kNeighbourSolicitation ||
                             icmp->type == icmpv6_type::kNeighbourAdvertisement);
  if (is_discovery || packet.Find<packet::Arp>() != nullptr) return PacketKind::kNeighbours;
  return icmp != nullptr ? PacketKind::kIcmp : PacketKind::kOther;
}

PartialPacket::PartialPacket(std::string name, PacketKind kind, Natural natural, Test test)
    : name_(std::move(name)), kind_(kind), natural_(std::move(natural)) {
  said_.Where(std::move(test));
}

// --- of IP ---

PartialPacket& PartialPacket::Source(const IpAddress& address) {
  said_.Add(
      [=](const Packet& seen) {
        return TestIp(seen, [&](const auto& ip) { return ip.source == address; });
      },
      [=](Packet& natural) { ChangeIp(natural, [&](auto& ip) { ip.source = address; }); },
      "from " + address.ToString());
  return *this;
}

PartialPacket& PartialPacket::To(const IpAddress& address) {
  said_.Add(
      [=](const Packet& seen) {
        return TestIp(seen, [&](const auto& ip) { return ip.destination == address; });
      },
      [=](Packet& natural) { ChangeIp(natural, [&](auto& ip) { ip.destination = address; }); },
      "to " + address.ToString());
  return *this;
}

PartialPacket& PartialPacket::HopLimit(std::uint8_t hops) {
  said_.Add(
      [=](const Packet& seen) {
        return TestIp(seen, [&](const auto& ip) { return ip.hop_limit == hops; });
      },
      [=](Packet& natural) { ChangeIp(natural, [&](auto& ip) { ip.hop_limit = hops; }); },
      fmt::format("hops={}", hops));
  return *this;
}

PartialPacket& PartialPacket::TrafficClass(std::uint8_t traffic_class) {
  said_.Add(
      [=](const Packet& seen) {
        return TestIp(seen, [&](const auto& ip) { return ip.traffic_class == traffic_class; });
      },
      [=](Packet& natural) {
        ChangeIp(natural, [&](auto& ip) { ip.traffic_class = traffic_class; });
      },
      fmt::format("class={:#04x}", traffic_class));
  return *this;
}

PartialPacket& PartialPacket::FlowLabel(std::uint32_t label) {
  said_.Add(
      [=](const Packet& seen) {
        const auto* ip = seen.Find<packet::Ipv6>();
        return ip != nullptr && ip->flow_label == label;
      },
      [=](Packet& natural) { Must<packet::Ipv6>(natural, "IPv6").flow_label = label; },
      fmt::format("flow={:#x}", label));
  return *this;
}

PartialPacket& PartialPacket::DontFragment(bool dont_fragment) {
  said_.Add(
      [=](const Packet& seen) {
        const auto* ip = seen.Find<packet::Ipv4>();
        return ip != nullptr && ip->dont_fragment == dont_fragment;
      },
      [=](Packet& natural) { Must<packet::Ipv4>(natural, "IPv4").dont_fragment = dont_fragment; },
      dont_fragment ? "DF" : "no DF");
  return *this;
}

PartialPacket& PartialPacket::Option(HeaderOption option) {
  said_.Add(
      [=](const Packet& seen) {
        const auto* ip = seen.Find<packet::Ipv4>();
        return ip != nullptr &&
               std::find(ip->options.begin(), ip->options.end(), option) != ip->options.end();
      },
      [=](Packet& natural) { Must<packet::Ipv4>(natural, "IPv4").options.push_back(option); },
      fmt::format("option {}", option.kind));
  return *this;
}

PartialPacket& PartialPacket::Identification(std::uint32_t identification) {
  identification_ = identification;
  return *this;
}

// --- of UDP ---

PartialPacket& PartialPacket::Source(const Endpoint& endpoint) {
  return Source(endpoint.address).SourcePort(endpoint.port);
}

PartialPacket& PartialPacket::To(const Endpoint& endpoint) {
  return To(endpoint.address).DestinationPort(endpoint.port);
}

PartialPacket& PartialPacket::SourcePort(std::uint16_t port) {
  said_.Add(
      [=](const Packet& seen) {
        const auto* udp = seen.Find<packet::Udp>();
        return udp != nullptr && udp->source_port == port;
      },
      [=](Packet& natural) { Must<packet::Udp>(natural, "UDP").source_port = port; },
      fmt::format("source port {}", port));
  return *this;
}

PartialPacket& PartialPacket::DestinationPort(std::uint16_t port) {
  said_.Add(
      [=](const Packet& seen) {
        const auto* udp = seen.Find<packet::Udp>();
        return udp != nullptr && udp->destination_port == port;
      },
      [=](Packet& natural) { Must<packet::Udp>(natural, "UDP").destination_port = port; },
      fmt::format("destination port {}", port));
  return *this;
}

PartialPacket& PartialPacket::Payload(const std::string& text) {
  return Payload(Bytes(text.begin(), text.end()));
}

PartialPacket& PartialPacket::Payload(Bytes payload) {
  const std::string text = TextOf(payload);
  said_.Set(&Packet::payload, std::move(payload), text);
  return *this;
}

PartialPacket& PartialPacket::Checksum(std::uint16_t checksum) {
  said_.Add(
      [=](const Packet& seen) {
        if (const auto* udp = seen.Find<packet::Udp>()) return udp->checksum == checksum;
        const auto* icmp = seen.Find<packet::Icmp>();
        return icmp != nullptr && icmp->checksum == checksum;
      },
      [=](Packet& natural) {
        if (auto* udp = natural.Find<packet::Udp>()) {
          udp->checksum = checksum;
        } else {
          Must<packet::Icmp>(natural, "UDP or ICMP").checksum = checksum;
        }
      },
      checksum == 0 ? "no checksum" : fmt::format("checksum {:#06x}", checksum));
  return *this;
}

// --- of ICMP ---

PartialPacket& PartialPacket::Code(std::uint8_t code) {
  said_.Add(
      [=](const Packet& seen) {
        const auto* icmp = seen.Find<packet::Icmp>();
        return icmp != nullptr && icmp->code == code;
      },
      [=](Packet& natural) { Must<packet::Icmp>(natural, "ICMP").code = code; },
      fmt::format("code {}", code));
  return *this;
}

PartialPacket& PartialPacket::About(const IpPacket& about) {
  const Packet& one = about.fragments.empty() ? about.packet : about.fragments.front();
  return Where(Quotes(FlowOf(one)), "about " + sockproof::Describe(about));
}

PartialPacket& PartialPacket::About(const Segment& segment) {
  // What identification a segment came with nobody has kept.
  Flow flow = FlowOf(packet::ReadIp(packet::Write(IpPacketOf(segment))));
  flow.identification.reset();
  return Where(Quotes(flow), "about " + sockproof::Describe(segment, segment.seq, segment.ack));
}

PartialPacket& PartialPacket::Pointer(std::uint32_t octet) {
  // The first octet of the four in ICMP, all of them in ICMPv6.
  const auto place = [](const packet::Icmp& icmp) {
    return icmp.version == IpVersion::kIpv4 ? 24 : 0;
  };
  said_.Add(
      [=](const Packet& seen) {
        const auto* icmp = seen.Find<packet::Icmp>();
        return icmp != nullptr && icmp->rest >> place(*icmp) == octet;
      },
      [=](Packet& natural) {
        auto& icmp = Must<packet::Icmp>(natural, "ICMP");
        icmp.rest = octet << place(icmp);
      },
      fmt::format("at octet {}", octet));
  return *this;
}

// --- only when sent ---

PartialPacket& PartialPacket::BadChecksum() {
  bad_checksum_ = true;
  return *this;
}

PartialPacket& PartialPacket::BadIpChecksum() {
  bad_ip_checksum_ = true;
  return *this;
}

PartialPacket& PartialPacket::Length(std::uint16_t length) {
  return Changed([length](Packet& packet) { Must<packet::Udp>(packet, "UDP").length = length; });
}

PartialPacket& PartialPacket::Surplus(const Bytes& octets) {
  return Changed([octets](Packet& packet) { Must<packet::Udp>(packet, "UDP").surplus = octets; });
}

PartialPacket& PartialPacket::With(const packet::Layer& header) {
  headers_.push_back(header);
  return *this;
}

PartialPacket& PartialPacket::NextHeader(std::uint8_t protocol) {
  next_header_ = protocol;
  return *this;
}

PartialPacket& PartialPacket::Changed(std::function<void(Packet& packet)> change) {
  changes_.push_back(std::move(change));
  return *this;
}

PartialPacket& PartialPacket::InFragments(std::vector<packet::FragmentPiece> pieces) {
  pieces_ = std::move(pieces);
  return *this;
}

PartialPacket& PartialPacket::InFragmentsOfMtu(std::size_t mtu) {
  mtu_ = mtu;
  return *this;
}

PartialPacket& PartialPacket::ToLink(const MacAddress& mac) {
  link_ = mac;
  return *this;
}

// --- only when expected ---

PartialPacket& PartialPacket::Where(Test test, const std::string& text) {
  said_.Where(std::move(test), text);
  return *this;
}

PartialPacket& PartialPacket::From(const std::string& actor) {
  from_ = actor;
  return *this;
}

bool PartialPacket::Matches(const Packet& packet) const { return said_.Matches(packet); }

void PartialPacket::SpoilChecksum(Packet& packet) const {
  constexpr std::uint16_t kSpoiled = 0x5555;
  const Packet right = packet::ReadIp(packet::Write(packet));
  const auto spoil = [](std::uint16_t checksum) {
    const auto spoiled = static_cast<std::uint16_t>(checksum ^ kSpoiled);
    return spoiled == 0 ? kSpoiled : spoiled;  // 0 would be none
  };
  if (bad_ip_checksum_) {
    Must<packet::Ipv4>(packet, "IPv4").checksum = spoil(*right.Find<packet::Ipv4>()->checksum);
  }
  if (!bad_checksum_) return;
  if (auto* udp = packet.Find<packet::Udp>()) {
    udp->checksum = spoil(*right.Find<packet::Udp>()->checksum);
  } else if (auto* igmp = packet.Find<packet::Igmp>()) {
    igmp->checksum = spoil(*right.Find<packet::Igmp>()->checksum);
  } else {
    Must<packet::Icmp>(packet, "a checksum").checksum =
        spoil(*right.Find<packet::Icmp>()->checksum);
  }
}

IpPacket PartialPacket::Made(const Endpoint& source, const Endpoint& destination,
                             std::uint32_t identification) const {
  identification = identification_.value_or(identification);
  const IpVersion version = destination.address.version();
  if (version != source.address.version()) throw HarnessError("a packet between two IP versions");
  Packet made;
  if (version == IpVersion::kIpv4) {
    made.layers.push_back(packet::Ipv4{.identification = static_cast<std::uint16_t>(identification),
                                       .source = source.address,
                                       .destination = destination.address});
  } else {
    made.layers.push_back(
        packet::Ipv6{.source = source.address, .destination = destination.address});
  }
  natural_(made, version);
  if (auto* udp = made.Find<packet::Udp>()) {
    udp->source_port = source.port;
    udp->destination_port = destination.port;
  }
  made = said_.Over(std::move(made));
  made.layers.insert(made.layers.begin() + 1, headers_.begin(), headers_.end());
  if (next_header_) {
    packet::Layer& last = made.layers[headers_.size()];
    if (auto* ipv4 = std::get_if<packet::Ipv4>(&last)) ipv4->protocol = next_header_;
    if (auto* ipv6 = std::get_if<packet::Ipv6>(&last)) ipv6->next_header = next_header_;
    if (auto* options = std::get_if<packet::Ipv6Options>(&last))
      options->next_header = next_header_;
    if (auto* routing = std::get_if<packet::Ipv6Routing>(&last))
      routing->next_header = next_header_;
    if (auto* header = std::get_if<packet::Ipv6Fragment>(&last)) header->next_header = next_header_;
  }
  for (const auto& change : changes_) change(made);
  SpoilChecksum(made);
  IpPacket sent;
  if (pieces_) sent.fragments = packet::Fragments(made, identification, *pieces_);
  if (mtu_) sent.fragments = packet::FragmentsOfMtu(made, identification, *mtu_);
  made.trailer = Bytes();
  for (Packet& fragment : sent.fragments) {
    fragment.trailer = Bytes();
    if (!next_header_) continue;
    if (auto* ipv4 = fragment.Find<packet::Ipv4>()) ipv4->protocol = next_header_;
    if (auto* header = fragment.Find<packet::Ipv6Fragment>()) header->next_header = next_header_;
  }
  sent.packet = std::move(made);
  return sent;
}

std::string PartialPacket::Describe() const {
  const std::string said = said_.Describe();
  std::string text = said.empty() ? name_ : name_ + " " + said;
  if (!from_.empty()) text += " from " + from_;
  return text;
}

// --- the words ---

PartialPacket AnyDatagram() {
  return {"datagram", PacketKind::kUdp,
          [](Packet& packet, IpVersion) { packet.layers.push_back(packet::Udp()); },
          [](const Packet& packet) { return packet.Find<packet::Udp>() != nullptr; }};
}
PartialPacket Datagram(const std::string& text) { return AnyDatagram().Payload(text); }
PartialPacket Datagram(Bytes payload) { return AnyDatagram().Payload(std::move(payload)); }

PartialPacket AnyError() {
  return OnlyExpected("ICMP error", PacketKind::kIcmp, [](const Packet& packet) {
    const auto* icmp = packet.Find<packet::Icmp>();
    return icmp != nullptr && IsError(*icmp);
  });
}
PartialPacket Unreachable() {
  return IcmpMessage("destination unreachable", icmp_type::kUnreachable, icmpv6_type::kUnreachable);
}
PartialPacket PortUnreachable() {
  return OnlyExpected("port unreachable", PacketKind::kIcmp, [](const Packet& packet) {
    const auto* icmp = packet.Find<packet::Icmp>();
    if (icmp == nullptr) return false;
    const IcmpError wanted = icmp::PortUnreachable(icmp->version);
    return icmp->type == wanted.type && icmp->code == wanted.code;
  });
}
PartialPacket TooBig() {
  return IcmpMessage("packet too big", icmp_type::kUnreachable, icmpv6_type::kTooBig,
                     [](const packet::Icmp& icmp) {
                       const IcmpError wanted = icmp::TooBig(icmp.version, 0);
                       return icmp.type == wanted.type && icmp.code == wanted.code;
                     });
}
PartialPacket TimeExceeded() {
  return IcmpMessage("time exceeded", icmp_type::kTimeExceeded, icmpv6_type::kTimeExceeded);
}
PartialPacket ParameterProblem() {
  return IcmpMessage("parameter problem", icmp_type::kParameterProblem,
                     icmpv6_type::kParameterProblem);
}

namespace {
PartialPacket Echo(const char* name, std::uint8_t v4, std::uint8_t v6, const std::string& text) {
  constexpr std::uint32_t kIdentifierAndNumber = 0x50720001;
  return IcmpMessage(name, v4, v6)
      .Changed([](Packet& packet) {
        auto* icmp = packet.Find<packet::Icmp>();
        if (icmp->rest == 0) icmp->rest = kIdentifierAndNumber;
      })
      .Payload(text);
}
}  // namespace

PartialPacket EchoRequest(const std::string& text) {
  return Echo("echo request", icmp_type::kEchoRequest, icmpv6_type::kEchoRequest, text);
}
PartialPacket EchoReply(const std::string& text) {
  return Echo("echo reply", icmp_type::kEchoReply, icmpv6_type::kEchoReply, text);
}

PartialPacket Icmp(const IcmpError& message) {
  return {
      fmt::format("ICMP type {}, code {}", message.type, message.code), PacketKind::kIcmp,
      [message](Packet& packet, IpVersion version) {
        packet.layers.push_back(packet::Icmp{
            .version = version, .type = message.type, .code = message.code, .rest = message.rest});
      },
      [message](const Packet& packet) {
        const auto* icmp = packet.Find<packet::Icmp>();
        return icmp != nullptr && icmp->type == message.type && icmp->code == message.code;
      }};
}

PartialPacket GroupQuery(const packet::GroupQuery& query) {
  return FromRead("group query", PacketKind::kGroups, packet::GroupQueryMessage(query));
}
PartialPacket Reports(const packet::GroupRecord& record) {
  return OnlyExpected(fmt::format("report of {}", record.group.ToString()), PacketKind::kGroups,
                      [record](const Packet& packet) { return HasRecord(packet, record); });
}
PartialPacket Joins(const IpAddress& group) {
  return MembershipChange("report that joins", GroupRecordType::kChangeToExclude, group, false);
}
PartialPacket Leaves(const IpAddress& group) {
  return MembershipChange("report that leaves", GroupRecordType::kChangeToInclude, group, true);
}

PartialPacket Protocol(std::uint8_t protocol, const std::string& text) {
  return PartialPacket(
             fmt::format("IP protocol {}", protocol), PacketKind::kOther, [](Packet&, IpVersion) {},
             [protocol](const Packet& packet) {
               const auto* ipv4 = packet.Find<packet::Ipv4>();
               const auto* ipv6 = packet.Find<packet::Ipv6>();
               return (ipv4 != nullptr && ipv4->protocol == protocol) ||
                      (ipv6 != nullptr && ipv6->next_header == protocol);
             })
      .NextHeader(protocol)
      .Payload(text);
}

PartialPacket Fragment(std::optional<std::size_t> offset) {
  const std::string name = offset ? fmt::format("fragment at octet {}", *offset) : "fragment";
  return OnlyExpected(name, PacketKind::kOther, [offset](const Packet& packet) {
    if (!packet::IsFragment(packet)) return false;
    const auto* ipv4 = packet.Find<packet::Ipv4>();
    const std::size_t seen =
        std::size_t{8} *
        (ipv4 != nullptr ? ipv4->fragment_offset : packet.Find<packet::Ipv6Fragment>()->offset);
    return !offset || *offset == seen;
  });
}

MacAddress LinkAddressFor(const IpAddress& destination, const MacAddress& neighbour) {
  const std::uint8_t* octets = destination.bytes();
  if (destination.version() == IpVersion::kIpv6) {
    if (octets[0] != 0xff) return neighbour;
    return {0x33, 0x33, octets[12], octets[13], octets[14], octets[15]};
  }
  constexpr std::uint8_t kFirstOfGroups = 224, kBehindGroups = 240;
  if (octets[0] >= kFirstOfGroups && octets[0] < kBehindGroups) {
    return {0x01, 0x00, 0x5e, static_cast<std::uint8_t>(octets[1] & 0x7f), octets[2], octets[3]};
  }
  // To all, or to all of a network of 256 addresses, as the address plan has them.
  if (octets[3] == 0xff) return {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  return neighbour;
}

}  // namespace sockproof
