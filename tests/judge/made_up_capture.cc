#include "tests/judge/made_up_capture.h"

namespace sockproof {
namespace {

void Put(Bytes& bytes, std::uint32_t value, int size) {
  for (int i = size - 1; i >= 0; --i) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i & 0xff));
  }
}

std::uint16_t Checksum(const Bytes& bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

// In the byte order of a file.
void Put(std::string& file, std::uint32_t value, int size, bool is_big) {
  for (int i = 0; i < size; ++i) {
    const int shift = 8 * (is_big ? size - 1 - i : i);
    file.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

}  // namespace

Bytes IpPacket(const MadeUpSegment& segment) {
  constexpr std::uint32_t kSystem = 0xc0000201, kOther = 0xc0000202;
  const std::uint32_t source = segment.by_system ? kSystem : kOther;
  const std::uint32_t destination = segment.by_system ? kOther : kSystem;
  Bytes tcp;
  Put(tcp, segment.by_system ? 1000 : 80, 2);
  Put(tcp, segment.by_system ? 80 : 1000, 2);
  Put(tcp, segment.seq, 4);
  Put(tcp, segment.ack, 4);
  const bool has_mss = (segment.flags & kS) != 0;
  Put(tcp, (has_mss ? 0x6000U : 0x5000U) | segment.flags, 2);
  Put(tcp, 10000, 2);
  Put(tcp, 0, 2);
  Put(tcp, segment.urgent, 2);
  if (has_mss) Put(tcp, 0x020405b4, 4);  // 1460
  tcp.resize(tcp.size() + segment.text, 'x');
  const std::uint32_t pseudo = (source >> 16) + (source & 0xffff) + (destination >> 16) +
                               (destination & 0xffff) + 6 + static_cast<std::uint32_t>(tcp.size());
  const std::uint16_t sum = Checksum(tcp, pseudo);
  tcp[16] = static_cast<std::uint8_t>(sum >> 8);
  tcp[17] = static_cast<std::uint8_t>(sum & 0xff);
  Bytes packet;
  Put(packet, 0x4500, 2);
  Put(packet, static_cast<std::uint32_t>(20 + tcp.size()), 2);
  Put(packet, 0, 4);
  Put(packet, 0x4006, 2);
  Put(packet, 0, 2);
  Put(packet, source, 4);
  Put(packet, destination, 4);
  const std::uint16_t header = Checksum(packet, 0);
  packet[10] = static_cast<std::uint8_t>(header >> 8);
  packet[11] = static_cast<std::uint8_t>(header & 0xff);
  packet.insert(packet.end(), tcp.begin(), tcp.end());
  return packet;
}

Bytes EthernetFrame(const MadeUpSegment& segment) {
  Bytes frame(12);
  Put(frame, 0x0800, 2);
  const Bytes packet = IpPacket(segment);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

std::string PcapOf(const std::vector<Bytes>& packets, std::uint32_t link, bool is_big) {
  std::string file;
  const auto put = [&](std::uint32_t value, int size) { Put(file, value, size, is_big); };
  put(0xa1b2c3d4, 4);
  put(2, 2);
  put(4, 2);
  put(0, 4);
  put(0, 4);
  put(262144, 4);
  put(link, 4);
  std::uint32_t millisecond = 0;
  for (const Bytes& packet : packets) {
    put(1, 4);
    put(1000 * ++millisecond, 4);
    put(static_cast<std::uint32_t>(packet.size()), 4);
    put(static_cast<std::uint32_t>(packet.size()), 4);
    file.append(packet.begin(), packet.end());
  }
  return file;
}

std::string PcapngOf(const std::vector<Bytes>& packets, std::uint16_t link) {
  std::string file;
  const auto put = [&](std::uint32_t value, int size) { Put(file, value, size, false); };
  for (const std::uint32_t word :
       {0x0a0d0d0aU, 28U, 0x1a2b3c4dU, 1U, UINT32_MAX, UINT32_MAX, 28U}) {
    put(word, 4);
  }
  for (const std::uint32_t word : {1U, 20U, static_cast<std::uint32_t>(link), 0U, 20U}) {
    put(word, 4);
  }
  std::uint32_t time = 0;
  for (const Bytes& packet : packets) {
    const auto size = static_cast<std::uint32_t>(packet.size());
    const std::uint32_t padded = (size + 3) / 4 * 4;
    for (const std::uint32_t word : {6U, 32 + padded, 0U, 0U, time += 1000, size, size}) {
      put(word, 4);
    }
    file.append(packet.begin(), packet.end());
    file.append(padded - size, '\0');
    put(32 + padded, 4);
  }
  return file;
}

std::vector<MadeUpSegment> WholeConnection(std::uint32_t last_ack) {
  return {{true, kS, 5000, 0},
          {false, kS | kA, 1000, 5001},
          {true, kA, 5001, 1001},
          {true, kP | kA, 5001, 1001, 100},
          {false, kA, 1001, 5101},
          {false, kF | kA, 1001, 5101},
          {true, kF | kA, 5101, last_ack},
          {false, kA, 1002, 5102}};
}

}  // namespace sockproof
