// pcapng: draft-ietf-opsawg-pcapng; pcap: draft-ietf-opsawg-pcap; link types: tcpdump.org.
#include "src/judge/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace sockproof {
namespace {

constexpr std::size_t kMostFrames = 5'000'000;
constexpr std::size_t kMostInterfaces = 1024;
constexpr std::size_t kMostRemarks = 20;
constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd;

// Numbers of a file, in its byte order. Reads beyond the end throw std::out_of_range.
class Reader {
 public:
  Reader(std::string_view bytes, bool is_big) : bytes_(bytes), is_big_(is_big) {}

  std::size_t left() const { return bytes_.size(); }
  std::string_view Take(std::size_t count) {
    if (count > bytes_.size()) throw std::out_of_range("cut short");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::uint32_t U32() { return Number(4); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Number(2)); }

 private:
  std::uint32_t Number(std::size_t size) {
    std::uint32_t value = 0;
    const std::string_view taken = Take(size);
    for (std::size_t i = 0; i < size; ++i) {
      const auto byte = static_cast<unsigned char>(taken[is_big_ ? i : size - 1 - i]);
      value = value << 8 | byte;
    }
    return value;
  }

  std::string_view bytes_;
  bool is_big_;
};

std::uint16_t BigU16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

// An Ethernet frame around an IP packet.
Bytes AsFrame(std::uint16_t type, std::string_view packet) {
  Bytes frame(12);
  frame.push_back(static_cast<std::uint8_t>(type >> 8));
  frame.push_back(static_cast<std::uint8_t>(type & 0xff));
  frame.insert(frame.end(), packet.begin(), packet.end());
  // A packet that is to be segmented later may be too large for its length field.
  if (type == kIpv4 && packet.size() >= 20 && BigU16(packet, 2) == 0 &&
      packet.size() <= UINT16_MAX) {
    frame[16] = static_cast<std::uint8_t>(packet.size() >> 8);
    frame[17] = static_cast<std::uint8_t>(packet.size() & 0xff);
  }
  return frame;
}

std::optional<Bytes> FrameOfIp(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  const int version = static_cast<unsigned char>(packet[0]) >> 4;
  if (version != 4 && version != 6) return std::nullopt;
  return AsFrame(version == 4 ? kIpv4 : kIpv6, packet);
}

// None: not understood, or not IP.
std::optional<Bytes> FrameOf(std::uint32_t link, std::string_view packet) {
  constexpr std::uint32_t kNull = 0, kEthernet = 1, kRaw = 101, kLoop = 108, kCooked = 113;
  constexpr std::uint32_t kIpv4Link = 228, kIpv6Link = 229, kCooked2 = 276;
  switch (link) {
    case kEthernet: {
      if (packet.size() < 14) return std::nullopt;
      std::size_t at = 12;
      while ((BigU16(packet, at) == 0x8100 || BigU16(packet, at) == 0x88a8) &&
             packet.size() >= at + 6) {
        at += 4;  // a VLAN tag
      }
      return AsFrame(BigU16(packet, at), packet.substr(at + 2));
    }
    case kCooked:
      if (packet.size() < 16) return std::nullopt;
      return AsFrame(BigU16(packet, 14), packet.substr(16));
    case kCooked2:
      if (packet.size() < 20) return std::nullopt;
      return AsFrame(BigU16(packet, 0), packet.substr(20));
    case kNull:
    case kLoop:
      return packet.size() < 4 ? std::nullopt : FrameOfIp(packet.substr(4));
    case kRaw:
    case 12:  // what some BSDs call raw IP
    case 14:
    case kIpv4Link:
    case kIpv6Link:
      return FrameOfIp(packet);
    default:
      return std::nullopt;
  }
}

class Collector {
 public:
  void Remark(const std::string& text) {
    if (capture.remarks.size() < kMostRemarks &&
        std::find(capture.remarks.begin(), capture.remarks.end(), text) == capture.remarks.end()) {
      capture.remarks.push_back(text);
    }
  }

