// A connection of a script: its numbers in the script and those on the wire.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "harness/net/ip.h"
#include "harness/packet/packet.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// Sequence numbers in scripts: that of a SYN is what it says; all others count from the initial one,
// which is 0.
struct Flow {
  enum class State {
    kNew,             // socket()
    kListening,       // listen()
    kSynReceived,     // a SYN was injected
    kSynAckSent,      // and answered
    kSynAckAnswered,  // and that was acknowledged
    kConnecting,      // connect()
    kSynSent,
    kConnected,
  };
  State state = State::kNew;
  int protocol = 6;
  bool is_multipath = false;  // of a socket of MPTCP
  std::int64_t live_descriptor = -1;
  Endpoint local, remote;  // on the wire; a local port of 0: not known yet
  std::uint32_t script_local_isn = 0, script_remote_isn = 0;
  std::uint32_t live_local_isn = 0, live_remote_isn = 0;
  std::map<std::uint32_t, std::uint32_t> timestamps;  // of what was expected, to what was seen
  std::optional<std::pair<std::uint32_t, std::uint32_t>> first_timestamp;  // the same, of the first
  std::map<std::uint32_t, std::uint32_t> flow_labels;  // the same
  // The initial data sequence numbers of the system and of this end, as far as known.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> initial_data;
  std::uint32_t own_random = 0, system_random = 0;     // of the MP_JOINs that began this subflow

  std::uint32_t LocalOffset(bool syn) const {
    return syn ? live_local_isn - script_local_isn : live_local_isn;
  }
  std::uint32_t RemoteOffset(bool syn) const { return syn ? 0 : live_remote_isn; }

  // Whether the packet goes out by this connection: also the first SYN, from a port not known yet.
  bool Sends(const packet::Packet& packet) const;
  // Whether it leaves from the port of this connection.
  bool IsFrom(const packet::Packet& packet) const;
};

// Whether it is the name of a type, or of a code, of ICMP or ICMPv6.
bool IsIcmpType(const std::string& name);
bool IsIcmpCode(const std::string& name);

// How packets are made and judged, from the options of the script.
struct PacketRules {
  std::uint16_t mtu = 1500;
  bool any_timestamp_echo = false;  // TSecr of what is injected may be one that was never sent
  Duration timestamp_tick{0};       // 0: TSval of what is expected may be any
  bool strict_segments = false;
  bool zeros_only = true;  // what is sent is all zeros
};

// The packet to inject, on the wire. Throws SyntaxError for a TSecr without a TSval, Skip for an
// unknown ICMP type.
packet::Packet MakePacket(const PacketEvent& event, Position where, const Flow& flow,
                          const PacketRules& rules);

// Takes note of what the expected packet and the one that came say of each other (TSval, ISN), and
// tells what is different; empty: nothing. `tolerance`: of a TSval.
std::string Judge(const PacketEvent& event, Position where, const packet::Packet& seen, Flow& flow,
                  const PacketRules& rules, Duration tolerance);

// The packet as a script writes it: "P. 1:1001(1000) ack 1 win 256 <nop>", without the window if that is
// not to be told.
std::string Written(const packet::Packet& packet, const Flow* flow, bool outbound,
                    bool window = true);

// "icmp unreachable frag_needed mtu 1200", without what it is about. Nothing for one that scripts have no
// name for.
std::optional<std::string> Written(const packet::Icmp& icmp);

}  // namespace sockproof::packetdrill
