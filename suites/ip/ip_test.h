// What IP does below UDP: a socket that takes datagrams, so that it shows which packets arrive.
#pragma once

#include <string>
#include <vector>

#include "suites/udp/udp_test.h"

namespace sockproof {

class IpTest : public UdpTest {
 public:
  using UdpTest::UdpTest;

 protected:
  // In the order in which the pieces of a packet of so many octets behind IP are cut; each of
  // `size`, a multiple of 8, but for the last.
  static std::vector<packet::FragmentPiece> PiecesOf(std::size_t octets, std::size_t size) {
    std::vector<packet::FragmentPiece> pieces;
    for (std::size_t at = 0; at < octets; at += size)
      pieces.push_back({.offset = at, .size = size});
    return pieces;
  }
  // Octets of a datagram behind IP.
  static std::size_t SizeOf(const std::string& text) { return 8 + text.size(); }

  // The system lives, and what was sent before got no answer: an echo is the next ICMP message.
  void ExpectNothingButEcho() {
    host.Send(ip, EchoRequest("still there?"));
    host.Expect(EchoReply("still there?"));
  }
};

}  // namespace sockproof