  // False: enough.
  bool Add(std::uint32_t link, std::string_view packet, std::int64_t nanoseconds,
           const std::string& from = "") {
    if (number_ == kMostFrames) {
      Remark(fmt::format("only the first {} frames were read", kMostFrames));
      return false;
    }
    ++number_;
    std::optional<Bytes> bytes = FrameOf(link, packet);
    if (!bytes) {
      Remark(fmt::format("frames of link type {} that are not understood", link));
      return true;
    }
    capture.frames.push_back({.number = static_cast<int>(number_),
                              .time = FromNanoseconds(nanoseconds),
                              .from = from,
                              .bytes = std::move(*bytes)});
    return true;
  }

  Capture capture;

 private:
  std::size_t number_ = 0;
};

// What is later than the year 2116 is taken for that: with room to add to it.
std::int64_t Nanoseconds(std::uint64_t ticks, std::uint64_t per_second) {
  const std::uint64_t seconds = ticks / per_second;
  constexpr std::uint64_t kLast = INT64_MAX / 2 / 1'000'000'000;
  const auto fraction = static_cast<double>(ticks % per_second) / static_cast<double>(per_second);
  return static_cast<std::int64_t>(std::min(seconds, kLast)) * 1'000'000'000 +
         std::int64_t{std::llround(fraction * 1e9)};
}

void ReadPcap(std::string_view file, bool is_big, bool is_nano, Collector& collector) {
  Reader reader(file, is_big);
  reader.Take(20);
  const std::uint32_t link = reader.U32() & 0xffff;
  while (reader.left() > 0) {
    const std::uint64_t seconds = reader.U32();
    const std::uint64_t fraction = reader.U32();
    const std::uint32_t size = reader.U32();
    reader.U32();  // on the wire
    const auto time = static_cast<std::int64_t>(seconds * 1'000'000'000 +
                                                std::min<std::uint64_t>(fraction, 999'999'999) *
                                                    (is_nano ? 1 : 1000));
    if (!collector.Add(link, reader.Take(size), time)) return;
  }
}

struct Interface {
  std::uint32_t link = 0;
  std::uint64_t per_second = 1'000'000;
  std::string name;
};

Interface ReadInterface(Reader block) {
  constexpr std::uint16_t kName = 2, kResolution = 9;
  Interface interface;
  interface.link = block.U16();
  block.Take(6);
  while (block.left() >= 4) {
    const std::uint16_t code = block.U16();
    const std::uint16_t size = block.U16();
    if (code == 0) break;
    const std::string_view value = block.Take(size);
    block.Take(std::min<std::size_t>(block.left(), (4 - size % 4) % 4));
    if (code == kName) interface.name = value.substr(0, 64);
    if (code != kResolution || value.empty()) continue;
    const auto resolution = static_cast<unsigned char>(value[0]);
    const unsigned exponent = resolution & 0x7f;
    interface.per_second = 1;
    if ((resolution & 0x80) != 0) {
      interface.per_second <<= std::min(exponent, 62U);
    } else {
      for (unsigned i = 0; i < std::min(exponent, 18U); ++i) interface.per_second *= 10;
    }
  }
  return interface;
}

void ReadPcapng(std::string_view file, Collector& collector) {
  constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kSimple = 3, kEnhanced = 6;
  bool is_big = false;
  std::vector<Interface> interfaces;
  while (!file.empty()) {
    if (file.size() < 12) throw std::out_of_range("cut short");
    if (Reader(file, false).U32() == kSection) {
      is_big = Reader(file.substr(8), true).U32() == 0x1a2b3c4d;
      interfaces.clear();
    }
    Reader header(file, is_big);
    const std::uint32_t type = header.U32();
    const std::uint32_t size = header.U32();
    if (size < 12 || size % 4 != 0 || size > file.size()) throw std::out_of_range("cut short");
    Reader block(file.substr(8, size - 12), is_big);
    file.remove_prefix(size);
    if (type == kInterface && interfaces.size() < kMostInterfaces) {
      interfaces.push_back(ReadInterface(block));
    } else if (type == kEnhanced) {
      const std::uint32_t number = block.U32();
      if (number >= interfaces.size()) throw std::out_of_range("a frame of no interface");
      const Interface& interface = interfaces[number];
      const std::uint64_t high = block.U32();
      const std::uint64_t ticks = high << 32 | block.U32();
      const std::uint32_t captured = block.U32();
      block.U32();  // on the wire
      const std::int64_t time = Nanoseconds(ticks, interface.per_second);
      if (!collector.Add(interface.link, block.Take(captured), time, interface.name)) return;
    } else if (type == kSimple && !interfaces.empty()) {
      block.U32();
      collector.Remark("frames without time are taken to come at once");
      if (!collector.Add(interfaces[0].link, block.Take(block.left()), 0)) return;
    }
  }
}

}  // namespace

