#include "tests/oracle/change_segment.h"

#include "harness/trace/frame_view.h"

namespace sockproof {
namespace {

constexpr std::size_t kEthernet = 14;
constexpr std::uint8_t kFinFlag = 1, kRstFlag = 4, kAckFlag = 16;

// Where the TCP header is; there are no IPv6 extension headers in our captures.
std::size_t TcpHeader(const Bytes& frame) {
  const bool is_ipv4 = frame[12] == 8;
  return is_ipv4 ? kEthernet + 4 * (frame[kEthernet] & 0xf) : kEthernet + 40;
}

void Add(Bytes& frame, std::size_t at, std::uint32_t value) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) number = number << 8 | frame[i];
  number += value;
  for (std::size_t i = at + 4; i-- > at; number >>= 8) {
    frame[i] = static_cast<std::uint8_t>(number & 0xff);
  }
}

// RFC 1071, over pseudo-header and segment.
void MendChecksum(Bytes& frame) {
  const bool is_ipv4 = frame[12] == 8;
  const std::size_t tcp = TcpHeader(frame);
  const std::size_t end =
      is_ipv4
          ? kEthernet + static_cast<std::size_t>(frame[kEthernet + 2] << 8 | frame[kEthernet + 3])
          : kEthernet + 40 +
                static_cast<std::size_t>(frame[kEthernet + 4] << 8 | frame[kEthernet + 5]);
  frame[tcp + 16] = frame[tcp + 17] = 0;
  std::uint64_t sum = 6 + (end - tcp);
  const std::size_t addresses = is_ipv4 ? kEthernet + 12 : kEthernet + 8;
  const auto add = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      sum += (i - from) % 2 == 0 ? static_cast<std::uint64_t>(frame[i]) << 8 : frame[i];
    }
  };
  add(addresses, addresses + (is_ipv4 ? 8 : 32));
  add(tcp, end);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  frame[tcp + 16] = static_cast<std::uint8_t>(~sum >> 8 & 0xff);
  frame[tcp + 17] = static_cast<std::uint8_t>(~sum & 0xff);
}

}  // namespace

std::string ChangeName(Change change) {
  static constexpr const char* kNames[] = {"ack+1",       "ack-1",     "seq+1",   "seq-1",
                                           "RST instead", "FIN added", "dropped", "twice"};
  return kNames[static_cast<std::size_t>(change)];
}

std::vector<std::size_t> SegmentsOfSystem(const Capture& capture) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < capture.frames.size(); ++i) {
    if (capture.frames[i].from != "sut") continue;
    const FrameView view = DecodeFrame(capture.frames[i].bytes);
    if (view.tcp && view.tcp->defect.empty()) places.push_back(i);
  }
  return places;
}

bool ChangeSegment(Capture& capture, std::size_t place, Change change) {
  Bytes& frame = capture.frames[place].bytes;
  const std::size_t tcp = TcpHeader(frame);
  std::uint8_t& flags = frame[tcp + 13];
  switch (change) {
    case Change::kAckMore:
    case Change::kAckLess:
      if ((flags & kAckFlag) == 0) return false;
      Add(frame, tcp + 8, change == Change::kAckMore ? 1 : UINT32_MAX);
      break;
    case Change::kSeqMore:
    case Change::kSeqLess:
      Add(frame, tcp + 4, change == Change::kSeqMore ? 1 : UINT32_MAX);
      break;
    case Change::kReset:
      if ((flags & kRstFlag) != 0) return false;
      flags = kRstFlag;
      break;
    case Change::kFin:
      if ((flags & (kFinFlag | kRstFlag)) != 0) return false;
      flags |= kFinFlag;
      break;
    case Change::kDropped:
      capture.frames.erase(capture.frames.begin() + static_cast<std::ptrdiff_t>(place));
      return true;
    case Change::kTwice: {
      const CapturedFrame copy = capture.frames[place];
      capture.frames.insert(capture.frames.begin() + static_cast<std::ptrdiff_t>(place), copy);
      return true;
    }
  }
  MendChecksum(frame);
  return true;
}

}  // namespace sockproof
