#include "src/packetdrill/mptcp_option.h"

namespace sockproof::packetdrill {

std::size_t MptcpOption::size(IpVersion version_of_address) const {
  constexpr std::size_t kHeader = 2;
  const std::size_t of_address = address ? address->size() : version_of_address == IpVersion::kIpv4 ? 4 : 16;
  switch (kind) {
    case Kind::kCapable:
      return kHeader + 2 + 8 * keys.size() + (data_length ? 2 : 0);
    case Kind::kJoinSyn:
      return kHeader + 10;
    case Kind::kJoinSynAck:
      return kHeader + 14;
    case Kind::kJoinAck:
      return kHeader + 22;
    case Kind::kDss: {
      std::size_t size = kHeader + 2;
      if (data_ack) size += data_ack->is_long ? 8 : 4;
      if (data_sequence) size += (data_sequence->is_long ? 8U : 4U) + 6 + (has_checksum ? 2 : 0);
      return size;
    }
    case Kind::kAddAddress:
      return kHeader + 2 + of_address + (port ? 2 : 0) + (is_echo ? 0 : 8);
    case Kind::kRemoveAddress:
      return kHeader + 1 + address_ids.size();
    case Kind::kPriority:
      return kHeader + 1 + (address_id ? 1 : 0);
    case Kind::kReset:
      return kHeader + 2;
    default:
      return kHeader + 10;
  }
}

}  // namespace sockproof::packetdrill
