#include "harness/packet/groups.h"

#include <algorithm>

namespace sockproof::packet {
namespace {

IpVersion VersionOf(const Icmp* icmp) {
  return icmp == nullptr ? IpVersion::kIpv4 : IpVersion::kIpv6;
}

std::size_t SizeOf(IpVersion version) { return version == IpVersion::kIpv4 ? 4 : 16; }

IpAddress Ipv4Of(std::uint32_t number) {
  Bytes bytes;
  Append32(bytes, number);
  return {IpVersion::kIpv4, bytes.data()};
}

void AppendGroup(Bytes& bytes, const IpAddress& address) {
  Append(bytes, View(address.bytes(), address.size()));
}

// The message of MLD in `packet`, if it is one.
const Icmp* MldOf(const Packet& packet) {
  const auto* icmp = packet.Find<Icmp>();
  return icmp != nullptr && icmp->version == IpVersion::kIpv6 ? icmp : nullptr;
}

Packet GroupMessage(IpVersion version, const Layer& message, Bytes payload) {
  Packet packet;
  if (version == IpVersion::kIpv6) {
    packet.layers.push_back(Ipv6Options{.options = {ipv6_option::RouterAlert()}});
  }
  packet.layers.push_back(message);
  packet.payload = std::move(payload);
  return packet;
}

// As many of `count` addresses as there are from the beginning of `view` on.
std::vector<IpAddress> AddressesIn(View view, IpVersion version, std::size_t count) {
  const std::size_t size = SizeOf(version);
  std::vector<IpAddress> addresses;
  for (count = std::min(count, view.size() / size); count > 0; --count) {
    addresses.emplace_back(version, view.data());
    view = view.subspan(size);
  }
  return addresses;
}

}  // namespace

Packet GroupReport(const std::vector<GroupRecord>& records) {
  const IpVersion version = records.empty() ? IpVersion::kIpv4 : records[0].group.version();
  const auto count = static_cast<std::uint32_t>(records.size()) & 0xffff;
  Bytes body;
  for (const GroupRecord& record : records) {
    Append8(body, static_cast<std::uint8_t>(record.type));
    Append8(body, record.auxiliary.size() / 4);
    Append16(body, record.sources.size());
    AppendGroup(body, record.group);
    for (const IpAddress& source : record.sources) AppendGroup(body, source);
    Append(body, record.auxiliary);
  }
  if (version == IpVersion::kIpv4) {
    return GroupMessage(version, Igmp{.type = Igmp::kReportV3, .rest = count}, std::move(body));
  }
  return GroupMessage(version,
                      Icmp{.version = version, .type = icmpv6_type::kGroupReportV2, .rest = count},
                      std::move(body));
}

Packet GroupQueryMessage(const GroupQuery& query) {
  const IpVersion version = query.group.version();
  Bytes body;
  if (version == IpVersion::kIpv6) AppendGroup(body, query.group);
  Append8(body, (query.suppress ? 8 : 0) | (query.robustness & 7));
  Append8(body, query.interval_code);
  Append16(body, query.sources.size());
  for (const IpAddress& source : query.sources) AppendGroup(body, source);
  if (version == IpVersion::kIpv6) {
    return GroupMessage(version,
                        Icmp{.version = version,
                             .type = icmpv6_type::kGroupQuery,
                             .rest = static_cast<std::uint32_t>(query.max_response) << 16},
                        std::move(body));
  }
  return GroupMessage(version,
                      Igmp{.type = Igmp::kQuery,
                           .code = static_cast<std::uint8_t>(query.max_response),
                           .rest = Read32(View(query.group.bytes(), 4), 0)},
                      std::move(body));
}

std::optional<std::vector<GroupRecord>> ReadGroupReport(const Packet& packet) {
  const Icmp* mld = MldOf(packet);
  const auto* igmp = packet.Find<Igmp>();
  if (mld != nullptr ? mld->type != icmpv6_type::kGroupReportV2
                     : igmp == nullptr || igmp->type != Igmp::kReportV3) {
    return std::nullopt;
  }
  const IpVersion version = VersionOf(mld);
  const std::size_t size = SizeOf(version);
  std::vector<GroupRecord> records;
  View left = packet.payload;
  for (std::size_t count = (mld != nullptr ? mld->rest : igmp->rest) & 0xffff;
       count > 0 && left.size() >= 4 + size; --count) {
    GroupRecord record;
    record.type = static_cast<GroupRecordType>(left[0]);
    const std::size_t auxiliary = std::size_t{4} * left[1];
    const std::size_t sources = Read16(left, 2);
    record.group = IpAddress(version, left.data() + 4);
    left = left.subspan(4 + size);
    record.sources = AddressesIn(left, version, sources);
    left = left.subspan(record.sources.size() * size);
    const View data = left.first(std::min(auxiliary, left.size()));
    record.auxiliary = ToBytes(data);
    left = left.subspan(data.size());
    records.push_back(std::move(record));
  }
  return records;
}

std::optional<GroupQuery> ReadGroupQuery(const Packet& packet) {
  const Icmp* mld = MldOf(packet);
  const auto* igmp = packet.Find<Igmp>();
  View left = packet.payload;
  GroupQuery query;
  if (mld != nullptr) {
    if (mld->type != icmpv6_type::kGroupQuery || left.size() < 16) return std::nullopt;
    query.max_response = static_cast<std::uint16_t>(mld->rest >> 16);
    query.group = IpAddress(IpVersion::kIpv6, left.data());
    left = left.subspan(16);
  } else {
    if (igmp == nullptr || igmp->type != Igmp::kQuery) return std::nullopt;
    query.max_response = igmp->code;
    query.group = Ipv4Of(igmp->rest);
  }
  if (left.size() >= 4) {
    query.suppress = (left[0] & 8) != 0;
    query.robustness = left[0] & 7;
    query.interval_code = left[1];
    query.sources = AddressesIn(left.subspan(4), VersionOf(mld), Read16(left, 2));
  }
  return query;
}

std::optional<IpAddress> ReadSingleGroup(const Packet& packet) {
  if (const Icmp* mld = MldOf(packet)) {
    const bool is_single =
        mld->type == icmpv6_type::kGroupReport || mld->type == icmpv6_type::kGroupDone;
    if (!is_single || packet.payload.size() < 16) return std::nullopt;
    return IpAddress(IpVersion::kIpv6, packet.payload.data());
  }
  const auto* igmp = packet.Find<Igmp>();
  if (igmp == nullptr || (igmp->type != Igmp::kReportV1 && igmp->type != Igmp::kReportV2 &&
                          igmp->type != Igmp::kLeave)) {
    return std::nullopt;
  }
  return Ipv4Of(igmp->rest);
}

}  // namespace sockproof::packet
