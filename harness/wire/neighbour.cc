#include "harness/wire/neighbour.h"

#include <fmt/format.h>
#include <tins/tins.h>

#include "harness/base/errors.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

constexpr Duration kAnswerTime = 30s;
constexpr std::uint8_t kNeverForwarded = 255;  // RFC 4861 section 7.1 demands this hop limit

using Mac = Tins::HWAddress<6>;

Mac MacOf(int host) { return Mac(WireMac(host).data()); }

std::string AddressOf(IpVersion version, int host) { return WireAddress(version, host).ToString(); }

std::optional<Tins::EthernetII> Parse(const Bytes& frame) try {
  return Tins::EthernetII(frame.data(), static_cast<std::uint32_t>(frame.size()));
} catch (const Tins::exception_base&) {
  return std::nullopt;
}

Bytes NeighbourDiscovery(const Mac& to, const Mac& from, const Tins::IPv6Address& to_address,
                         const Tins::IPv6Address& from_address, const Tins::ICMPv6& message) {
  Tins::IPv6 ip(to_address, from_address);
  ip.hop_limit(kNeverForwarded);
  return (Tins::EthernetII(to, from) / ip / message).serialize();
}

}  // namespace

Bytes NeighbourRequest(IpVersion version, int from_host, int to_host) {
  const std::string from = AddressOf(version, from_host);
  const std::string to = AddressOf(version, to_host);
  if (version == IpVersion::kIpv4) {
    Tins::ARP arp(to, from, Mac(), MacOf(from_host));
    arp.opcode(Tins::ARP::REQUEST);
    return (Tins::EthernetII(MacOf(to_host), MacOf(from_host)) / arp).serialize();
  }
  Tins::ICMPv6 solicitation(Tins::ICMPv6::NEIGHBOUR_SOLICIT);
  solicitation.target_addr(to);
  solicitation.source_link_layer_addr(MacOf(from_host));
  return NeighbourDiscovery(MacOf(to_host), MacOf(from_host), to, from, solicitation);
}

std::optional<Bytes> NeighbourAnswer(const Bytes& frame, int host) {
  const std::optional<Tins::EthernetII> request = Parse(frame);
  if (!request) return std::nullopt;
  if (const auto* arp = request->find_pdu<Tins::ARP>()) {
    const std::string address = AddressOf(IpVersion::kIpv4, host);
    if (arp->opcode() != Tins::ARP::REQUEST || arp->target_ip_addr() != address) {
      return std::nullopt;
    }
    return Tins::ARP::make_arp_reply(arp->sender_ip_addr(), address, arp->sender_hw_addr(),
                                     MacOf(host))
        .serialize();
  }
  const auto* ip = request->find_pdu<Tins::IPv6>();
  const auto* icmp = request->find_pdu<Tins::ICMPv6>();
  const std::string address = AddressOf(IpVersion::kIpv6, host);
  if (ip == nullptr || icmp == nullptr || icmp->type() != Tins::ICMPv6::NEIGHBOUR_SOLICIT ||
      icmp->target_addr() != address) {
    return std::nullopt;
  }
  Tins::ICMPv6 advertisement(Tins::ICMPv6::NEIGHBOUR_ADVERT);
  advertisement.target_addr(address);
  advertisement.solicited(1);
  advertisement.override(1);
  advertisement.target_link_layer_addr(MacOf(host));
  return NeighbourDiscovery(request->src_addr(), MacOf(host), ip->src_addr(), address,
                            advertisement);
}

bool TellsNeighbour(const Bytes& frame, IpVersion version, int host) {
  const std::optional<Tins::EthernetII> answer = Parse(frame);
  if (!answer) return false;
  const std::string address = AddressOf(version, host);
  if (const auto* arp = answer->find_pdu<Tins::ARP>()) {
    return arp->opcode() == Tins::ARP::REPLY && arp->sender_ip_addr() == address;
  }
  const auto* icmp = answer->find_pdu<Tins::ICMPv6>();
  return icmp != nullptr && icmp->type() == Tins::ICMPv6::NEIGHBOUR_ADVERT &&
         icmp->target_addr() == address;
}

void Introduce(EventLoop& loop, WirePort& port, IpVersion version, int host, int as_host,
               const std::function<void(Time time, const Bytes& frame, bool sent)>& seen) {
  bool answered = false;
  port.OnFrame([&](Time time, const Bytes& frame) {
    seen(time, frame, false);
    answered = answered || TellsNeighbour(frame, version, host);
  });
  const Bytes request = NeighbourRequest(version, as_host, host);
  seen(port.Send(request), request, true);
  loop.RunUntil([&] { return answered; }, Clock::now() + kAnswerTime);
  port.OnFrame(nullptr);
  if (answered) return;
  throw HarnessError(fmt::format("{} does not answer for its address within {}",
                                 AddressOf(version, host), FormatDuration(kAnswerTime)));
}

}  // namespace sockproof
