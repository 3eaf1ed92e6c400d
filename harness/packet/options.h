// Options of headers: a kind, a length and data, in TCP and IPv4 (RFC 9293 section 3.1, RFC 791
// section 3.1) and, a little differently, in IPv6 (RFC 8200 section 4.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/bytes.h"

namespace sockproof {

// One option. In TCP and IPv4 kinds 0 (end of the list) and 1 (no operation) have no data and no
// length octet; in IPv6 it is kind 0 (Pad1).
struct HeaderOption {
  std::uint8_t kind = 0;
  Bytes data;  // without kind and length
  bool operator==(const HeaderOption&) const = default;
};

using TcpOption = HeaderOption;

namespace tcp_option {
inline constexpr std::uint8_t kEnd = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4,
                              kSack = 5, kTimestamps = 8, kMd5 = 19, kUserTimeout = 28, kAo = 29,
                              kMptcp = 30, kFastOpen = 34, kAccurateEcn0 = 172, kAccurateEcn1 = 174;
using SackBlock = std::pair<std::uint32_t, std::uint32_t>;  // left edge, right edge

TcpOption Nop();
TcpOption Mss(std::uint16_t mss);                                               // RFC 9293 3.7.1
TcpOption WindowScale(std::uint8_t shift);                                      // RFC 7323 2
TcpOption SackPermitted();                                                      // RFC 2018
TcpOption Sack(const std::vector<SackBlock>& blocks);                           // RFC 2018
TcpOption Timestamps(std::uint32_t ts_val, std::uint32_t ts_ecr);               // RFC 7323 3
TcpOption Md5(const std::array<std::uint8_t, 16>& digest);                      // RFC 2385
TcpOption Ao(std::uint8_t key_id, std::uint8_t next_key_id, const Bytes& mac);  // RFC 5925
TcpOption FastOpen(const Bytes& cookie);  // RFC 7413; empty: a request
TcpOption Mptcp(const Bytes& data);       // RFC 8684, from the subtype on
// RFC 9768 3.2.3. `counters`: at most three, of 24 bits each; in which order depends on the kind.
TcpOption AccurateEcn(std::uint8_t kind, const std::vector<std::uint32_t>& counters);

// Values; nothing of an option of another kind or of a wrong length.
std::optional<std::uint16_t> MssOf(const TcpOption& option);
std::optional<std::pair<std::uint32_t, std::uint32_t>> TimestampsOf(const TcpOption& option);
std::vector<SackBlock> SackBlocksOf(const TcpOption& option);
}  // namespace tcp_option

namespace ipv4_option {
inline constexpr std::uint8_t kEnd = 0, kNop = 1, kRecordRoute = 7, kTimestamp = 68,
                              kSecurity = 130, kLooseSourceRoute = 131, kCipso = 134,
                              kStrictSourceRoute = 137, kRouterAlert = 148;
inline constexpr std::uint8_t kCopiedIntoFragments = 0x80;

HeaderOption RouterAlert();  // RFC 2113
// RFC 791. `pointer`: where in the option the next address is, 4 for the first.
HeaderOption SourceRoute(std::uint8_t kind, const std::vector<IpAddress>& route,
                         std::uint8_t pointer = 4);
}  // namespace ipv4_option

namespace ipv6_option {
inline constexpr std::uint8_t kPad1 = 0, kPadN = 1, kRouterAlert = 5, kJumboPayload = 0xc2;
HeaderOption RouterAlert(std::uint16_t value = 0);  // RFC 2711; 0: multicast listener discovery
}  // namespace ipv6_option

namespace packet {

// What an area of options holds: those that make sense, and the octets behind them, either an end
// of the list with its padding or what is malformed.
struct OptionList {
  std::vector<HeaderOption> options;
  Bytes rest;
};
OptionList ReadOptions(View area);      // of a TCP or IPv4 header
OptionList ReadIpv6Options(View area);  // of a hop-by-hop or destination options header

// Lengths are written modulo 256.
void AppendOptions(Bytes& bytes, const std::vector<HeaderOption>& options);
void AppendIpv6Options(Bytes& bytes, const std::vector<HeaderOption>& options);

const HeaderOption* FindOption(const std::vector<HeaderOption>& options, std::uint8_t kind);

}  // namespace packet
}  // namespace sockproof
