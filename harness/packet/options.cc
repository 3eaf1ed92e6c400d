#include "harness/packet/options.h"

#include <algorithm>

namespace sockproof {
namespace {

constexpr std::uint8_t kLastSingleOctet = 1;  // kinds up to here have no length
constexpr std::uint8_t kLastSingleOctetOfIpv6 = 0;

void AppendOptionsTo(Bytes& bytes, const std::vector<HeaderOption>& options,
                     std::uint8_t last_without_length, std::size_t counted) {
  for (const HeaderOption& option : options) {
    bytes.push_back(option.kind);
    if (option.kind <= last_without_length) continue;
    packet::Append8(bytes, option.data.size() + counted);
    packet::Append(bytes, option.data);
  }
}

}  // namespace

namespace tcp_option {

TcpOption Nop() { return {kNop, {}}; }
TcpOption Mss(std::uint16_t mss) {
  TcpOption option{kMss, {}};
  packet::Append16(option.data, mss);
  return option;
}
TcpOption WindowScale(std::uint8_t shift) { return {kWindowScale, {shift}}; }
TcpOption SackPermitted() { return {kSackPermitted, {}}; }
TcpOption Sack(const std::vector<SackBlock>& blocks) {
  TcpOption option{kSack, {}};
  for (const auto& [left, right] : blocks) {
    packet::Append32(option.data, left);
    packet::Append32(option.data, right);
  }
  return option;
}
TcpOption Timestamps(std::uint32_t ts_val, std::uint32_t ts_ecr) {
  TcpOption option{kTimestamps, {}};
  packet::Append32(option.data, ts_val);
  packet::Append32(option.data, ts_ecr);
  return option;
}
TcpOption Md5(const std::array<std::uint8_t, 16>& digest) {
  return {kMd5, Bytes(digest.begin(), digest.end())};
}
TcpOption Ao(std::uint8_t key_id, std::uint8_t next_key_id, const Bytes& mac) {
  TcpOption option{kAo, {key_id, next_key_id}};
  packet::Append(option.data, mac);
  return option;
}
TcpOption FastOpen(const Bytes& cookie) { return {kFastOpen, cookie}; }
TcpOption Mptcp(const Bytes& data) { return {kMptcp, data}; }
TcpOption AccurateEcn(std::uint8_t kind, const std::vector<std::uint32_t>& counters) {
  TcpOption option{kind, {}};
  for (const std::uint32_t counter : counters) {
    packet::Append8(option.data, counter >> 16);
    packet::Append16(option.data, counter);
  }
  return option;
}

std::optional<std::uint16_t> MssOf(const TcpOption& option) {
  if (option.kind != kMss || option.data.size() != 2) return std::nullopt;
  return packet::Read16(option.data, 0);
}
std::optional<std::pair<std::uint32_t, std::uint32_t>> TimestampsOf(const TcpOption& option) {
  if (option.kind != kTimestamps || option.data.size() != 8) return std::nullopt;
  return std::pair(packet::Read32(option.data, 0), packet::Read32(option.data, 4));
}
std::vector<SackBlock> SackBlocksOf(const TcpOption& option) {
  std::vector<SackBlock> blocks;
  if (option.kind != kSack || option.data.size() % 8 != 0) return blocks;
  for (std::size_t at = 0; at < option.data.size(); at += 8) {
    blocks.emplace_back(packet::Read32(option.data, at), packet::Read32(option.data, at + 4));
  }
  return blocks;
}

}  // namespace tcp_option

namespace ipv4_option {

HeaderOption RouterAlert() { return {kRouterAlert, {0, 0}}; }
HeaderOption SourceRoute(std::uint8_t kind, const std::vector<IpAddress>& route,
                         std::uint8_t pointer) {
  HeaderOption option{kind, {pointer}};
  for (const IpAddress& address : route) packet::Append(option.data, {address.bytes(), 4});
  return option;
}

}  // namespace ipv4_option

namespace ipv6_option {
HeaderOption RouterAlert(std::uint16_t value) {
  HeaderOption option{kRouterAlert, {}};
  packet::Append16(option.data, value);
  return option;
}
}  // namespace ipv6_option

namespace packet {

OptionList ReadOptions(View area) {
  OptionList list;
  while (!area.empty() && area[0] != tcp_option::kEnd) {
    if (area[0] == tcp_option::kNop) {
      list.options.push_back({area[0], {}});
      area = area.subspan(1);
      continue;
    }
    if (area.size() < 2 || area[1] < 2 || area[1] > area.size()) break;
    list.options.push_back({area[0], ToBytes(area.first(area[1]).subspan(2))});
    area = area.subspan(area[1]);
  }
  list.rest = ToBytes(area);
  return list;
}

OptionList ReadIpv6Options(View area) {
  OptionList list;
  while (!area.empty()) {
    if (area[0] == ipv6_option::kPad1) {
      list.options.push_back({area[0], {}});
      area = area.subspan(1);
      continue;
    }
    if (area.size() < 2 || area.size() - 2 < area[1]) break;
    const std::size_t size = std::size_t{2} + area[1];
    list.options.push_back({area[0], ToBytes(area.first(size).subspan(2))});
    area = area.subspan(size);
  }
  list.rest = ToBytes(area);
  return list;
}

void AppendOptions(Bytes& bytes, const std::vector<HeaderOption>& options) {
  AppendOptionsTo(bytes, options, kLastSingleOctet, 2);
}

void AppendIpv6Options(Bytes& bytes, const std::vector<HeaderOption>& options) {
  AppendOptionsTo(bytes, options, kLastSingleOctetOfIpv6, 0);
}

const HeaderOption* FindOption(const std::vector<HeaderOption>& options, std::uint8_t kind) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const HeaderOption& option) { return option.kind == kind; });
  return found == options.end() ? nullptr : &*found;
}

}  // namespace packet
}  // namespace sockproof
