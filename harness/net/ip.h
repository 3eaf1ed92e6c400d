// IP addresses and endpoints of both versions, as values.
#pragma once

#include <netinet/in.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sockproof {

enum class IpVersion { kIpv4 = 4, kIpv6 = 6 };

// "ipv4", "ipv6".
constexpr std::string_view IpVersionName(IpVersion version) {
  return version == IpVersion::kIpv4 ? "ipv4" : "ipv6";
}

// An IPv4 or IPv6 address. The default is 0.0.0.0.
class IpAddress {
 public:
  IpAddress() = default;
  // Dotted quad or RFC 4291 text. Throws HarnessError when `text` is neither.
  explicit IpAddress(const std::string& text);
  // `bytes` in network order: 4 or 16 of them.
  IpAddress(IpVersion version, const std::uint8_t* bytes);

  IpVersion version() const { return version_; }
  size_t size() const { return version_ == IpVersion::kIpv4 ? 4 : 16; }
  const std::uint8_t* bytes() const { return bytes_.data(); }
  int family() const { return version_ == IpVersion::kIpv4 ? AF_INET : AF_INET6; }
  std::string ToString() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  IpVersion version_ = IpVersion::kIpv4;
  std::array<std::uint8_t, 16> bytes_{};
};

// An address with a TCP or UDP port.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  // "192.0.2.1:80", "[2001:db8::1]:80".
  std::string ToString() const;
  auto operator<=>(const Endpoint&) const = default;
};

using MacAddress = std::array<std::uint8_t, 6>;
std::string ToString(const MacAddress& mac);

}  // namespace sockproof
