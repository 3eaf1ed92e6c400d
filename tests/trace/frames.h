// Frames and events for the tests of this folder. The frames are made with libtins: another
// implementation of the formats than the one under test.
#pragma once

#include <tins/tins.h>

#include <cstdint>
#include <string>

#include "harness/trace/event.h"

namespace sockproof {

inline constexpr char kSutAddress[] = "192.0.2.1";
inline constexpr char kPeerAddress[] = "192.0.2.2";

inline Time At(Duration since_start) {
  return FromNanoseconds(1'700'000'000'000'000'000) + since_start;
}

// A segment from port 40000 to port 80, or from 80 to 40000 (Reply).
inline Tins::TCP Segment(int flags, std::uint32_t seq, std::uint32_t ack = 0,
                         std::uint16_t source_port = 40000, std::uint16_t destination_port = 80) {
  Tins::TCP tcp(destination_port, source_port);
  tcp.flags(Tins::small_uint<12>(static_cast<std::uint16_t>(flags)));
  tcp.seq(seq);
  tcp.ack_seq(ack);
  tcp.window(1024);
  return tcp;
}

inline Tins::TCP Reply(int flags, std::uint32_t seq, std::uint32_t ack = 0) {
  return Segment(flags, seq, ack, 80, 40000);
}

// The frame that carries `tcp` between two addresses of either version.
inline Bytes Frame(const std::string& source, const std::string& destination, Tins::TCP tcp,
                   const std::string& payload = "") {
  Tins::EthernetII ethernet("02:00:00:00:00:02", "02:00:00:00:00:01");
  if (!payload.empty()) tcp /= Tins::RawPDU(payload);
  if (source.find(':') == std::string::npos) {
    ethernet /= Tins::IP(destination, source) / tcp;
  } else {
    ethernet /= Tins::IPv6(destination, source) / tcp;
  }
  return ethernet.serialize();
}

inline Event FromSut(Duration time, Bytes bytes) {
  return {At(time), FrameEvent{"sut", "peer", Fate::kReceived, Duration(0), std::move(bytes)}};
}
inline Event FromSut(Duration time, const Tins::TCP& tcp, const std::string& payload = "") {
  return FromSut(time, Frame(kSutAddress, kPeerAddress, tcp, payload));
}

inline Event FromPeer(Duration time, Bytes bytes) {
  return {At(time), FrameEvent{"peer", "sut", Fate::kSent, Duration(0), std::move(bytes)}};
}
inline Event FromPeer(Duration time, const Tins::TCP& tcp, const std::string& payload = "") {
  return FromPeer(time, Frame(kPeerAddress, kSutAddress, tcp, payload));
}

}  // namespace sockproof
