#include "src/agent/interfaces.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "src/agent/address.h"

namespace sockproof::agent {
namespace {

using agent_protocol::Base64Encode;
using agent_protocol::InterfaceFlags;
using agent_protocol::InterfaceRequests;

// Which member of the union in struct ifreq a request means.
enum class Member { kNumber, kFlags, kAddress, kHardware, kNone };

Member MemberOf(unsigned long request) {
  switch (request) {
    case SIOCGIFFLAGS:
    case SIOCSIFFLAGS:
      return Member::kFlags;
    case SIOCGIFADDR:
    case SIOCSIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCSIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCSIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCSIFNETMASK:
      return Member::kAddress;
    case SIOCGIFHWADDR:
    case SIOCSIFHWADDR:
    case SIOCSIFHWBROADCAST:
    case SIOCADDMULTI:
    case SIOCDELMULTI:
      return Member::kHardware;
    case SIOCSIFNAME:
    case SIOCSIFMAP:
      return Member::kNone;
    default:
      return Member::kNumber;
  }
}

void ReadName(Parameters& parameters, const char* parameter, char* into) {
  if (!parameters.Has(parameter)) return;
  const std::string name = parameters.Text(parameter);
  if (name.size() > IFNAMSIZ || name.find('\0') != std::string::npos) {
    parameters.Refuse(parameter, "at most 16 octets, none of them 0");
  }
  name.copy(into, IFNAMSIZ);
}

// A hardware address: `number` is its type.
void ReadHardware(Parameters& parameters, sockaddr& address) {
  const std::string octets = parameters.Bytes("octets");
  if (octets.size() > sizeof address.sa_data) parameters.Refuse("octets", "at most 14 octets");
  const int type = parameters.Has("number") ? parameters.Integer("number", 0, 0xffff) : 0;
  address.sa_family = static_cast<sa_family_t>(type);
  octets.copy(address.sa_data, sizeof address.sa_data);
}

ifreq ReadRequest(Parameters& parameters) {
  ifreq request{};
  ReadName(parameters, "name", request.ifr_name);
  ReadName(parameters, "new_name", request.ifr_newname);
  if (parameters.Has("octets")) {
    ReadHardware(parameters, request.ifr_hwaddr);
    return request;
  }
  if (parameters.Has("number")) request.ifr_ifindex = parameters.Integer("number");
  if (parameters.Has("flags")) {
    request.ifr_flags = static_cast<short>(parameters.Flags("flags", InterfaceFlags()));
  }
  if (parameters.Has("address")) {
    const SocketAddress address = ReadAddress(parameters, agent_protocol::AddressFamilies());
    memcpy(&request.ifr_addr, address.storage, sizeof request.ifr_addr);
  }
  return request;
}

std::string NameIn(const ifreq& request) {
  return {request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ)};
}

json AddressIn(const ifreq& request) {
  SocketAddress address;
  memcpy(address.storage, &request.ifr_addr, sizeof request.ifr_addr);
  address.length = sizeof request.ifr_addr;
  return AddressToJson(address);
}

// struct in6_ifreq of linux/ipv6.h, which cannot stand beside netinet/in.h.
struct Ipv6Request {
  in6_addr address;
  std::uint32_t prefix_length;
  int interface;
};

// What sockets of AF_INET6 take.
json ControlByIpv6(Parameters& parameters, Call& call, int fd, unsigned long asked) {
  constexpr int kBits = 128;
  Ipv6Request request{};
  const SocketAddress address = ReadAddress(parameters, agent_protocol::AddressFamilies());
  sockaddr_in6 ipv6{};
  memcpy(&ipv6, address.storage, sizeof ipv6);
  request.address = ipv6.sin6_addr;
  request.prefix_length = static_cast<std::uint32_t>(parameters.Integer("prefix_length", 0, kBits));
  request.interface = parameters.Integer("number");
  void* const at = parameters.Pointer("interface", &request, sizeof request);
  if (call.Run([&] { return ioctl(fd, asked, at); }) < 0) return nullptr;
  return {{"name", ""}};
}

}  // namespace

json InterfaceControl(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const auto asked =
      static_cast<unsigned long>(parameters.Constant("request", InterfaceRequests()));
  if (parameters.Has("prefix_length")) return ControlByIpv6(parameters, call, fd, asked);
  ifreq request = ReadRequest(parameters);
  void* const at = parameters.Pointer("interface", &request, sizeof request);
  if (call.Run([&] { return ioctl(fd, asked, at); }) < 0) return nullptr;
  json value = {{"name", NameIn(request)}};
  switch (MemberOf(asked)) {
    case Member::kNumber:
      value["number"] = request.ifr_ifindex;
      break;
    case Member::kFlags:
      value["flags"] = agent_protocol::NamesOfFlags(InterfaceFlags(),
                                                    static_cast<unsigned short>(request.ifr_flags));
      break;
    case Member::kAddress:
      value["address"] = AddressIn(request);
      break;
    case Member::kHardware:
      value["number"] = request.ifr_hwaddr.sa_family;
      value["octets"] =
          Base64Encode({request.ifr_hwaddr.sa_data, sizeof request.ifr_hwaddr.sa_data});
      break;
    case Member::kNone:
      break;
  }
  return value;
}

json ListInterfaces(Parameters& parameters, Call& call) {
  constexpr int kMost = 4096;
  const int fd = parameters.Integer("fd");
  const bool to_be_filled = parameters.Has("room");
  std::vector<ifreq> room(
      static_cast<std::size_t>(to_be_filled ? parameters.Integer("room", 0, kMost) : 0));
  // What is behind an empty vector may be a null pointer, which asks for something else.
  room.reserve(1);
  ifconf list{};
  list.ifc_len = static_cast<int>(room.size() * sizeof(ifreq));
  list.ifc_req = to_be_filled ? room.data() : nullptr;
  void* const at = parameters.Pointer("interfaces", &list, sizeof list);
  if (call.Run([&] { return ioctl(fd, SIOCGIFCONF, at); }) < 0) return nullptr;
  json interfaces = json::array();
  const auto filled = static_cast<std::size_t>(std::max(list.ifc_len, 0)) / sizeof(ifreq);
  for (std::size_t i = 0; i < std::min(filled, room.size()); ++i) {
    interfaces.push_back({{"name", NameIn(room[i])}, {"address", AddressIn(room[i])}});
  }
  return {{"length", filled}, {"interfaces", std::move(interfaces)}};
}

}  // namespace sockproof::agent
