// Captures: files of tcpdump (pcap, pcapng) and of tests of ours. Whatever is in such a file may be
// hostile: lengths are checked, sizes bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

// A frame at its place in a capture.
struct CapturedFrame {
  int number = 0;  // from 1 on, as programs that show captures count
  Time time;
  std::string from;  // the actor that sent it; empty: not known
  std::string to;
  Fate fate = Fate::kReceived;  // what became of it on the way
  Duration delay{0};
  Bytes bytes;  // from an Ethernet header on, made up where the link has another
};

struct Capture {
  std::vector<CapturedFrame> frames;  // in order of time
  std::vector<std::string> remarks;   // what could not be read, and why; may quote the file
};

// A pcap or pcapng file. Links of Ethernet, raw IP, BSD loopback and Linux "cooked" are understood.
// What comes after a malformed block is left out, with a remark. Throws std::invalid_argument for
// what is no capture at all.
Capture ReadCapture(std::string_view file);

// Whether it has the frames of `known`, and in its order.
bool HasFramesOf(const Capture& capture, const Capture& known);
// Where frame by frame they are the same: takes over who sent them, and what became of them.
void TakeFates(Capture& capture, const Capture& known);

// The frames of a test.
Capture CaptureOf(const std::vector<Event>& events);

}  // namespace sockproof
