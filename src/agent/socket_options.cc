// Values of socket options between JSON and bytes (README.md, "Options").
#include "src/agent/socket_options.h"

// linux/tcp.h has the whole struct tcp_info; netinet/tcp.h, which excludes it, a part.
#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
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

const SocketOption& ReadOption(Parameters& parameters) {
  const std::string name = parameters.Text("name");
  const SocketOption* option = agent_protocol::FindOption(name);
  if (option == nullptr) parameters.Unsupported("option " + name);
  return *option;
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
    case OptionKind::kText:
    case OptionKind::kBytes:
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
    case OptionKind::kBytes:
      break;
  }
  return agent_protocol::Base64Encode(bytes);
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
    case OptionKind::kBytes:
    case OptionKind::kTcpInfo:
      break;
  }
  return parameters.Bytes("value");
}

}  // namespace

json GetSocketOption(Parameters& parameters, Call& call, GetOptionCall get_option) {
  const int fd = parameters.Integer("fd");
  const int level = parameters.Constant("level", agent_protocol::OptionLevels());
  const SocketOption& option = ReadOption(parameters);
  const bool as_bytes = parameters.Has("length");
  auto length = static_cast<socklen_t>(as_bytes ? parameters.Integer("length", 0, kLongestValue)
                                                : static_cast<int>(SizeOf(option.kind)));
  std::string bytes(length, '\0');
  if (call.Run([&] { return get_option(fd, level, option.number, bytes.data(), &length); }) < 0) {
    return nullptr;
  }
  bytes.resize(std::min<std::size_t>(length, bytes.size()));
  if (as_bytes) return {{"bytes", agent_protocol::Base64Encode(bytes)}};
  return ToJson(option.kind, bytes);
}

json SetSocketOption(Parameters& parameters, Call& call, SetOptionCall set_option) {
  const int fd = parameters.Integer("fd");
  const int level = parameters.Constant("level", agent_protocol::OptionLevels());
  const SocketOption& option = ReadOption(parameters);
  const std::string bytes = ReadValue(parameters, option.kind);
  return call.Run([&] {
    return set_option(fd, level, option.number, bytes.data(), static_cast<socklen_t>(bytes.size()));
  });
}

}  // namespace sockproof::agent
