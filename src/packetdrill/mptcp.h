// Multipath TCP in scripts: what the names and numbers of its options stand for on the wire. RFC 8684.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "harness/packet/packet.h"
#include "src/packetdrill/connections.h"
#include "src/packetdrill/flow.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// Of the one connection of a script. Its keys are known as they are seen; the addresses by name are those of the
// subflows.
class Mptcp {
 public:
  // libcrypto is set up here if the script has such options: that takes a while.
  Mptcp(Connections& connections, const Script& script);

  // The packet with its options of MPTCP as they go over the wire. Throws SyntaxError for a name that is not known.
  PacketEvent ToInject(const PacketEvent& event, Position where, Flow& flow);
  // The same of one that is expected: what the script leaves open is as it came.
  PacketEvent Expected(const PacketEvent& event, Position where, const packet::Packet& seen, Flow& flow);

 private:
  class Writer;
  // What the flow is to tell of data sequence numbers.
  void TellNumbers(Flow& flow) const;
  std::uint64_t KeyOf(const MptcpOption::Key& key, Position where) const;
  std::uint64_t OwnKey() const;
  std::uint64_t SystemKey() const;

  Connections& connections_;
  std::map<std::string, std::uint64_t> keys_;
  std::optional<std::uint64_t> own_key_, system_key_;
  std::map<std::string, std::uint8_t> address_ids_;
  std::uint8_t last_own_id_ = 0;
};

}  // namespace sockproof::packetdrill
