#include "harness/wire/neighbour.h"

#include <fmt/format.h>
#include <tins/tins.h>

#include "harness/base/errors.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

constexpr Duration kAnswerTime = 30s;
constexpr Duration kBetweenRequests = 1s;
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

// RFC 4291 section 2.7.1, RFC 2464 section 7.
std::string SolicitedNode(const IpAddress& address) {
  const std::uint8_t* last = address.bytes() + 13;
  return fmt::format("ff02::1:ff{:02x}:{:02x}{:02x}", last[0], last[1], last[2]);
}
Mac SolicitedNodeMac(const IpAddress& address) {
  const std::uint8_t* last = address.bytes() + 13;
  const MacAddress mac = {0x33, 0x33, 0xff, last[0], last[1], last[2]};
  return Mac(mac.data());
}

}  // namespace

Bytes NeighbourRequest(IpVersion version, int from_host, int to_host,
                       const std::optional<MacAddress>& to_mac) {
  const std::string from = AddressOf(version, from_host);
  const std::string to = AddressOf(version, to_host);
  if (version == IpVersion::kIpv4) {
    const Mac destination = to_mac ? Mac(to_mac->data()) : Mac("ff:ff:ff:ff:ff:ff");
    Tins::ARP arp(to, from, Mac(), MacOf(from_host));
    arp.opcode(Tins::ARP::REQUEST);
    return (Tins::EthernetII(destination, MacOf(from_host)) / arp).serialize();
  }
  Tins::ICMPv6 solicitation(Tins::ICMPv6::NEIGHBOUR_SOLICIT);
  solicitation.target_addr(to);
  solicitation.source_link_layer_addr(MacOf(from_host));
  if (to_mac) {
    return NeighbourDiscovery(Mac(to_mac->data()), MacOf(from_host), to, from, solicitation);
  }
  const IpAddress address = WireAddress(version, to_host);
  return NeighbourDiscovery(SolicitedNodeMac(address), MacOf(from_host), SolicitedNode(address),
                            from, solicitation);
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

std::optional<MacAddress> NeighbourTold(const Bytes& frame, IpVersion version, int host) {
  const std::optional<Tins::EthernetII> answer = Parse(frame);
  if (!answer) return std::nullopt;
  const std::string address = AddressOf(version, host);
  MacAddress mac{};
  if (const auto* arp = answer->find_pdu<Tins::ARP>()) {
    if (arp->opcode() != Tins::ARP::REPLY || arp->sender_ip_addr() != address) return std::nullopt;
    const Mac told = arp->sender_hw_addr();
    std::copy(told.begin(), told.end(), mac.begin());
    return mac;
  }
  const auto* icmp = answer->find_pdu<Tins::ICMPv6>();
  if (icmp == nullptr || icmp->type() != Tins::ICMPv6::NEIGHBOUR_ADVERT ||
      icmp->target_addr() != address) {
    return std::nullopt;
  }
  // An answer to who asked it alone need not have the option (RFC 4861 section 4.4).
  const auto* option = icmp->search_option(Tins::ICMPv6::TARGET_ADDRESS);
  const Mac told = option != nullptr ? icmp->target_link_layer_addr() : answer->src_addr();
  std::copy(told.begin(), told.end(), mac.begin());
  return mac;
}

std::optional<MacAddress> FindNeighbour(EventLoop& loop, WirePort& port, IpVersion version,
                                        int host, int as_host, Duration patience) {
  std::optional<MacAddress> mac;
  port.OnFrame([&](Time, const Bytes& frame) {
    if (!mac) mac = NeighbourTold(frame, version, host);
  });
  const Time deadline = Clock::now() + patience;
  while (!mac && Clock::now() < deadline) {
    port.Send(NeighbourRequest(version, as_host, host, std::nullopt));
    loop.RunUntil([&] { return mac.has_value(); }, Clock::now() + kBetweenRequests);
  }
  port.OnFrame(nullptr);
  return mac;
}

void Introduce(EventLoop& loop, WirePort& port, IpVersion version, int host,
               const MacAddress& host_mac, int as_host,
               const std::function<void(Time time, const Bytes& frame, bool sent)>& seen) {
  bool answered = false;
  port.OnFrame([&](Time time, const Bytes& frame) {
    seen(time, frame, false);
    answered = answered || NeighbourTold(frame, version, host).has_value();
  });
  const Bytes request = NeighbourRequest(version, as_host, host, host_mac);
  seen(port.Send(request), request, true);
  loop.RunUntil([&] { return answered; }, Clock::now() + kAnswerTime);
  port.OnFrame(nullptr);
  if (answered) return;
  throw HarnessError(fmt::format("{} does not answer for its address within {}",
                                 AddressOf(version, host), FormatDuration(kAnswerTime)));
}

}  // namespace sockproof
