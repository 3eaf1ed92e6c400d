#include "src/packetdrill/control_messages.h"

#include <fmt/format.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "src/packetdrill/calls.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

using Kind = Expression::Kind;

// Attributes of netlink in a control message: the statistics of SCM_TIMESTAMPING_OPT_STATS.
struct Attribute {
  std::uint16_t type = 0;
  Bytes value;
};

std::vector<Attribute> AttributesIn(const Bytes& octets) {
  constexpr std::size_t kHeader = 4;
  std::vector<Attribute> attributes;
  for (std::size_t at = 0; at + kHeader <= octets.size();) {
    const auto length = ObjectIn<std::uint16_t>(octets, at);
    if (length < kHeader || at + length > octets.size()) break;
    attributes.push_back({ObjectIn<std::uint16_t>(octets, at + 2),
                          Bytes(octets.begin() + static_cast<std::ptrdiff_t>(at + kHeader),
                                octets.begin() + static_cast<std::ptrdiff_t>(at + length))});
    at += (length + 3U) & ~3U;
  }
  return attributes;
}

std::string WrongError(const Expression& expected, const Bytes& observed) {
  const auto error = ObjectIn<sock_extended_err>(observed);
  const std::pair<const char*, std::uint32_t> kMembers[] = {
      {"ee_errno", error.ee_errno}, {"ee_origin", error.ee_origin}, {"ee_type", error.ee_type},
      {"ee_code", error.ee_code},   {"ee_info", error.ee_info},     {"ee_data", error.ee_data},
  };
  for (const auto& [name, value] : kMembers) {
    const Expression* member = Member(expected, name);
    if (member == nullptr || member->kind == Kind::kEllipsis) continue;
    const std::string wrong =
        Differs(name, static_cast<std::uint32_t>(NumberOf(*member)), value);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// [TCP_NLA_BUSY=10000, TCP_NLA_SND_CWND=...]
std::string WrongStatistics(const Expression& expected, const Bytes& observed,
                                   Duration tolerance) {
  const std::vector<Attribute> attributes = AttributesIn(observed);
  if (attributes.size() < expected.elements.size()) {
    return fmt::format("{} statistics in place of {}", attributes.size(),
                       expected.elements.size());
  }
  for (std::size_t i = 0; i < expected.elements.size(); ++i) {
    const Expression& element = expected.elements[i];
    if (element.kind != Kind::kAssign) throw SyntaxError(element.where, "expected NAME=value");
    const std::int64_t type = NumberOf(element.elements[0]);
    const std::string name = Describe(element.elements[0]);
    if (type != attributes[i].type) {
      return fmt::format("statistic {} is of type {} in place of {}", i + 1, attributes[i].type,
                         name);
    }
    if (element.elements[1].kind == Kind::kEllipsis) continue;
    const std::int64_t wanted = NumberOf(element.elements[1]);
    const auto value = static_cast<std::int64_t>(ObjectIn<std::uint64_t>(attributes[i].value));
    const bool is_time = type == TCP_NLA_BUSY || type == TCP_NLA_RWND_LIMITED ||
                         type == TCP_NLA_SNDBUF_LIMITED;
    // 0 is meant to be 0; any other time has the tolerance of the script.
    if (is_time && wanted != 0 &&
        std::chrono::abs(std::chrono::microseconds(value - wanted)) <= tolerance) {
      continue;
    }
    const std::string wrong = Differs(name, wanted, value);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string WrongData(const Expression& expected, const Bytes& observed,
                             const Times& times) {
  if (expected.kind == Kind::kEllipsis) return "";
  if (expected.kind == Kind::kList) return WrongStatistics(expected, observed, times.tolerance);
  if (expected.kind != Kind::kStructure) {
    return Differs("the number", NumberOf(expected), ObjectIn<std::int32_t>(observed));
  }
  if (Member(expected, "ee_errno") != nullptr) return WrongError(expected, observed);
  const Expression* seconds = Member(expected, "scm_sec");
  const Expression* nanoseconds = Member(expected, "scm_nsec");
  if (seconds == nullptr || nanoseconds == nullptr) {
    NotSupported(expected.where, Describe(expected));
  }
  const auto stamp = ObjectIn<timespec>(observed);
  const Duration wanted = std::chrono::seconds(NumberOf(*seconds)) +
                          Duration(NumberOf(*nanoseconds));
  if (wanted == Duration(0)) return "";
  const Duration seen =
      Time(std::chrono::seconds(stamp.tv_sec) + Duration(stamp.tv_nsec)) - times.start;
  const Duration late = seen - wanted;
  if (late >= -times.tolerance && late <= times.tolerance + times.drift) return "";
  return fmt::format("the timestamp is {:.6f} in place of {:.6f}", ToSeconds(seen),
                     ToSeconds(wanted));
}

}  // namespace

std::vector<ControlMessage> ControlMessagesIn(const Bytes& octets, std::size_t length) {
  std::vector<ControlMessage> messages;
  const std::size_t end = std::min(length, octets.size());
  for (std::size_t at = 0; at + sizeof(cmsghdr) <= end;) {
    const auto header = ObjectIn<cmsghdr>(octets, at);
    if (header.cmsg_len < sizeof(cmsghdr) || at + header.cmsg_len > end) break;
    messages.push_back(
        {header.cmsg_level, header.cmsg_type,
         Bytes(octets.begin() + static_cast<std::ptrdiff_t>(at + sizeof(cmsghdr)),
               octets.begin() + static_cast<std::ptrdiff_t>(at + header.cmsg_len))});
    at += CMSG_ALIGN(header.cmsg_len);
  }
  return messages;
}

Bytes ControlFrom(const Expression& list) {
  Bytes octets;
  for (const Expression& element : list.elements) {
    const Expression* level = Member(element, "cmsg_level");
    const Expression* type = Member(element, "cmsg_type");
    const Expression* data = Member(element, "cmsg_data");
    if (level == nullptr || type == nullptr || data == nullptr) {
      throw SyntaxError(element.where, "expected {cmsg_level=, cmsg_type=, cmsg_data=}");
    }
    const auto value = static_cast<std::int32_t>(NumberOf(*data));
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(sizeof value);
    header.cmsg_level = static_cast<int>(NumberOf(*level));
    header.cmsg_type = static_cast<int>(NumberOf(*type));
    const Bytes head = BytesOf(header);
    const Bytes tail = BytesOf(value);
    octets.insert(octets.end(), head.begin(), head.end());
    octets.insert(octets.end(), tail.begin(), tail.end());
    octets.resize(CMSG_ALIGN(octets.size()));
  }
  return octets;
}

std::string WrongControl(const Expression& expected,
                                const std::vector<ControlMessage>& observed,
                                const Times& times) {
  if (expected.elements.size() != observed.size()) {
    return fmt::format("{} control messages in place of {}", observed.size(),
                       expected.elements.size());
  }
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const Expression& element = expected.elements[i];
    const Expression* level = Member(element, "cmsg_level");
    const Expression* type = Member(element, "cmsg_type");
    const Expression* data = Member(element, "cmsg_data");
    if (level == nullptr || type == nullptr || data == nullptr) {
      throw SyntaxError(element.where, "expected {cmsg_level=, cmsg_type=, cmsg_data=}");
    }
    std::string wrong = Differs("cmsg_level", NumberOf(*level), observed[i].level);
    if (wrong.empty()) wrong = Differs("cmsg_type", NumberOf(*type), observed[i].type);
    if (wrong.empty()) wrong = WrongData(*data, observed[i].data, times);
    if (!wrong.empty()) return fmt::format("of control message {}: {}", i + 1, wrong);
  }
  return "";
}

}  // namespace sockproof::packetdrill
