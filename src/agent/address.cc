// Socket addresses between JSON and the structures of the socket calls.
#include "src/agent/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include "harness/agent_protocol/base64.h"

namespace sockproof::agent {
namespace {

// Copies a family's own structure into the storage that serves all of them.
template <typename Address>
SocketAddress Store(const Address& address) {
  SocketAddress stored;
  static_assert(sizeof(address) <= sizeof(stored.storage));
  std::memcpy(stored.storage, &address, sizeof(address));
  stored.length = sizeof(address);
  return stored;
}

template <typename Address>
Address Load(const SocketAddress& stored) {
  Address address{};
  std::memcpy(&address, stored.storage, std::min<std::size_t>(sizeof(address), stored.length));
  return address;
}

in_port_t ReadPort(Parameters& parameters) {
  return htons(static_cast<std::uint16_t>(
      parameters.Integer("port", 0, std::numeric_limits<std::uint16_t>::max())));
}

// The family, and these octets behind it.
SocketAddress OfOctets(Parameters& parameters, const std::string& name, int family,
                       std::size_t most) {
  const std::string octets = parameters.Bytes(name);
  if (octets.size() > most) {
    parameters.Refuse(name, "at most " + std::to_string(most) + " octets");
  }
  sockaddr head{};
  head.sa_family = static_cast<sa_family_t>(family);
  SocketAddress address;
  std::memcpy(address.storage, &head, sizeof(head));
  octets.copy(address.storage + offsetof(sockaddr, sa_data), octets.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr, sa_data) + octets.size());
  return address;
}

SocketAddress ReadFields(Parameters& parameters, agent_protocol::Constants families) {
  const int family = parameters.Constant("family", families);
  if (parameters.Has("octets")) {
    return OfOctets(parameters, "octets", family,
                    SocketAddress::kRoom - offsetof(sockaddr, sa_data));
  }
  switch (family) {
    case AF_INET: {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = ReadPort(parameters);
      if (inet_pton(AF_INET, parameters.Text("address").c_str(), &address.sin_addr) != 1) {
        parameters.Refuse("address", "an IPv4 address");
      }
      return Store(address);
    }
    case AF_INET6: {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = ReadPort(parameters);
      if (inet_pton(AF_INET6, parameters.Text("address").c_str(), &address.sin6_addr) != 1) {
        parameters.Refuse("address", "an IPv6 address");
      }
      if (parameters.Has("scope_id")) {
        address.sin6_scope_id = static_cast<std::uint32_t>(parameters.Integer("scope_id", 0));
      }
      return Store(address);
    }
    case AF_UNIX: {
      sockaddr_un address{};
      if (parameters.Has("name")) {
        return OfOctets(parameters, "name", family, sizeof(address.sun_path));
      }
      address.sun_family = AF_UNIX;
      const std::string path = parameters.Text("path");
      if (path.size() >= sizeof(address.sun_path)) {
        parameters.Refuse(
            "path", "at most " + std::to_string(sizeof(address.sun_path) - 1) + " characters");
      }
      path.copy(address.sun_path, path.size());
      return Store(address);
    }
    case AF_UNSPEC: {
      sockaddr address{};
      address.sa_family = AF_UNSPEC;
      return Store(address);
    }
    default:
      parameters.Unsupported("an address of family " + parameters.Text("family"));
  }
}

// Negative ones too: the system is to refuse them.
socklen_t ReadLength(Parameters& parameters) {
  return static_cast<socklen_t>(
      parameters.Integer("address_length", std::numeric_limits<int>::min(), SocketAddress::kRoom));
}

// The octets of sun_path, as many as were told and fit.
std::string PathOctets(const SocketAddress& address) {
  const std::size_t told = std::min<std::size_t>(address.length, sizeof(sockaddr_un));
  const std::size_t before = offsetof(sockaddr_un, sun_path);
  return {address.storage + before, told - before};
}

}  // namespace

SocketAddress ReadAddress(Parameters& parameters, agent_protocol::Constants families) {
  Parameters fields("address", parameters.Any("address"));
  SocketAddress address = ReadFields(fields, families);
  fields.CheckAllRead();
  if (parameters.Has("address_length")) address.length = ReadLength(parameters);
  return address;
}

SocketAddress ReadRoom(Parameters& parameters) {
  SocketAddress address;
  if (parameters.Has("address_length")) address.length = ReadLength(parameters);
  return address;
}

json AddressToJson(const SocketAddress& address, bool with_length) {
  json fields = json::object();
  if (with_length) fields["length"] = static_cast<std::int64_t>(address.length);
  if (address.length < sizeof(sa_family_t)) {
    if (!with_length) return nullptr;
    fields["family"] = "AF_UNSPEC";
    return fields;
  }
  const int family = address.get()->sa_family;
  fields["family"] = agent_protocol::NameOf(agent_protocol::AddressFamilies(), family);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family == AF_INET) {
    const auto inet = Load<sockaddr_in>(address);
    fields["address"] = inet_ntop(family, &inet.sin_addr, text.data(), text.size());
    fields["port"] = ntohs(inet.sin_port);
  } else if (family == AF_INET6) {
    const auto inet = Load<sockaddr_in6>(address);
    fields["address"] = inet_ntop(family, &inet.sin6_addr, text.data(), text.size());
    fields["port"] = ntohs(inet.sin6_port);
    if (inet.sin6_scope_id != 0) fields["scope_id"] = inet.sin6_scope_id;
  } else if (family == AF_UNIX) {
    const std::string octets = PathOctets(address);
    fields["name"] = agent_protocol::Base64Encode(octets);
    if (!octets.empty() && octets.front() != '\0') fields["path"] = octets.c_str();
  } else {
    const std::size_t told = std::min<std::size_t>(address.length, sizeof(address.storage));
    const std::size_t before = std::min(told, offsetof(sockaddr, sa_data));
    fields["octets"] = agent_protocol::Base64Encode({address.storage + before, told - before});
  }
  return fields;
}

}  // namespace sockproof::agent
