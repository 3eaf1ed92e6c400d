// Values of socket options between JSON and bytes (README.md, "Options").
#include "src/agent/socket_options.h"

// linux/tcp.h has the whole struct tcp_info; netinet/tcp.h, which excludes it, a part.
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/options.h"
#include "harness/agent_protocol/protocol.h"

namespace sockproof::agent {
namespace {

using agent_protocol::OptionKind;
using agent_protocol::SocketOption;

constexpr std::size_t kLongestValue = 4096;

// What a call needs of an option; one without a name, "0x7fff", is taken for an integer.
struct AskedOption {
  int number;
  OptionKind kind;
};

AskedOption ReadOption(Parameters& parameters) {
  const std::string name = parameters.Text("name");
  const SocketOption* option = agent_protocol::FindOption(name);
  if (option != nullptr) return {option->number, option->kind};
  const std::optional<std::int64_t> number = agent_protocol::ValueOf({}, name);
  if (!number) parameters.Unsupported("option " + name);
  return {static_cast<int>(*number), OptionKind::kInteger};
}

template <typename Value>
std::string ToBytes(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// A shorter value leaves the rest zero.
template <typename Value>
Value FromBytes(std::string_view bytes) {
  Value value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof(value)));
  return value;
}

std::size_t SizeOf(OptionKind kind) {
  switch (kind) {
    case OptionKind::kInteger:
      return sizeof(int);
    case OptionKind::kUnsigned64:
      return sizeof(std::uint64_t);
    case OptionKind::kTime:
      return sizeof(timeval);
    case OptionKind::kLinger:
      return sizeof(linger);
    case OptionKind::kTcpInfo:
      return sizeof(tcp_info);
    case OptionKind::kCredentials:
      return sizeof(ucred);
    case OptionKind::kGroup:
      return sizeof(in_addr);
    case OptionKind::kText:
    case OptionKind::kBytes:
    case OptionKind::kGroup6:
    case OptionKind::kFilter:
      break;
  }
  return kLongestValue;
}

json TcpInfoToJson(std::string_view bytes) {
  const auto info = FromBytes<tcp_info>(bytes);
  json fields = {{"state", agent_protocol::TcpStateName(info.tcpi_state)},
                 {"options", json::array()}};
  if (info.tcpi_options & TCPI_OPT_TIMESTAMPS) fields["options"].push_back("timestamps");
  if (info.tcpi_options & TCPI_OPT_SACK) fields["options"].push_back("sack");
  if (info.tcpi_options & TCPI_OPT_ECN) fields["options"].push_back("ecn");
  if (info.tcpi_options & TCPI_OPT_WSCALE) {
    fields["options"].push_back("wscale");
    fields["snd_wscale"] = static_cast<unsigned>(info.tcpi_snd_wscale);
    fields["rcv_wscale"] = static_cast<unsigned>(info.tcpi_rcv_wscale);
  }
  for (const agent_protocol::TcpInfoField& field : agent_protocol::TcpInfoFields()) {
    if (field.offset + field.size > bytes.size()) continue;
    const std::string_view value = bytes.substr(field.offset, field.size);
    switch (field.size) {
      case 1:
        fields[std::string(field.name)] = FromBytes<std::uint8_t>(value);
        break;
      case 4:
        fields[std::string(field.name)] = FromBytes<std::uint32_t>(value);
        break;
      default:
        fields[std::string(field.name)] = FromBytes<std::uint64_t>(value);
        break;
    }
  }
  return fields;
}

json ToJson(OptionKind kind, std::string_view bytes) {
  switch (kind) {
    case OptionKind::kInteger:
      return bytes.size() == 1 ? FromBytes<std::uint8_t>(bytes) : FromBytes<int>(bytes);
    case OptionKind::kUnsigned64:
      return FromBytes<std::uint64_t>(bytes);
    case OptionKind::kTime: {
      const auto time = FromBytes<timeval>(bytes);
      return {{"sec", time.tv_sec}, {"usec", time.tv_usec}};
    }
    case OptionKind::kLinger: {
      const auto value = FromBytes<linger>(bytes);
      return {{"onoff", value.l_onoff}, {"linger", value.l_linger}};
    }
    case OptionKind::kText:
      return std::string(bytes.substr(0, bytes.find('\0')));
    case OptionKind::kTcpInfo:
      return TcpInfoToJson(bytes);
    case OptionKind::kCredentials: {
      const auto value = FromBytes<ucred>(bytes);
      return {{"pid", value.pid}, {"uid", value.uid}, {"gid", value.gid}};
    }
    case OptionKind::kGroup: {
      const auto value = FromBytes<in_addr>(bytes);
      std::array<char, INET_ADDRSTRLEN> text{};
      return inet_ntop(AF_INET, &value, text.data(), text.size());
    }
    case OptionKind::kBytes:
    case OptionKind::kGroup6:
    case OptionKind::kFilter:
      break;
  }
  return agent_protocol::Base64Encode(bytes);
}

// An address of that family under that name, 0 when it is left out.
template <typename Address>
Address AddressIn(Parameters& fields, const std::string& name, int family) {
  Address address{};
  if (!fields.Has(name)) return address;
  if (inet_pton(family, fields.Text(name).c_str(), &address) != 1) {
    fields.Refuse(name, "an address of that family");
  }
  return address;
}

int IntegerOrZero(Parameters& fields, const std::string& name) {
  return fields.Has(name) ? fields.Integer(name) : 0;
}

std::string ReadGroup(Parameters& parameters) {
  Parameters fields("value", parameters.Any("value"));
  ip_mreqn group{};
  group.imr_multiaddr = AddressIn<in_addr>(fields, "group", AF_INET);
  group.imr_address = AddressIn<in_addr>(fields, "address", AF_INET);
  group.imr_ifindex = IntegerOrZero(fields, "ifindex");
  fields.CheckAllRead();
  return ToBytes(group);
}

std::string ReadGroup6(Parameters& parameters) {
  Parameters fields("value", parameters.Any("value"));
  ipv6_mreq group{};
  group.ipv6mr_multiaddr = AddressIn<in6_addr>(fields, "group", AF_INET6);
  group.ipv6mr_interface = static_cast<unsigned>(IntegerOrZero(fields, "ifindex"));
  fields.CheckAllRead();
  return ToBytes(group);
}

// The program follows its head, which points to where it will be in Place().
std::string ReadFilter(Parameters& parameters) {
  const json& value = parameters.Any("value");
  const auto refuse = [&] { parameters.Refuse("value", "a list of [code, jt, jf, k]"); };
  if (!value.is_array() || value.size() > 4096) refuse();
  sock_fprog head{};
  head.len = static_cast<unsigned short>(value.size());
  std::string bytes = ToBytes(head);
  for (const json& line : value) {
    const bool numbers =
        line.is_array() && line.size() == 4 &&
        std::all_of(line.begin(), line.end(), [](const json& n) { return n.is_number_unsigned(); });
    if (!numbers) refuse();
    bytes += ToBytes(sock_filter{line[0].get<std::uint16_t>(), line[1].get<std::uint8_t>(),
                                 line[2].get<std::uint8_t>(), line[3].get<std::uint32_t>()});
  }
  return bytes;
}

// What is passed of the bytes: a filter's head, once it points to the program behind it.
std::size_t Place(OptionKind kind, const json& value, std::string& bytes) {
  if (kind != OptionKind::kFilter || value.is_object()) return bytes.size();
  auto head = FromBytes<sock_fprog>(bytes);
  head.filter = reinterpret_cast<sock_filter*>(bytes.data() + sizeof(head));
  std::memcpy(bytes.data(), &head, sizeof(head));
  return sizeof(head);
}

timeval ReadTime(Parameters& parameters) {
  timeval time{};
  const json& value = parameters.Any("value");
  if (value.is_number()) {
    const double seconds = value.get<double>();
    if (!(std::abs(seconds) <= std::numeric_limits<int>::max())) {
      parameters.Refuse("value", "a number of seconds that a timeval holds");
    }
    const double whole = std::floor(seconds);
    time.tv_sec = static_cast<time_t>(whole);
    time.tv_usec = static_cast<suseconds_t>(std::lround((seconds - whole) * 1e6));
    return time;
  }
  // Each as given: tests of EDOM want microseconds beyond a second.
  Parameters fields("value", value);
  time.tv_sec = fields.Integer("sec");
  time.tv_usec = fields.Integer("usec");
  fields.CheckAllRead();
  return time;
}

std::string ReadValue(Parameters& parameters, OptionKind kind) {
  const json& value = parameters.Any("value");
  if (value.is_object() && value.contains("bytes")) {
    Parameters fields("value", value);
    std::string bytes = fields.Bytes("bytes");
    fields.CheckAllRead();
    return bytes;
  }
  switch (kind) {
    case OptionKind::kInteger:
      // Some options are unsigned; both halves of the range have the same bytes.
      return ToBytes(static_cast<int>(parameters.Integer("value", std::numeric_limits<int>::min(),
                                                         std::numeric_limits<unsigned>::max())));
    case OptionKind::kUnsigned64:
      if (!value.is_number_unsigned()) parameters.Refuse("value", "an unsigned integer");
      return ToBytes(value.get<std::uint64_t>());
    case OptionKind::kTime:
      return ToBytes(ReadTime(parameters));
    case OptionKind::kLinger: {
      Parameters fields("value", value);
      const linger lingering{fields.Integer("onoff"), fields.Integer("linger")};
      fields.CheckAllRead();
      return ToBytes(lingering);
    }
    case OptionKind::kText:
      return parameters.Text("value");
    case OptionKind::kCredentials: {
      Parameters fields("value", value);
      const ucred credentials{fields.Integer("pid"), static_cast<uid_t>(fields.Integer("uid")),
                              static_cast<gid_t>(fields.Integer("gid"))};
      fields.CheckAllRead();
      return ToBytes(credentials);
    }
    case OptionKind::kGroup:
      return ReadGroup(parameters);
    case OptionKind::kGroup6:
      return ReadGroup6(parameters);
    case OptionKind::kFilter:
      return ReadFilter(parameters);
    case OptionKind::kBytes:
    case OptionKind::kTcpInfo:
      break;
  }
  return parameters.Bytes("value");
}

}  // namespace