Capture ReadCapture(std::string_view file) {
  if (file.size() < 24) throw std::invalid_argument("too short to be a capture");
  Collector collector;
  try {
    const std::uint32_t magic = Reader(file, false).U32();
    switch (magic) {
      case 0x0a0d0d0a:
        ReadPcapng(file, collector);
        break;
      case 0xa1b2c3d4:
      case 0xa1b23c4d:
        ReadPcap(file, false, magic == 0xa1b23c4d, collector);
        break;
      case 0xd4c3b2a1:
      case 0x4d3cb2a1:
        ReadPcap(file, true, magic == 0x4d3cb2a1, collector);
        break;
      default:
        throw std::invalid_argument("neither pcap nor pcapng");
    }
  } catch (const std::out_of_range& error) {
    collector.Remark(std::string("the file is malformed from some point on: ") + error.what());
  }
  std::stable_sort(
      collector.capture.frames.begin(), collector.capture.frames.end(),
      [](const CapturedFrame& one, const CapturedFrame& other) { return one.time < other.time; });
  return std::move(collector.capture);
}

namespace {

// Apart from link addresses, which ReadCapture() leaves out.
bool IsSame(const CapturedFrame& one, const CapturedFrame& other) {
  constexpr std::ptrdiff_t kAddresses = 12;
  return one.bytes.size() == other.bytes.size() && one.bytes.size() >= std::size_t{kAddresses} &&
         std::equal(one.bytes.begin() + kAddresses, one.bytes.end(),
                    other.bytes.begin() + kAddresses);
}

}  // namespace

bool HasFramesOf(const Capture& capture, const Capture& known) {
  return std::equal(capture.frames.begin(), capture.frames.end(), known.frames.begin(),
                    known.frames.end(), IsSame);
}

void TakeFates(Capture& capture, const Capture& known) {
  if (capture.frames.size() != known.frames.size()) return;
  for (std::size_t i = 0; i < known.frames.size(); ++i) {
    if (!IsSame(capture.frames[i], known.frames[i])) continue;
    capture.frames[i].from = known.frames[i].from;
    capture.frames[i].to = known.frames[i].to;
    capture.frames[i].fate = known.frames[i].fate;
    capture.frames[i].delay = known.frames[i].delay;
  }
}

Capture CaptureOf(const std::vector<Event>& events) {
  Capture capture;
  for (const Event& event : events) {
    const auto* frame = std::get_if<FrameEvent>(&event.what);
    if (frame == nullptr || capture.frames.size() == kMostFrames) continue;
    capture.frames.push_back({.time = event.time,
                              .from = frame->from,
                              .to = frame->to,
                              .fate = frame->fate,
                              .delay = frame->delay,
                              .bytes = frame->bytes});
  }
  // The order and the numbers of capture.pcapng.
  std::stable_sort(
      capture.frames.begin(), capture.frames.end(),
      [](const CapturedFrame& one, const CapturedFrame& other) { return one.time < other.time; });
  int number = 0;
  for (CapturedFrame& frame : capture.frames) frame.number = ++number;
  return capture;
}

}  // namespace sockproof
