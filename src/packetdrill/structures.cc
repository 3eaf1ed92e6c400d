#include "src/packetdrill/structures.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/errors.h"
#include "src/packetdrill/calls.h"
#include "src/packetdrill/octets.h"

namespace sockproof::packetdrill {
namespace {

using Kind = Expression::Kind;

}  // namespace

void NotSupported(Position where, const std::string& what) {
  throw Skip(fmt::format("line {}: {} is not supported", where.line, what));
}

const Expression* Member(const Expression& structure, std::string_view name) {
  for (const Expression& element : structure.elements) {
    if (element.kind == Kind::kMember && element.text == name) return &element.elements[0];
  }
  return nullptr;
}

Bytes SocketAddress(const Endpoint& endpoint, bool mapped) {
  if (endpoint.address.version() == IpVersion::kIpv4 && !mapped) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    memcpy(&address.sin_addr, endpoint.address.bytes(), 4);
    return BytesOf(address);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  if (endpoint.address.version() == IpVersion::kIpv6) {
    memcpy(&address.sin6_addr, endpoint.address.bytes(), 16);
  } else {
    address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&address.sin6_addr.s6_addr[12], endpoint.address.bytes(), 4);
  }
  return BytesOf(address);
}

Bytes AddressIn(const Expression& structure) {
  const Expression* family = Member(structure, "sa_family");
  const Expression* port = Member(structure, "sin_port");
  const Expression* address = Member(structure, "sin_addr");
  if (family == nullptr || port == nullptr || address == nullptr) {
    NotSupported(structure.where, "this form of an address");
  }
  const auto text_in = [&](const Expression& call) {
    if (call.kind != Kind::kCall || call.elements.size() != 1) {
      NotSupported(call.where, Describe(call));
    }
    return call.elements[0];
  };
  const std::int64_t number = NumberOf(text_in(*port));
  const Expression text = text_in(*address);
  const IpAddress ip = [&] {
    try {
      return IpAddress(text.text);
    } catch (const HarnessError&) {
      throw SyntaxError(text.where, fmt::format("{} is no address", Describe(text)));
    }
  }();
  return SocketAddress({ip, static_cast<std::uint16_t>(number)},
                       NumberOf(*family) == AF_INET6);
}

Bytes OptionOctets(const Expression& value) {
  if (value.kind == Kind::kString) return {value.text.begin(), value.text.end()};
  if (value.kind == Kind::kList && value.elements.size() == 1) {
    return BytesOf(static_cast<std::int32_t>(NumberOf(value.elements[0])));
  }
  if (value.kind == Kind::kList) {
    Bytes octets;
    for (const Expression& element : value.elements) {
      const Bytes part = BytesOf(static_cast<std::int32_t>(NumberOf(element)));
      octets.insert(octets.end(), part.begin(), part.end());
    }
    return octets;
  }
  if (value.kind == Kind::kCall && value.text == "inet6_addr" && value.elements.size() == 1) {
    const IpAddress address(value.elements[0].text);
    return {address.bytes(), address.bytes() + address.size()};
  }
  const Expression* on = Member(value, "onoff");
  const Expression* time = Member(value, "linger");
  if (on != nullptr && time != nullptr) {
    linger octets{};
    octets.l_onoff = static_cast<int>(NumberOf(*on));
    octets.l_linger = static_cast<int>(NumberOf(*time));
    return BytesOf(octets);
  }
  NotSupported(value.where, Describe(value));
}

std::string Differs(const std::string& what, std::int64_t expected, std::int64_t observed) {
  if (expected == observed) return "";
  return fmt::format("{} is {} in place of {}", what, observed, expected);
}

}  // namespace sockproof::packetdrill
