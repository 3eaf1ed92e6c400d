// Fragments of IP packets (RFC 791 section 3.2, RFC 8200 section 4.5), as a router or a source
// makes them, or as nobody should: in any order, overlapping, with gaps, with other octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "harness/packet/packet.h"

namespace sockproof::packet {

// What one fragment carries, counted from the first octet behind the IP header, or, with IPv6,
// behind the headers that each fragment repeats.
struct FragmentPiece {
  std::size_t offset = 0;              // a multiple of 8
  std::size_t size = 0;                // as far as the packet has so many
  std::optional<bool> more_fragments;  // unset: whether the packet goes on behind it
  std::optional<Bytes> octets;         // instead of those of the packet
};

// `whole`: a packet with an IP header. One fragment a piece, in their order. Throws HarnessError
// when an offset cannot be written or there is no IP header.
std::vector<Packet> Fragments(const Packet& whole, std::uint32_t identification,
                              const std::vector<FragmentPiece>& pieces);

// As a router does it: each but the last of the most octets that fit `mtu`, a multiple of 8.
std::vector<Packet> FragmentsOfMtu(const Packet& whole, std::uint32_t identification,
                                   std::size_t mtu);

// Puts packets together again, as a receiver does that wants every octet once, or again only from a
// fragment that is the same as one before. Of all others it takes no notice. Bounded: of the
// packets that are not whole yet it keeps the newest.
class Reassembly {
 public:
  struct Whole {
    Packet packet;
    std::vector<Packet> fragments;  // in the order in which they came
  };

  // The packet that this fragment completes. Nothing of what is no fragment.
  std::optional<Whole> Take(const Packet& fragment);

 private:
  struct Part {
    IpAddress source, destination;
    std::uint32_t identification = 0;
    std::uint8_t protocol = 0;
    std::vector<Packet> fragments;
  };
  std::list<Part> parts_;
};

}  // namespace sockproof::packet
