// An option of Multipath TCP as a script writes it: keys by name, numbers that count from initial ones, hashes
// left to who runs it. RFC 8684; the words are those of multipath-tcp/packetdrill.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/bytes.h"

namespace sockproof::packetdrill {

struct MptcpOption {
  enum class Kind {
    kCapable, kJoinSyn, kJoinSynAck, kJoinAck, kDss, kAddAddress, kRemoveAddress, kPriority, kFail, kFastClose, kReset,
  };
  struct Key {
    std::string name;
    std::optional<std::uint64_t> value;  // given where it is named
  };
  // Of data, from the initial data sequence number on; none: as it comes.
  struct Number {
    bool is_long = false;  // of 64 bits
    std::optional<std::uint64_t> value;
  };

  Kind kind = Kind::kCapable;
  std::uint8_t version = 1;
  std::uint8_t flags = 0;
  std::vector<Key> keys;                     // those of kCapable; the one of kFastClose; of kJoinSyn: whose token
  std::optional<std::uint32_t> token;        // as a number
  std::optional<std::uint32_t> random;       // of the sender of kJoinSyn and kJoinSynAck
  std::optional<std::uint8_t> address_id;
  std::vector<std::uint8_t> address_ids;     // of kRemoveAddress
  bool is_backup = false;
  std::optional<Number> data_ack, data_sequence;
  std::optional<std::uint32_t> subflow_sequence;
  std::optional<std::uint16_t> data_length;  // of kDss and kCapable
  bool has_checksum = false;
  std::optional<std::uint16_t> checksum;
  bool is_data_fin = false;
  std::string address_name;
  std::optional<IpAddress> address;          // given where it is named
  std::optional<std::uint16_t> port;
  bool is_echo = false;
  std::uint8_t reason = 0;                   // of kReset

  // What it takes with kind and length, on addresses of that version.
  std::size_t size(IpVersion version) const;
};

// A DSS or an MP_FAIL from its subtype on, as a script writes it: numbers count from the initial ones of who sends and
// who receives. Nothing for another option, and for one that is cut short.
std::optional<std::string> WrittenWithDataNumbers(const Bytes& data, std::uint64_t sender, std::uint64_t receiver);

// By its place in the options of a segment.
using MptcpOptions = std::vector<std::pair<std::size_t, MptcpOption>>;

}  // namespace sockproof::packetdrill
