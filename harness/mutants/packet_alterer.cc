#include "harness/mutants/packet_alterer.h"

#include <algorithm>
#include <optional>

#include "harness/packet/fragments.h"
#include "harness/wire/addresses.h"
#include "harness/wire/neighbour_words.h"
#include "harness/wire/partial_packet.h"

namespace sockproof {
namespace {

using packet::Packet;

// Calls `use` with the header of either version of IP; whether there is one.
template <typename Frame, typename Use>
bool WithIp(Frame& frame, const Use& use) {
  if (auto* ipv4 = frame.template Find<packet::Ipv4>()) {
    use(*ipv4);
    return true;
  }
  if (auto* ipv6 = frame.template Find<packet::Ipv6>()) {
    use(*ipv6);
    return true;
  }
  return false;
}

bool IsExtensionHeader(const packet::Layer& layer) {
  return std::holds_alternative<packet::Ipv6Options>(layer) ||
         std::holds_alternative<packet::Ipv6Routing>(layer) ||
         std::holds_alternative<packet::Ipv6Fragment>(layer);
}

// Without it nobody has a neighbour, and no test begins: only what says so alters it.
bool IsOfNeighbours(const Packet& frame) {
  const auto* icmp = frame.Find<packet::Icmp>();
  const bool is_discovery = icmp != nullptr && frame.Find<packet::Ipv6>() != nullptr &&
                            icmp->type >= packet::icmpv6_type::kRouterSolicitation &&
                            icmp->type <= packet::icmpv6_type::kRedirect;
  return is_discovery || frame.Find<packet::Arp>() != nullptr;
}

// Who is asked for, or told of.
void SetNamed(Packet& frame, int host) {
  if (auto* arp = frame.Find<packet::Arp>()) {
    (arp->operation == packet::Arp::kRequest ? arp->target : arp->sender) = WireAddress(IpVersion::kIpv4, host);
    return;
  }
  constexpr std::size_t kTarget = 16;
  const IpAddress address = WireAddress(IpVersion::kIpv6, host);
  frame.payload.resize(std::max(kTarget, frame.payload.size()));
  std::copy_n(address.bytes(), kTarget, frame.payload.begin());
}

bool IsForMany(const IpAddress& address) {
  return LinkAddressFor(address, MacAddress{}) != MacAddress{};
}

PacketSelection::What WhatIs(const Packet& frame) {
  using What = PacketSelection::What;
  if (packet::IsFragment(frame)) return What::kFragment;
  switch (KindOf(frame)) {
    case PacketKind::kUdp:
      return What::kUdp;
    case PacketKind::kIcmp:
      return What::kIcmp;
    case PacketKind::kGroups:
      return What::kGroups;
    case PacketKind::kNeighbours:
      return What::kNeighbours;
    case PacketKind::kOther:
      break;
  }
  return frame.Find<packet::Tcp>() != nullptr ? What::kTcp : What::kOther;
}

std::size_t OffsetOf(const Packet& fragment) {
  const auto* ip = fragment.Find<packet::Ipv4>();
  const auto* header = fragment.Find<packet::Ipv6Fragment>();
  return std::size_t{8} * (ip != nullptr ? ip->fragment_offset : header->offset);
}
bool HasMore(const Packet& fragment) {
  const auto* ip = fragment.Find<packet::Ipv4>();
  return ip != nullptr ? ip->more_fragments : fragment.Find<packet::Ipv6Fragment>()->more_fragments;
}
void MakeFirst(Packet& fragment) {
  if (auto* ip = fragment.Find<packet::Ipv4>()) ip->fragment_offset = 0;
  if (auto* header = fragment.Find<packet::Ipv6Fragment>()) header->offset = 0;
}

struct SetNextHeader {
  std::uint8_t protocol;
  void operator()(packet::Ipv4& ip) const { ip.protocol = protocol; }
  void operator()(packet::Ipv6& ip) const { ip.next_header = protocol; }
  void operator()(packet::Ipv6Options& header) const { header.next_header = protocol; }
  void operator()(packet::Ipv6Routing& header) const { header.next_header = protocol; }
  void operator()(packet::Ipv6Fragment& header) const { header.next_header = protocol; }
  template <typename Other>
  void operator()(Other&) const {}
};

// What follows its last IP header, or the last extension header.
void SetProtocol(Packet& frame, std::uint8_t protocol) {
  const auto last = std::find_if(frame.layers.rbegin(), frame.layers.rend(), [](const auto& layer) {
    return std::holds_alternative<packet::Ipv4>(layer) ||
           std::holds_alternative<packet::Ipv6>(layer) || IsExtensionHeader(layer);
  });
  if (last != frame.layers.rend()) std::visit(SetNextHeader{protocol}, *last);
}

// The ports of a datagram whose beginning an ICMP error quotes.
void SetQuotedPorts(Bytes& quote, std::uint16_t source, std::uint16_t destination) {
  if (quote.empty()) return;
  const std::size_t at = quote[0] >> 4 == 6
                             ? std::size_t{40}
                             : std::size_t{4} * static_cast<std::size_t>(quote[0] & 0xf);
  if (quote.size() < at + 4) return;
  quote[at] = static_cast<std::uint8_t>(source >> 8);
  quote[at + 1] = static_cast<std::uint8_t>(source);
  quote[at + 2] = static_cast<std::uint8_t>(destination >> 8);
  quote[at + 3] = static_cast<std::uint8_t>(destination);
}

// Of the IP header that an ICMP error begins with.
void SetQuotedProtocol(Bytes& quote, std::uint8_t protocol) {
  const std::size_t at = !quote.empty() && quote[0] >> 4 == 6 ? 6 : 9;
  if (quote.size() > at) quote[at] = protocol;
}

// The checksum of a datagram of UDP that was put together from such fragments.
void SetUdpChecksum(const Packet& fragment, Bytes& datagram) {
  constexpr std::size_t kHeader = 8, kChecksum = 6;
  if (datagram.size() < kHeader) return;
  const auto port = [&](std::size_t at) {
    return static_cast<std::uint16_t>(datagram[at] << 8 | datagram[at + 1]);
  };
  WithIp(fragment, [&](const auto& ip) {
    const std::string text(datagram.begin() + kHeader, datagram.end());
    const Packet made =
        Datagram(text).Made({ip.source, port(0)}, {ip.destination, port(2)}, 0).packet;
    const Packet read = packet::ReadIp(packet::Write(made));
    const std::uint16_t checksum = read.Find<packet::Udp>()->checksum.value_or(0);
    datagram[kChecksum] = static_cast<std::uint8_t>(checksum >> 8);
    datagram[kChecksum + 1] = static_cast<std::uint8_t>(checksum);
  });
}

std::uint32_t IdentificationOf(const Packet& fragment) {
  const auto* ip = fragment.Find<packet::Ipv4>();
  return ip != nullptr ? ip->identification : fragment.Find<packet::Ipv6Fragment>()->identification;
}

}  // namespace

// --- PacketPicker --------------------------------------------------------------------------------

bool PacketPicker::Picks(const Packet& frame, bool by_system) {
  if (by_system != selection_.sent_by_system || !Fits(frame)) return false;
  if (matching_++ < selection_.skip) return false;
  return selection_.times < 0 || matching_ <= selection_.skip + selection_.times;
}

bool PacketPicker::Fits(const Packet& frame) const {
  using What = PacketSelection::What;
  const What what = WhatIs(frame);
  if (what == What::kTcp || (selection_.what != What::kAny && selection_.what != what))
    return false;
  const bool has_ip = WithIp(frame, [](const auto&) {});
  if (what == What::kNeighbours) {
    if (selection_.what != What::kNeighbours) return false;
    if (selection_.asks && *selection_.asks != AsksForNeighbour(frame)) return false;
    // ARP has nothing of what else can be asked for.
    if (!has_ip) return !selection_.ipv4 || *selection_.ipv4;
  } else if (!has_ip || IsOfNeighbours(frame)) {
    return false;
  }
  const auto agrees = [](const auto& wanted, const auto& seen) {
    return !wanted || *wanted == seen;
  };
  const auto* icmp = frame.Find<packet::Icmp>();
  const bool is_ipv4 = frame.Find<packet::Ipv4>() != nullptr;
  if (!agrees(selection_.ipv4, is_ipv4)) return false;
  if (selection_.type && (icmp == nullptr || icmp->type != *selection_.type)) return false;
  if (selection_.code && (icmp == nullptr || icmp->code != *selection_.code)) return false;
  bool fits = true;
  WithIp(frame, [&](const auto& ip) {
    fits = agrees(selection_.to_many, IsForMany(ip.destination)) &&
           (!selection_.hops_below || ip.hop_limit < *selection_.hops_below);
  });
  const bool has_headers = std::any_of(frame.layers.begin(), frame.layers.end(), IsExtensionHeader);
  const auto* ipv4 = frame.Find<packet::Ipv4>();
  const bool has_options = ipv4 != nullptr && HeaderSize(*ipv4) > 20;
  return fits && agrees(selection_.payload, !frame.payload.empty()) &&
         agrees(selection_.headers, has_headers || has_options) &&
         agrees(selection_.defect, !packet::Defects(frame).empty()) &&
         (!selection_.longer_than || frame.payload.size() > *selection_.longer_than);
}

// --- PacketAlterer -------------------------------------------------------------------------------

std::vector<WirePort::Tampered> PacketAlterer::Alter(Bytes octets, bool by_system) {
  using Action = PacketAlteration::Action;
  const Packet frame = packet::ReadFrame(octets);
  const bool passes = WhatIs(frame) == PacketSelection::What::kTcp || IsOfNeighbours(frame);
  if (ended_ && !passes) return {};
  if (const auto* udp = frame.Find<packet::Udp>(); by_system && udp != nullptr) {
    last_ports_ = {udp->source_port, udp->destination_port};
  }
  if (!picker_.Picks(frame, by_system)) return {{Duration(0), std::move(octets)}};
  applied_();
  const auto edited = [&] { return packet::Write(Edited(frame)); };
  switch (alteration_.action) {
    case Action::kDrop:
      return {};
    case Action::kDuplicate:
      return {{Duration(0), octets}, {Duration(0), octets}};
    case Action::kDelay:
      return {{alteration_.delay, std::move(octets)}};
    case Action::kEditedCopy:
      return {{Duration(0), octets}, {Duration(0), edited()}};
    case Action::kPutTogether:
    case Action::kFillGaps:
      return PutTogether(frame);
    case Action::kCutUp:
      return CutUp(frame);
    case Action::kEnd:
      ended_ = true;
      return {};
    case Action::kEdit:
      break;
  }
  return {{Duration(0), edited()}};
}

Packet PacketAlterer::Edited(Packet frame) const {
  const auto& edit = alteration_;
  if (edit.repaired) {
    frame = packet::Recomputed(std::move(frame));
    if (auto* ipv4 = frame.Find<packet::Ipv4>()) ipv4->version = 4;
    if (auto* udp = frame.Find<packet::Udp>()) udp->surplus.clear();
  }
  if (edit.without_headers) {
    std::erase_if(frame.layers, IsExtensionHeader);
    if (auto* ipv4 = frame.Find<packet::Ipv4>()) {
      ipv4->options.clear();
      ipv4->option_rest.reset();
    }
  }
  WithIp(frame, [&](auto& ip) {
    const IpVersion version = ip.source.version();
    ip.hop_limit = edit.hop_limit.value_or(ip.hop_limit);
    ip.traffic_class = edit.traffic_class.value_or(ip.traffic_class);
    if (edit.source_host) ip.source = WireAddress(version, *edit.source_host);
    if (edit.source && edit.source->version() == version) ip.source = *edit.source;
    if (edit.destination_host) ip.destination = WireAddress(version, *edit.destination_host);
  });
  if (auto* ethernet = frame.Find<packet::Ethernet>(); edit.link_host) {
    ethernet->destination = WireMac(*edit.link_host);
  }
  if (auto* ipv4 = frame.Find<packet::Ipv4>()) {
    ipv4->dont_fragment = edit.dont_fragment.value_or(ipv4->dont_fragment);
    ipv4->identification = edit.identification.value_or(ipv4->identification);
  }
  if (auto* header = frame.Find<packet::Ipv6Fragment>()) {
    if (edit.identification) header->identification = *edit.identification;
  }
  if (auto* udp = frame.Find<packet::Udp>()) {
    udp->source_port = static_cast<std::uint16_t>(udp->source_port + edit.add_source_port);
    udp->destination_port =
        static_cast<std::uint16_t>(udp->destination_port + edit.add_destination_port);
  }
  if (auto* icmp = frame.Find<packet::Icmp>()) {
    icmp->type = edit.new_type.value_or(icmp->type);
    icmp->code = edit.new_code.value_or(icmp->code);
    icmp->rest += static_cast<std::uint32_t>(edit.add_rest);
    icmp->rest = edit.new_rest.value_or(icmp->rest);
  }
  const bool is_message = packet::ReadNeighbourMessage(frame).has_value();
  if (edit.told_host && (is_message || frame.Find<packet::Arp>() != nullptr)) {
    TellingLinkAddress(WireMac(*edit.told_host))(frame);
  }
  if (edit.without_link_address && is_message) TellingLinkAddress(std::nullopt)(frame);
  if (edit.named_host) SetNamed(frame, *edit.named_host);
  if (auto* arp = frame.Find<packet::Arp>()) {
    if (edit.source_host) arp->sender = WireAddress(IpVersion::kIpv4, *edit.source_host);
    if (edit.repaired) {
      arp->hardware_type = packet::Arp{}.hardware_type;
      arp->protocol_type = packet::Arp{}.protocol_type;
    }
    return frame;
  }
  if (edit.protocol) SetProtocol(frame, *edit.protocol);
  if (edit.quoted_protocol && frame.Find<packet::Icmp>() != nullptr) {
    SetQuotedProtocol(frame.payload, *edit.quoted_protocol);
  }
  if (edit.quotes_last && last_ports_ && frame.Find<packet::Icmp>() != nullptr) {
    SetQuotedPorts(frame.payload, last_ports_->first, last_ports_->second);
  }
  if (edit.offset_0) MakeFirst(frame);
  if (edit.flip_payload && !frame.payload.empty()) frame.payload.back() ^= 0xff;
  if (edit.flip_octet && *edit.flip_octet < frame.payload.size()) {
    frame.payload[*edit.flip_octet] ^= 0xff;
  }
  if (edit.cut_payload && !frame.payload.empty()) frame.payload.pop_back();
  if (edit.payload_at_most && frame.payload.size() > *edit.payload_at_most) {
    frame.payload.resize(*edit.payload_at_most);
  }
  frame.payload.insert(frame.payload.end(), edit.more_octets, std::uint8_t{'?'});
  if (edit.offset_by_8) {
    auto* ipv4 = frame.Find<packet::Ipv4>();
    auto* header = frame.Find<packet::Ipv6Fragment>();
    if (ipv4 != nullptr && ipv4->fragment_offset != 0) ++ipv4->fragment_offset;
    if (header != nullptr && header->offset != 0) ++header->offset;
  }
  // What no alteration asks to be wrong is right.
  const bool was_without =
      frame.Find<packet::Udp>() != nullptr && frame.Find<packet::Udp>()->checksum == 0;
  Packet right = packet::Recomputed(frame);
  if (auto* udp = right.Find<packet::Udp>()) {
    udp->surplus = frame.Find<packet::Udp>()->surplus;
    if (was_without && !edit.repaired) udp->checksum = 0;
  }
  if (packet::IsFragment(frame)) {  // the protocol of what is in pieces is told, not computed
    if (auto* ipv4 = right.Find<packet::Ipv4>()) {
      ipv4->protocol = frame.Find<packet::Ipv4>()->protocol;
    }
    if (auto* header = right.Find<packet::Ipv6Fragment>()) {
      header->next_header = frame.Find<packet::Ipv6Fragment>()->next_header;
    }
  } else if (right.Find<packet::Udp>() == nullptr && right.Find<packet::Icmp>() == nullptr &&
             right.Find<packet::Igmp>() == nullptr) {
    if (auto* ipv4 = frame.Find<packet::Ipv4>()) ipv4->checksum.reset();
    return frame;  // of what is not known nothing more can be computed
  }
  if (edit.checksum == PacketAlteration::Checksum::kAsItIs) return right;
  auto* udp = right.Find<packet::Udp>();
  if (udp == nullptr) return right;
  if (edit.checksum == PacketAlteration::Checksum::kNone) udp->checksum = 0;
  if (edit.checksum == PacketAlteration::Checksum::kBad) {
    const Packet read = packet::ReadFrame(packet::Write(right));
    udp->checksum = static_cast<std::uint16_t>(*read.Find<packet::Udp>()->checksum ^ 0x5555);
  }
  if (edit.checksum == PacketAlteration::Checksum::kZeroForOnes) {
    const Packet read = packet::ReadFrame(packet::Write(right));
    if (read.Find<packet::Udp>()->checksum == 0xffff) udp->checksum = 0;
  }
  return right;
}

std::vector<WirePort::Tampered> PacketAlterer::CutUp(const Packet& whole) {
  constexpr std::uint32_t kIdentification = 7;
  std::vector<WirePort::Tampered> frames;
  for (const Packet& part : packet::Fragments(whole, kIdentification, {{.size = 8}, {8, 0xffff}})) {
    frames.push_back({Duration(0), packet::Write(part)});
  }
  return frames;
}

// As a system would that lets later octets take the place of earlier ones, and waits for ever.
std::vector<WirePort::Tampered> PacketAlterer::PutTogether(const Packet& fragment) {
  if (!fragments_.empty() && IdentificationOf(fragments_.front()) != IdentificationOf(fragment)) {
    fragments_.clear();
  }
  fragments_.push_back(fragment);
  std::optional<std::size_t> end;
  Bytes octets;
  std::vector<bool> there;
  const Packet* first = nullptr;
  for (const Packet& part : fragments_) {
    const std::size_t at = OffsetOf(part);
    const std::size_t behind = at + part.payload.size();
    if (behind > octets.size()) {
      octets.resize(behind);
      there.resize(behind);
    }
    std::copy(part.payload.begin(), part.payload.end(),
              octets.begin() + static_cast<std::ptrdiff_t>(at));
    std::fill_n(there.begin() + static_cast<std::ptrdiff_t>(at), part.payload.size(), true);
    if (!HasMore(part)) end = behind;
    if (at == 0) first = &part;
  }
  if (!end || first == nullptr || octets.size() > 0xffff) return {};
  const auto behind_last = there.begin() + static_cast<std::ptrdiff_t>(*end);
  const bool has_gap = std::find(there.begin(), behind_last, false) != behind_last;
  if (has_gap && alteration_.action != PacketAlteration::Action::kFillGaps) return {};
  octets.resize(*end);
  if (has_gap) SetUdpChecksum(*first, octets);
  // In fragments that do not overlap, since the link takes no more than its MTU.
  constexpr std::size_t kStep = 1400;
  std::vector<WirePort::Tampered> frames;
  for (std::size_t at = 0; at == 0 || at < octets.size(); at += kStep) {
    Packet part = packet::Recomputed(*first);
    const std::size_t size = std::min(kStep, octets.size() - at);
    part.payload.assign(octets.begin() + static_cast<std::ptrdiff_t>(at),
                        octets.begin() + static_cast<std::ptrdiff_t>(at + size));
    part.trailer.reset();
    const bool more = at + size < octets.size();
    if (auto* ipv4 = part.Find<packet::Ipv4>()) {
      ipv4->protocol = first->Find<packet::Ipv4>()->protocol;
      ipv4->more_fragments = more;
      ipv4->fragment_offset = static_cast<std::uint16_t>(at / 8);
    }
    if (auto* header = part.Find<packet::Ipv6Fragment>()) {
      header->next_header = first->Find<packet::Ipv6Fragment>()->next_header;
      header->more_fragments = more;
      header->offset = static_cast<std::uint16_t>(at / 8);
    }
    frames.push_back({Duration(0), packet::Write(part)});
  }
  fragments_.clear();
  return frames;
}

}  // namespace sockproof
