// Names of sockets of every family: what bind(), connect() and sendto() take, and what
// getsockname(), getpeername(), accept() and recvfrom() tell.
#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "harness/net/ip.h"

namespace sockproof {

// The name of a socket of AF_UNIX (unix(7)).
struct UnixName {
  // Of sun_path: "/tmp/x" is a file, one that begins with a zero is abstract, none are no name. A
  // path goes without the zero that ends it.
  std::string octets;
  // Whether exactly these octets are passed, nothing behind them. Else all of sun_path is.
  bool exact = true;

  // A file, passed as most programs do: the whole structure, its rest zero.
  static UnixName Path(std::string path) { return {std::move(path), false}; }
  // `name` is what follows the zero, which may have further zeros.
  static UnixName Abstract(const std::string& name) { return {std::string(1, '\0') + name}; }
  // The family alone: bind() chooses a name then.
  static UnixName Unnamed() { return {}; }

  bool unnamed() const { return octets.empty(); }
  bool abstract() const { return !octets.empty() && octets.front() == '\0'; }
  bool operator==(const UnixName& other) const { return octets == other.octets; }
};

// What follows the family in a name that is passed as it is.
struct RawName {
  std::string family;  // "AF_INET"
  std::string octets;
  auto operator<=>(const RawName&) const = default;
};

// The name of a socket, as a value. The default is no name at all: what recvfrom() tells on a
// connected stream.
class Name {
 public:
  Name() = default;
  Name(const Endpoint& endpoint) : what_(endpoint) {}  // NOLINT: an endpoint is a name
  Name(const IpAddress& address, std::uint16_t port) : what_(Endpoint{address, port}) {}
  Name(UnixName name) : what_(std::move(name)) {}  // NOLINT: so is this
  Name(RawName name) : what_(std::move(name)) {}   // NOLINT: and this
  // AF_UNSPEC: connect() to it dissolves an association.
  static Name Unspecified() { return RawName{"AF_UNSPEC", std::string(14, '\0')}; }

  // The same, passed with another length than its own: from -2^31 to 256 octets.
  Name WithLength(int length) const;
  // The same at an interface of that number: of a link-local address of IPv6.
  Name WithScope(std::uint32_t scope_id) const;

  // nullptr for a name of another family.
  const Endpoint* endpoint() const { return std::get_if<Endpoint>(&what_); }
  const UnixName* unix_name() const { return std::get_if<UnixName>(&what_); }
  const RawName* raw() const { return std::get_if<RawName>(&what_); }
  std::uint32_t scope_id() const { return scope_id_; }
  // The length that it is passed with, if another than its own; of a name that a call has told, the
  // length that this call gave, if it was asked for.
  std::optional<int> length() const { return length_; }

  // "192.0.2.1:80", "[2001:db8::1]:80", "/tmp/x", "@abstract", "unnamed", "AF_UNSPEC", "no name".
  std::string ToString() const;
  // Lengths do not count: they say how a name is passed, not which it is.
  bool operator==(const Name& other) const {
    return what_ == other.what_ && scope_id_ == other.scope_id_;
  }

 private:
  std::variant<std::monostate, Endpoint, UnixName, RawName> what_;
  std::uint32_t scope_id_ = 0;
  std::optional<int> length_;
};

// As ToString() says it, for failures of tests.
void PrintTo(const Name& name, std::ostream* out);

}  // namespace sockproof
