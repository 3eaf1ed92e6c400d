// The constants of this system under their names.
#include "harness/agent_protocol/names.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iterator>

namespace sockproof::agent_protocol {
namespace {

#define CONSTANTS_BEGIN(function, table) constexpr Constant kOf##function[] = {
#define CONSTANT(name) {#name, name},
#define CONSTANTS_END \
  }                   \
  ;
#include "harness/agent_protocol/constants.def"
#undef CONSTANTS_BEGIN
#undef CONSTANT
#undef CONSTANTS_END

constexpr std::string_view kMethods[] = {
#define METHOD(name, ...) #name,
#include "harness/agent_protocol/methods.def"
#undef METHOD
};

std::string Hexadecimal(std::int64_t value) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// "0x7f", of at most 32 bits.
std::optional<std::int64_t> NumberIn(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data() + 2, end, number, 16);
  if (error != std::errc() || after != end) return std::nullopt;
  return number;
}

}  // namespace

#define CONSTANTS_BEGIN(function, table) \
  Constants function() { return kOf##function; }
#define CONSTANT(name)
#define CONSTANTS_END
#include "harness/agent_protocol/constants.def"
#undef CONSTANTS_BEGIN
#undef CONSTANT
#undef CONSTANTS_END

bool IsMethod(std::string_view name) {
  return std::find(std::begin(kMethods), std::end(kMethods), name) != std::end(kMethods);
}

std::optional<std::int64_t> ValueOf(Constants constants, std::string_view name) {
  for (const Constant& constant : constants) {
    if (constant.name == name) return constant.value;
  }
  return NumberIn(name);
}

std::string NameOf(Constants constants, std::int64_t value) {
  for (const Constant& constant : constants) {
    if (constant.value == value) return std::string(constant.name);
  }
  return Hexadecimal(value);
}

std::vector<std::string> NamesOfFlags(Constants constants, std::int64_t flags) {
  std::vector<std::string> names;
  std::int64_t unnamed = flags;
  for (const Constant& constant : constants) {
    if ((flags & constant.value) != constant.value) continue;
    names.emplace_back(constant.name);
    unnamed &= ~constant.value;
  }
  if (unnamed != 0) names.push_back(Hexadecimal(unnamed));
  return names;
}

std::string TcpStateName(int state) {
  // In the order of the kernel's numbers, from 1; the twelfth is its request socket.
  constexpr std::array<std::string_view, 12> kStates = {
      "ESTABLISHED", "SYN-SENT",   "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
      "CLOSED",      "CLOSE-WAIT", "LAST-ACK",     "LISTEN",     "CLOSING",    "SYN-RECEIVED"};
  if (state < 1 || state > static_cast<int>(kStates.size())) return Hexadecimal(state);
  return std::string(kStates[static_cast<std::size_t>(state) - 1]);
}

}  // namespace sockproof::agent_protocol
