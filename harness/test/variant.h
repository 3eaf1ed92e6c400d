// What a test is run over: the families of its sockets, and the rows of a table. Each is a case of
// its own, with an id, a process and a verdict of its own.
//
//   TEST_WITH_SOCKETS(Pair, ClosingIsTheEndOfTheFile, .claims = {...}, .over = kEachUnixType) {...}
//
//   struct Fault { const char* name; const char* pointer; };
//   constexpr Fault kFaults[] = {{"null", "null"}, {"read-only", "read-only"}};
//   TEST_WITH_SOCKETS(Faults, Are, .claims = {...}, .rows = kFaults) {
//     const Fault& fault = RowOf(kFaults);   // Faults.Are/null/ipv4, Faults.Are/null/ipv6, ...
//   }
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/net/ip.h"

namespace sockproof {

// Sockets as socket() makes them. `name` ends the id of a case; it is empty where a test is about
// no family, and has one case.
struct Family {
  std::string_view name = "";
  std::string_view domain = "";           // "AF_INET6"
  std::string_view type = "SOCK_STREAM";  // where a test says no other
  std::optional<IpVersion> ip = {};       // the version of its packets

  constexpr bool is_unix() const { return domain == "AF_UNIX"; }
};

inline constexpr Family kIpv4Family{"ipv4", "AF_INET", "SOCK_STREAM", IpVersion::kIpv4};
inline constexpr Family kIpv6Family{"ipv6", "AF_INET6", "SOCK_STREAM", IpVersion::kIpv6};
// Sockets of IPv6 whose addresses are IPv4-mapped.
inline constexpr Family kMappedFamily{"v4-mapped", "AF_INET6", "SOCK_STREAM", IpVersion::kIpv4};
inline constexpr Family kUnixStream{"unix-stream", "AF_UNIX", "SOCK_STREAM"};
inline constexpr Family kUnixDatagram{"unix-datagram", "AF_UNIX", "SOCK_DGRAM"};
inline constexpr Family kUnixSeqpacket{"unix-seqpacket", "AF_UNIX", "SOCK_SEQPACKET"};

// For TestTraits' `.over`; the first is what a test has that says nothing.
inline constexpr Family kBothIpVersions[] = {kIpv4Family, kIpv6Family};
inline constexpr Family kEachIp[] = {kIpv4Family, kIpv6Family, kMappedFamily};
inline constexpr Family kEachUnixType[] = {kUnixStream, kUnixDatagram, kUnixSeqpacket};
inline constexpr Family kEachUnixConnection[] = {kUnixStream, kUnixSeqpacket};
inline constexpr Family kEachStream[] = {kIpv4Family, kIpv6Family, kUnixStream};
inline constexpr Family kEachConnection[] = {kIpv4Family, kIpv6Family, kMappedFamily, kUnixStream,
                                             kUnixSeqpacket};
inline constexpr Family kEachDatagram[] = {
    {"ipv4", "AF_INET", "SOCK_DGRAM", IpVersion::kIpv4},
    {"ipv6", "AF_INET6", "SOCK_DGRAM", IpVersion::kIpv6},
    {"v4-mapped", "AF_INET6", "SOCK_DGRAM", IpVersion::kIpv4},
    kUnixDatagram};
inline constexpr Family kEachIpDatagram[] = {kEachDatagram[0], kEachDatagram[1], kEachDatagram[2]};
// Whatever keeps the boundaries of what is sent.
inline constexpr Family kEachMessage[] = {kEachDatagram[0], kEachDatagram[1], kEachDatagram[2],
                                          kUnixDatagram, kUnixSeqpacket};
inline constexpr Family kEachFamily[] = {kIpv4Family, kIpv6Family,   kMappedFamily,
                                         kUnixStream, kUnixDatagram, kUnixSeqpacket};
inline constexpr Family kOnce[] = {Family()};  // the test is about no family

// The table of a test: an array of any struct with a `name`, which becomes part of the ids.
class Rows {
 public:
  constexpr Rows() = default;
  template <typename Row, std::size_t N>
  constexpr Rows(const Row (&rows)[N])  // NOLINT: `.rows = kFaults`
      : rows_(rows), count_(N), name_(&NameIn<Row>) {}
  template <typename Row, std::size_t N>
  constexpr Rows(const std::array<Row, N>& rows)  // NOLINT
      : rows_(rows.data()), count_(N), name_(&NameIn<Row>) {}

  std::size_t count() const { return count_; }
  std::string_view name(std::size_t row) const { return name_(rows_, row); }

 private:
  template <typename Row>
  static std::string_view NameIn(const void* rows, std::size_t row) {
    return static_cast<const Row*>(rows)[row].name;
  }

  const void* rows_ = nullptr;
  std::size_t count_ = 0;
  std::string_view (*name_)(const void* rows, std::size_t row) = nullptr;
};

// One case of a test.
struct Variant {
  std::string name;  // "ipv4", "time-wait/ipv6": what ends its id; empty: the test has one case
  Family family = {};
  std::size_t row = 0;
  // Whether another case of the test differs from this one by the IP version alone.
  bool has_other_ip = false;

  // "ipv4", "ipv6"; empty where no version is meant.
  std::string_view ip_name() const { return family.ip ? IpVersionName(*family.ip) : ""; }
};

// A case over this version alone.
Variant OverIp(IpVersion ip);

// The number of the row of the running case.
std::size_t RunningRow();

// The row of the running case, in the table that is the `.rows` of its test.
template <typename Table>
const auto& RowOf(const Table& rows) {
  return rows[RunningRow()];
}

}  // namespace sockproof
