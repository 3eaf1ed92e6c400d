// Fragments of IP packets (RFC 791 section 3.2, RFC 8200 section 4.5), as a router or a source
// makes them, or as nobody should: in any order, overlapping, with gaps, with other octets.
#pragma once

#include <cstddef>
#include <cstdint>
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

}  // namespace sockproof::packet
