#include "harness/net/ip.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/errors.h"

namespace sockproof {

IpAddress::IpAddress(const std::string& text) {
  if (inet_pton(AF_INET, text.c_str(), bytes_.data()) == 1) return;
  if (inet_pton(AF_INET6, text.c_str(), bytes_.data()) != 1) {
    throw HarnessError("not an IP address: " + text);
  }
  version_ = IpVersion::kIpv6;
}

IpAddress::IpAddress(IpVersion version, const std::uint8_t* bytes) : version_(version) {
  std::copy_n(bytes, size(), bytes_.begin());
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family(), bytes_.data(), text, sizeof text);
  return text;
}

std::string Endpoint::ToString() const {
  const std::string host = address.ToString();
  return address.version() == IpVersion::kIpv4 ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

std::string ToString(const MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3],
                     mac[4], mac[5]);
}

}  // namespace sockproof
