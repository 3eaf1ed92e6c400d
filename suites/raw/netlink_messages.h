// Messages of netlink(7) as octets, of a host whose lowest octet comes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/sut/name.h"
#include "harness/sut/socket.h"

namespace sockproof::netlink {

// Of linux/netlink.h.
inline constexpr int kErrorMessage = 2;         // NLMSG_ERROR
inline constexpr int kDoneMessage = 3;          // NLMSG_DONE
inline constexpr std::uint32_t kRequest = 1;    // NLM_F_REQUEST
inline constexpr std::uint32_t kAck = 4;        // NLM_F_ACK
inline constexpr std::uint32_t kDump = 0x300;   // NLM_F_DUMP
inline constexpr std::size_t kHeaderSize = 16;  // of struct nlmsghdr
inline constexpr std::size_t kAlignment = 4;    // NLMSG_ALIGNTO, NLA_ALIGNTO

// The kernel's address.
inline Name Kernel() { return RawName{"AF_NETLINK", std::string(10, '\0')}; }

// A number of so many octets.
inline std::string Number(std::uint32_t number, std::size_t octets = 4) {
  std::string text;
  for (std::size_t i = 0; i < octets; ++i) text += static_cast<char>(number >> 8 * i & 0xff);
  return text;
}

// The number of so many octets at this place; nothing where there are not so many.
inline std::optional<std::uint32_t> NumberAt(const std::string& octets, std::size_t at,
                                             std::size_t count = 4) {
  if (at + count > octets.size()) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number |= std::uint32_t{static_cast<std::uint8_t>(octets[at + i])} << 8 * i;
  }
  return number;
}

// A request: struct nlmsghdr and what follows it.
inline std::string Message(int type, std::uint32_t flags, const std::string& body) {
  const auto length = static_cast<std::uint32_t>(kHeaderSize + body.size());
  return Number(length) + Number(static_cast<std::uint32_t>(type), 2) +
         Number(kRequest | flags, 2) + Number(1) + Number(0) + body;
}

// One message of an answer.
struct Answer {
  int type = 0;
  std::string body;
};

// The messages of what one receive gave; what is no whole message ends it.
inline std::vector<Answer> Answers(const std::string& octets) {
  std::vector<Answer> answers;
  std::size_t at = 0;
  while (const auto length = NumberAt(octets, at)) {
    const auto type = NumberAt(octets, at + 4, 2);
    if (!type || *length < kHeaderSize || *length > octets.size() - at) break;
    answers.push_back(
        {static_cast<int>(*type), octets.substr(at + kHeaderSize, *length - kHeaderSize)});
    at += (*length + kAlignment - 1) / kAlignment * kAlignment;
  }
  return answers;
}

// The payload of the attribute of this type, of those from there on; nothing when there is none.
inline std::optional<std::string> Attribute(const std::string& body, std::size_t from,
                                            std::uint32_t wanted) {
  constexpr std::size_t kSize = 4;  // of struct nlattr
  std::size_t at = from;
  while (const auto length = NumberAt(body, at, 2)) {
    const auto type = NumberAt(body, at + 2, 2);
    if (!type || *length < kSize || *length > body.size() - at) break;
    if (*type == wanted) return body.substr(at + kSize, *length - kSize);
    at += (*length + kAlignment - 1) / kAlignment * kAlignment;
  }
  return std::nullopt;
}

// What a socket of NETLINK_ROUTE is answered to a request for a list.
inline std::vector<Answer> List(Socket route, int request, const std::string& body) {
  constexpr std::size_t kMuch = 60'000;  // of one answer
  route.SendTo(Kernel(), Message(request, kDump, body)).value();
  std::vector<Answer> listed;
  while (true) {
    const std::vector<Answer> answers = Answers(route.Receive(kMuch).value());
    for (const Answer& answer : answers) {
      if (answer.type <= kDoneMessage) return listed;
      listed.push_back(answer);
    }
    if (answers.empty()) return listed;
  }
}

}  // namespace sockproof::netlink
