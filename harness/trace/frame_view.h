// What a ladder wants to know of a frame, well-formed or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/packet/bytes.h"

namespace sockproof {

// The TCP segment in a frame, with absolute numbers.
struct TcpView {
  std::string source;  // address
  std::string destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint16_t flags = 0;  // the twelve bits after the data offset; FIN is 1
  std::uint16_t window = 0;
  std::uint16_t urgent_pointer = 0;
  Bytes options;  // as they are; empty with a data offset that makes no sense
  Bytes payload;
  std::string defect;  // "bad checksum", "data offset 3"; empty when there is none
};

// The ends of a UDP datagram: "192.0.2.1", 53.
struct UdpView {
  std::string source;  // address
  std::string destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

struct FrameView {
  std::optional<TcpView> tcp;
  std::optional<UdpView> udp;
  std::string source, destination;  // addresses of an IP packet that is not TCP
  std::string kind;            // of what is not TCP, the same in each run: "ARP who-has 192.0.2.2"
  std::string other;           // all that is said of it: "UDP 40000>53 len=5 \"hello\""
  std::string defect;          // of what is not TCP
  bool is_resolution = false;  // ARP or neighbour discovery for an address
  bool is_noise = false;       // housekeeping that every link has and no test is about
};

// Never throws.
FrameView DecodeFrame(const Bytes& frame);

}  // namespace sockproof
