// What can be said of a frame, well-formed or not (RFC 9293 section 3.1, RFC 791, RFC 8200). A
// packet library refuses malformed frames, and those are the ones that tests make on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/trace/event.h"

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

struct FrameView {
  std::optional<TcpView> tcp;
  std::string other;           // of what is not TCP: "ARP who-has 192.0.2.2"
  bool is_resolution = false;  // ARP or neighbour discovery for an address
  bool is_noise = false;       // IPv6 housekeeping that every link has and no test is about
};

// Never throws.
FrameView DecodeFrame(const Bytes& frame);

}  // namespace sockproof
