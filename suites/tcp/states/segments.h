// The segments of the table of states and segments, by the checks of RFC 9293 section 3.10.7 at
// which they are aimed.
#pragma once

#include <array>
#include <cstdint>

#include "harness/wire/partial_segment.h"

namespace sockproof::states {

// Numbers of the system under test when the segment is sent, by the names of RFC 9293
// section 3.3.1. Where there is no RCV.NXT yet (CLOSED, LISTEN, SYN-SENT) it is the ISS of the
// peer.
struct Numbers {
  std::uint32_t rcv_nxt = 0, irs = 0;
  std::uint32_t snd_una = 0, snd_nxt = 0;
};

struct SegmentRow {
  const char* name;
  PartialSegment (*make)(const Numbers& at);
};

inline constexpr std::uint32_t kInside = 10;           // past RCV.NXT, within any window
inline constexpr std::uint32_t kFarAway = 0x40000000;  // past any window
inline constexpr std::uint32_t kLongAgo = 0x10000000;  // before any window of the peer
inline constexpr TcpFlags kAllFlags = kFin | kSyn | kRst | kPsh | kAck | kUrg;

inline constexpr auto kSegments = std::to_array<SegmentRow>({
    // First, the sequence number; second, RST.
    {"rst-of-rcv-nxt", [](const Numbers& at) { return Rst().Seq(at.rcv_nxt); }},
    {"rst-inside-the-window", [](const Numbers& at) { return Rst().Seq(at.rcv_nxt + kInside); }},
    {"rst-below-the-window", [](const Numbers& at) { return Rst().Seq(at.rcv_nxt - 1); }},
    {"rst-beyond-the-window", [](const Numbers& at) { return Rst().Seq(at.rcv_nxt + kFarAway); }},
    {"rst-ack-of-rcv-nxt",
     [](const Numbers& at) { return Rst().With(kAck).Seq(at.rcv_nxt).Ack(at.snd_nxt); }},
    {"rst-that-acknowledges-too-much",
     [](const Numbers& at) { return Rst().With(kAck).Seq(at.rcv_nxt).Ack(at.snd_nxt + 1); }},
    // Fourth, SYN.
    {"syn-of-rcv-nxt", [](const Numbers& at) { return Syn().Seq(at.rcv_nxt); }},
    {"syn-inside-the-window", [](const Numbers& at) { return Syn().Seq(at.rcv_nxt + kInside); }},
    {"syn-below-the-window", [](const Numbers& at) { return Syn().Seq(at.rcv_nxt - kInside); }},
    {"syn-beyond-the-window", [](const Numbers& at) { return Syn().Seq(at.rcv_nxt + kFarAway); }},
    {"syn-again", [](const Numbers& at) { return Syn().Seq(at.irs); }},
    {"syn-with-data",
     [](const Numbers& at) { return Syn().Seq(at.rcv_nxt).Payload("with the SYN"); }},
    {"syn-fin", [](const Numbers& at) { return Syn().With(kFin).Seq(at.rcv_nxt); }},
    {"syn-rst", [](const Numbers& at) { return Syn().With(kRst).Seq(at.rcv_nxt); }},
    {"syn-ack-of-rcv-nxt",
     [](const Numbers& at) { return SynAck().Seq(at.rcv_nxt).Ack(at.snd_nxt); }},
    {"syn-ack-that-acknowledges-too-much",
     [](const Numbers& at) { return SynAck().Seq(at.rcv_nxt).Ack(at.snd_nxt + 1); }},
    // Fifth, ACK.
    {"ack-of-all", [](const Numbers& at) { return Ack().Seq(at.rcv_nxt).Ack(at.snd_nxt); }},
    {"ack-of-nothing-new", [](const Numbers& at) { return Ack().Seq(at.rcv_nxt).Ack(at.snd_una); }},
    {"ack-of-what-was-not-sent",
     [](const Numbers& at) { return Ack().Seq(at.rcv_nxt).Ack(at.snd_nxt + 1); }},
    {"ack-of-long-ago",
     [](const Numbers& at) { return Ack().Seq(at.rcv_nxt).Ack(at.snd_una - kLongAgo); }},
    {"ack-below-the-window",
     [](const Numbers& at) { return Ack().Seq(at.rcv_nxt - 1).Ack(at.snd_nxt); }},
    {"ack-beyond-the-window",
     [](const Numbers& at) { return Ack().Seq(at.rcv_nxt + kFarAway).Ack(at.snd_nxt); }},
    // Sixth, URG; seventh, text.
    {"data-of-rcv-nxt",
     [](const Numbers& at) { return Data("data").Seq(at.rcv_nxt).Ack(at.snd_nxt); }},
    {"data-that-acknowledges-nothing-new",
     [](const Numbers& at) { return Data("data").Seq(at.rcv_nxt).Ack(at.snd_una); }},
    {"data-behind-a-gap",
     [](const Numbers& at) { return Data("data").Seq(at.rcv_nxt + kInside).Ack(at.snd_nxt); }},
    {"data-below-the-window",
     [](const Numbers& at) { return Data("data").Seq(at.rcv_nxt - kInside).Ack(at.snd_nxt); }},
    {"data-beyond-the-window",
     [](const Numbers& at) { return Data("data").Seq(at.rcv_nxt + kFarAway).Ack(at.snd_nxt); }},
    {"data-without-ack",
     [](const Numbers& at) { return Flags(kPsh).Seq(at.rcv_nxt).Payload("data"); }},
    {"data-damaged",
     [](const Numbers& at) { return Data("data").Seq(at.rcv_nxt).Ack(at.snd_nxt).BadChecksum(); }},
    // Eighth, FIN.
    {"fin-of-rcv-nxt", [](const Numbers& at) { return Fin().Seq(at.rcv_nxt).Ack(at.snd_nxt); }},
    {"fin-that-acknowledges-nothing-new",
     [](const Numbers& at) { return Fin().Seq(at.rcv_nxt).Ack(at.snd_una); }},
    {"fin-with-data",
     [](const Numbers& at) { return Fin().Seq(at.rcv_nxt).Ack(at.snd_nxt).Payload("data"); }},
    {"fin-behind-a-gap",
     [](const Numbers& at) { return Fin().Seq(at.rcv_nxt + kInside).Ack(at.snd_nxt); }},
    {"fin-below-the-window",
     [](const Numbers& at) { return Fin().Seq(at.rcv_nxt - 1).Ack(at.snd_nxt); }},
    {"fin-without-ack", [](const Numbers& at) { return Flags(kFin).Seq(at.rcv_nxt); }},
    // Of no check.
    {"no-flags", [](const Numbers& at) { return Flags(0).Seq(at.rcv_nxt); }},
    {"all-flags",
     [](const Numbers& at) { return Flags(kAllFlags).Seq(at.rcv_nxt).Ack(at.snd_nxt); }},
});

}  // namespace sockproof::states
