#include "src/packetdrill/mptcp_option.h"

#include <fmt/format.h>

namespace sockproof::packetdrill {
namespace {

// Octets in network order, one field after the other.
class Fields {
 public:
  explicit Fields(const Bytes& data) : data_(data) {}

  std::size_t left() const { return data_.size() - at_; }
  bool cut_short() const { return cut_short_; }

  std::uint64_t Take(std::size_t size) {
    std::uint64_t value = 0;
    cut_short_ |= left() < size;
    for (; size > 0 && left() > 0; --size) value = value << 8 | data_[at_++];
    return value;
  }

  // Of four octets or eight, from an initial one on.
  std::string TakeNumber(const char* name, bool is_long, std::uint64_t initial) {
    const std::uint64_t value = Take(is_long ? 8 : 4) - initial;
    return fmt::format(" {}{}={}", name, is_long ? 8 : 4, is_long ? value : value & 0xffffffff);
  }

 private:
  const Bytes& data_;
  std::size_t at_ = 0;
  bool cut_short_ = false;
};

}  // namespace

std::optional<std::string> WrittenWithDataNumbers(const Bytes& data, std::uint64_t sender, std::uint64_t receiver) {
  constexpr std::uint64_t kDss = 2, kFail = 6;  // section 7.2
  constexpr std::uint64_t kDataFin = 0x10, kLongSequence = 0x08, kHasMapping = 0x04, kLongAck = 0x02, kHasAck = 0x01;
  Fields fields(data);
  const std::uint64_t subtype = fields.Take(1) >> 4;
  const std::uint64_t flags = fields.Take(1);
  std::string text;
  if (subtype == kFail) {
    text = "mp_fail" + fields.TakeNumber("dsn", true, sender);
  } else if (subtype == kDss) {
    text = "dss";
    if ((flags & kHasAck) != 0) text += fields.TakeNumber("dack", (flags & kLongAck) != 0, receiver);
    if ((flags & kHasMapping) != 0) {
      text += fields.TakeNumber("dsn", (flags & kLongSequence) != 0, sender);
      text += fmt::format(" ssn={}", fields.Take(4));
      text += fmt::format(" dll={}", fields.Take(2));
    }
    text += fields.left() == 0 ? " nocs" : fmt::format(" cksum={}", fields.Take(2));
    if ((flags & kDataFin) != 0) text += " fin";
  } else {
    return std::nullopt;
  }
  return fields.cut_short() || fields.left() != 0 ? std::nullopt : std::optional(text);
}

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
