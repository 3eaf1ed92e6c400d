// Packets as values, and their form as octets: the one place that knows how headers are laid out.
//
//   Packet{{Ethernet{...}, Ipv4{.source = a, .destination = b}, Udp{.destination_port = 53}}, data}
//
// Reading takes anything and never throws; writing makes anything, right unless told otherwise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/packet/bytes.h"
#include "harness/packet/layers.h"

namespace sockproof::packet {

struct Packet {
  std::vector<Layer> layers;  // outermost first
  Bytes payload;              // of the innermost layer
  // Behind the IP packet. Unset: the zeros that Ethernet needs for its shortest frame.
  std::optional<Bytes> trailer;

  // The outermost layer of a type.
  template <typename Wanted>
  const Wanted* Find() const {
    for (const Layer& layer : layers) {
      if (const auto* found = std::get_if<Wanted>(&layer)) return found;
    }
    return nullptr;
  }
  template <typename Wanted>
  Wanted* Find() {
    return const_cast<Wanted*>(std::as_const(*this).Find<Wanted>());
  }
  bool operator==(const Packet&) const = default;
};

// Layers are read as far as they are there; from a header that is cut short or does not fit, all is
// payload. So is what a fragment carries (ReadTransport() reads it).
Packet ReadFrame(View frame);
Packet ReadIp(View packet);  // of either version, by its first four bits
Packet ReadTransport(std::uint8_t protocol, View bytes);

// A field that is too narrow for its right value is written modulo its width; a header length of
// four bits as 15.
Bytes Write(const Packet& packet);

// The same without the fields that can be computed: after a change, or to see whether they differ.
Packet Recomputed(Packet packet);

// The protocol number of a layer: what the header before it says of it; nothing of Ethernet, ARP.
std::optional<std::uint8_t> ProtocolOf(const Layer& layer);

// Octets of the header with its options, whatever its length field says.
std::size_t HeaderSize(const Ipv4& ip);
std::size_t HeaderSize(const Tcp& tcp);

// Where the packet goes in the end, which checksums cover: its destination, or the last address of
// a route on which there is still one to go to (RFC 791 section 3.1, RFC 8200 section 8.1).
// Of the outermost IP header; 0.0.0.0 without.
IpAddress FinalDestination(const Packet& packet);

bool IsFragment(const Packet& packet);

// What is wrong with a packet, the gravest first: "cut short", "data offset 3", "bad checksum",
// "bad IP checksum". Fields that are unset are right.
std::vector<std::string> Defects(const Packet& packet);

// Of the innermost layer that has one; true when none has.
bool IsChecksumRight(const Packet& packet);

// The IP packet ends before its length field says so.
bool IsCutShort(const Packet& packet);

}  // namespace sockproof::packet