json GetSocketOption(Parameters& parameters, Call& call, GetOptionCall get_option,
                     bool checks_pointers) {
  const int fd = parameters.Integer("fd");
  const int level = parameters.Constant("level", agent_protocol::OptionLevels());
  const AskedOption option = ReadOption(parameters);
  const bool as_bytes = parameters.Has("length");
  const int asked =
      as_bytes ? parameters.Integer("length", std::numeric_limits<int>::min(), kLongestValue)
               : static_cast<int>(SizeOf(option.kind));
  auto length = static_cast<socklen_t>(asked);
  std::string bytes(static_cast<std::size_t>(std::max(asked, 0)), '\0');
  void* value = bytes.data();
  auto* told = &length;
  if (checks_pointers) {
    value = parameters.Pointer("value", value, bytes.size());
    told = static_cast<socklen_t*>(parameters.Pointer("length", told, sizeof length));
  }
  if (call.Run([&] { return get_option(fd, level, option.number, value, told); }) < 0) {
    return nullptr;
  }
  bytes.resize(std::min<std::size_t>(length, bytes.size()));
  if (as_bytes) return {{"bytes", agent_protocol::Base64Encode(bytes)}};
  return ToJson(option.kind, bytes);
}

json SetSocketOption(Parameters& parameters, Call& call, SetOptionCall set_option,
                     bool checks_pointers) {
  const int fd = parameters.Integer("fd");
  const int level = parameters.Constant("level", agent_protocol::OptionLevels());
  const AskedOption option = ReadOption(parameters);
  std::string bytes = ReadValue(parameters, option.kind);
  bytes.reserve(kLongestValue);  // so that it stays where it is
  const std::size_t size = Place(option.kind, parameters.Any("value"), bytes);
  auto length = static_cast<socklen_t>(size);
  if (parameters.Has("length")) {
    const int asked = parameters.Integer("length", std::numeric_limits<int>::min(), kLongestValue);
    length = static_cast<socklen_t>(asked);
    // What is told to be there is there, and zero.
    if (asked > static_cast<int>(bytes.size())) bytes.resize(static_cast<std::size_t>(asked));
  }
  const void* value = bytes.data();
  if (checks_pointers) value = parameters.Pointer("value", bytes.data(), size);
  return call.Run([&] { return set_option(fd, level, option.number, value, length); });
}

}  // namespace sockproof::agent
