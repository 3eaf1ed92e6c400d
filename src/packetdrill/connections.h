// The connections of a script: which one a packet is of, and what packets and calls tell of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/packet.h"
#include "src/packetdrill/flow.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

class Connections {
 public:
  // Where sockets are bound and connect to, unless a script says otherwise.
  Connections(const Endpoint& bind, const Endpoint& connect) : bind_(bind), connect_(connect) {}

  // Of a new socket or connection; packets of the script are of it from here on.
  Flow& Add();
  // The last one; nullptr: there is none.
  Flow* current() { return current_; }

  // That of a packet of the script; a SYN to a socket that listens is of a new one. Throws SyntaxError where there
  // is none.
  Flow& Of(const Event& event, const PacketEvent& packet);
  // A SYN from a port that is not known yet is of `flow`, unless it is one of another connection again.
  bool IsOf(const Flow& flow, const packet::Packet& packet) const;

  // Addresses by the names that a script gives them. nullptr: none has this one yet.
  const IpAddress* AddressOf(const std::string& name) const;
  void Name(const std::string& name, const IpAddress& address) { names_[name] = address; }
  // One of the other end that no connection has had.
  IpAddress AnotherRemoteAddress();
  // Whether the script names addresses, and this packet is of one of its connections: it may come to it.
  bool MayComeTo(const packet::Packet& packet) const;

  // What the packet that is about to be injected means.
  static void Injects(Flow& flow, const PacketEvent& packet);
  // What the packet that was expected tells.
  void Learn(Flow& flow, const PacketEvent& packet, const packet::Packet& seen) const;

  // Whose socket has that descriptor; nullptr: none.
  Flow* OfDescriptor(std::int64_t live);
  void Connects(Flow& flow) const;
  // By accept(), from that port of the other end; 0: it is not known.
  void Accepted(std::int64_t live, std::uint16_t port);

 private:
  Flow& Accepting(const TcpPart& tcp);
  // A subflow of Multipath TCP that begins.
  Flow& Joining(const PacketEvent& packet, const TcpPart& tcp);
  Flow& OfConnection(const Event& event, const PacketEvent& packet);
  void Select(const PacketEvent& packet);
  IpAddress Named(const std::string& name, const IpAddress& otherwise);

  const Endpoint bind_, connect_;
  std::vector<std::unique_ptr<Flow>> flows_;
  Flow* current_ = nullptr;
  std::uint16_t next_port_ = 40000;  // of the other end
  std::map<std::string, IpAddress> names_;
  std::uint8_t more_addresses_ = 0;  // of the other end
};

}  // namespace sockproof::packetdrill
