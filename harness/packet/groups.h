// Membership of multicast groups as hosts and routers tell it: IGMPv3 (RFC 3376) for IPv4, MLDv2
// (RFC 3810) for IPv6. Both have the same records; the messages before them are read as well.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/packet.h"

namespace sockproof::packet {

enum class GroupRecordType : std::uint8_t {
  kModeIsInclude = 1,
  kModeIsExclude = 2,
  kChangeToInclude = 3,
  kChangeToExclude = 4,
  kAllowNewSources = 5,
  kBlockOldSources = 6,
};

struct GroupRecord {
  GroupRecordType type = GroupRecordType::kModeIsInclude;
  IpAddress group;
  std::vector<IpAddress> sources;
  Bytes auxiliary;  // a multiple of 4 octets
  bool operator==(const GroupRecord&) const = default;
};

struct GroupQuery {
  IpAddress group;  // unspecified: a general query
  // As it is coded: in tenths of a second in IGMP (8 bits), in milliseconds in MLD (16 bits).
  std::uint16_t max_response = 0;
  bool suppress = false;
  std::uint8_t robustness = 2;       // three bits
  std::uint8_t interval_code = 125;  // seconds below 128
  std::vector<IpAddress> sources;
  bool operator==(const GroupQuery&) const = default;
};

// The message, to be put behind IP. Version: that of the first group; with IPv6 it also has the
// hop-by-hop header with the router alert that MLD must have.
Packet GroupReport(const std::vector<GroupRecord>& records);
Packet GroupQueryMessage(const GroupQuery& query);

// The records of an IGMPv3 or MLDv2 report, as far as they are there; nothing of another packet.
std::optional<std::vector<GroupRecord>> ReadGroupReport(const Packet& packet);
// Of any version; what version 1 and 2 do not say has its default.
std::optional<GroupQuery> ReadGroupQuery(const Packet& packet);
// The group of a report or a leave message of IGMPv1, IGMPv2 or MLDv1.
std::optional<IpAddress> ReadSingleGroup(const Packet& packet);

}  // namespace sockproof::packet
