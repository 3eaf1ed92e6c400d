#include "src/judge/segment_of.h"

#include <algorithm>

namespace sockproof {
namespace {

constexpr std::size_t kEthernet = 14;

std::uint32_t Number(const Bytes& bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + size; ++i) value = value << 8 | bytes[i];
  return value;
}

// Octets of the packet that the capture left out (tcpdump -s).
std::uint32_t Missing(const Bytes& frame, bool is_ipv6) {
  if (frame.size() < kEthernet + 20) return 0;
  const std::size_t size =
      is_ipv6 ? 40 + Number(frame, kEthernet + 4, 2) : Number(frame, kEthernet + 2, 2);
  const std::size_t captured = frame.size() - kEthernet;
  return size > captured ? static_cast<std::uint32_t>(size - captured) : 0;
}

// False when they are malformed.
bool ReadOptions(const Bytes& options, oracle::Segment& segment) {
  constexpr std::uint8_t kEnd = 0, kNop = 1, kMss = 2, kScale = 3, kTimestamps = 8;
  for (std::size_t at = 0; at < options.size();) {
    if (options[at] == kEnd) {
      return std::all_of(options.begin() + static_cast<std::ptrdiff_t>(at), options.end(),
                         [](std::uint8_t octet) { return octet == 0; });
    }
    if (options[at] == kNop) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size()) return false;
    const std::size_t size = options[at + 1];
    if (size < 2 || at + size > options.size()) return false;
    if (options[at] == kMss && size == 4) {
      segment.mss = static_cast<std::uint16_t>(Number(options, at + 2, 2));
    } else if (options[at] == kScale && size == 3) {
      segment.scale = options[at + 2];
    } else if (options[at] == kTimestamps && size == 10) {
      segment.timestamps = {Number(options, at + 2, 4), Number(options, at + 6, 4)};
    }
    at += size;
  }
  return true;
}

}  // namespace

oracle::Segment SegmentOf(const TcpView& tcp, const Bytes& frame) {
  oracle::Segment segment;
  segment.flags = tcp.flags;
  segment.seq = tcp.seq;
  segment.ack = tcp.ack;
  segment.window = tcp.window;
  segment.urgent = tcp.urgent_pointer;
  segment.is_ipv6 = tcp.source.find(':') != std::string::npos;
  segment.text = static_cast<std::uint32_t>(tcp.payload.size());
  segment.options = static_cast<std::uint16_t>(tcp.options.size());
  segment.defect = tcp.defect;
  if (tcp.defect == "cut short") {
    segment.text += Missing(frame, segment.is_ipv6);
    segment.defect.clear();
  }
  segment.has_bad_options = !ReadOptions(tcp.options, segment);
  return segment;
}

}  // namespace sockproof
