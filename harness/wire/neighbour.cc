#include "harness/wire/neighbour.h"

#include <fmt/format.h>

#include "harness/base/errors.h"
#include "harness/packet/neighbour_discovery.h"
#include "harness/packet/packet.h"
#include "harness/wire/addresses.h"
#include "harness/wire/neighbour_words.h"

namespace sockproof {
namespace {

using packet::Arp;
using packet::Ethernet;
using packet::Ipv6;
using packet::NeighbourMessage;
using packet::Packet;

constexpr Duration kAnswerTime = 30s;
constexpr Duration kBetweenRequests = 1s;
constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

Bytes NeighbourDiscovery(const MacAddress& to, const MacAddress& from, const IpAddress& to_address,
                         const IpAddress& from_address, const NeighbourMessage& message) {
  Packet built = message.Message();
  built.layers.insert(built.layers.begin(),
                      {Ethernet{to, from}, Ipv6{.hop_limit = NeighbourMessage::kNeverForwarded,
                                                .source = from_address,
                                                .destination = to_address}});
  return packet::Write(built);
}

}  // namespace

Bytes NeighbourRequest(IpVersion version, int from_host, int to_host,
                       const std::optional<MacAddress>& to_mac) {
  const IpAddress from = WireAddress(version, from_host);
  const IpAddress to = WireAddress(version, to_host);
  const MacAddress from_mac = WireMac(from_host);
  if (version == IpVersion::kIpv4) {
    const Arp request{.sender_mac = from_mac, .sender = from, .target = to};
    return packet::Write({{Ethernet{to_mac.value_or(kBroadcast), from_mac}, request}, {}, {}});
  }
  const NeighbourMessage solicitation{.target = to, .source_mac = from_mac};
  if (to_mac) return NeighbourDiscovery(*to_mac, from_mac, to, from, solicitation);
  const IpAddress group = SolicitedNodeGroup(to);
  return NeighbourDiscovery(LinkAddressFor(group, {}), from_mac, group, from, solicitation);
}

std::optional<Bytes> NeighbourAnswer(const Bytes& frame, int host) {
  const Packet request = packet::ReadFrame(frame);
  const MacAddress mac = WireMac(host);
  if (const auto* arp = request.Find<Arp>()) {
    const IpAddress address = WireAddress(IpVersion::kIpv4, host);
    if (arp->operation != Arp::kRequest || arp->target != address) return std::nullopt;
    const Arp reply{.operation = Arp::kReply,
                    .sender_mac = mac,
                    .sender = address,
                    .target_mac = arp->sender_mac,
                    .target = arp->sender};
    return packet::Write({{Ethernet{arp->sender_mac, mac}, reply}, {}, {}});
  }
  const auto solicitation = packet::ReadNeighbourMessage(request);
  const auto* ip = request.Find<Ipv6>();
  const IpAddress address = WireAddress(IpVersion::kIpv6, host);
  if (!solicitation || ip == nullptr ||
      solicitation->type != packet::icmpv6_type::kNeighbourSolicitation ||
      solicitation->target != address) {
    return std::nullopt;
  }
  const NeighbourMessage advertisement{
      .type = packet::icmpv6_type::kNeighbourAdvertisement,
      .flags = NeighbourMessage::kSolicited | NeighbourMessage::kOverride,
      .target = address,
      .target_mac = mac};
  return NeighbourDiscovery(request.Find<Ethernet>()->source, mac, ip->source, address,
                            advertisement);
}

std::optional<MacAddress> NeighbourTold(const Bytes& frame, IpVersion version, int host) {
  const Packet answer = packet::ReadFrame(frame);
  const IpAddress address = WireAddress(version, host);
  if (const auto* arp = answer.Find<Arp>()) {
    if (arp->operation != Arp::kReply || arp->sender != address) return std::nullopt;
    return arp->sender_mac;
  }
  const auto advertisement = packet::ReadNeighbourMessage(answer);
  const auto* ethernet = answer.Find<Ethernet>();
  if (!advertisement || ethernet == nullptr ||
      advertisement->type != packet::icmpv6_type::kNeighbourAdvertisement ||
      advertisement->target != address) {
    return std::nullopt;
  }
  // An answer to who asked it alone need not have the option (RFC 4861 section 4.4).
  return advertisement->target_mac.value_or(ethernet->source);
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
                                 WireAddress(version, host).ToString(),
                                 FormatDuration(kAnswerTime)));
}

}  // namespace sockproof
