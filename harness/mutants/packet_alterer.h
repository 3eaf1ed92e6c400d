// What an alteration does to packets that carry no TCP, and to fragments, on the wire of one stack.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "harness/mutants/alteration.h"
#include "harness/packet/packet.h"
#include "harness/wire/port.h"

namespace sockproof {

// Picks the packets that a selection is about; to be asked about each frame, in order.
class PacketPicker {
 public:
  explicit PacketPicker(const PacketSelection& selection) : selection_(selection) {}

  // `by_system`: the system sent it, else the system receives it.
  bool Picks(const packet::Packet& frame, bool by_system);

 private:
  bool Fits(const packet::Packet& frame) const;

  PacketSelection selection_;
  int matching_ = 0;
};

// Both directions of one wire.
class PacketAlterer {
 public:
  // `applied` is called whenever a frame has been altered.
  PacketAlterer(const PacketAlteration& alteration, std::function<void()> applied)
      : alteration_(alteration), picker_(alteration), applied_(std::move(applied)) {}

  std::vector<WirePort::Tampered> FromSystem(Bytes frame) { return Alter(std::move(frame), true); }
  std::vector<WirePort::Tampered> ToSystem(Bytes frame) { return Alter(std::move(frame), false); }

 private:
  std::vector<WirePort::Tampered> Alter(Bytes frame, bool by_system);
  packet::Packet Edited(packet::Packet frame) const;
  std::vector<WirePort::Tampered> PutTogether(const packet::Packet& fragment);
  static std::vector<WirePort::Tampered> CutUp(const packet::Packet& whole);

  PacketAlteration alteration_;
  PacketPicker picker_;
  std::function<void()> applied_;
  // Of kPutTogether and kFillGaps: the fragments of the packet that is not whole yet, one at a
  // time.
  std::vector<packet::Packet> fragments_;
  bool ended_ = false;  // by kEnd
  // Of the datagram that the system sent last: from, to.
  std::optional<std::pair<std::uint16_t, std::uint16_t>> last_ports_;
};

}  // namespace sockproof
