// What the suites about sock_diag(7) share: how sockets are asked for.
#pragma once

#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/raw/netlink_messages.h"

namespace sockproof {

// Of linux/sock_diag.h.
inline constexpr int kByFamily = 20;  // SOCK_DIAG_BY_FAMILY
inline constexpr int kDestroy = 21;   // SOCK_DESTROY
// The kernel's numbers of states.
inline constexpr std::uint32_t kEstablishedState = 1;
inline constexpr std::uint32_t kListenState = 10;
inline constexpr std::uint32_t kEveryState = 0xffffffff;
inline constexpr std::uint32_t kAnyCookie = 0xffffffff;

// What an answer begins with: struct inet_diag_msg or struct unix_diag_msg.
using Entry = std::string;

class SockDiagTest : public SocketsTest {
 protected:
  // NETLINK_SOCK_DIAG.
  Socket Open() {
    const Outcome<Socket> opened = sut.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x4");
    if (opened.error() == EPROTONOSUPPORT) NotReached("the system has no NETLINK_SOCK_DIAG");
    return opened.value();
  }
  Socket diag = Open();

  struct Listed {
    int error = 0;
    std::vector<Entry> entries;
  };
  // A request, and what comes in answer: a list up to its end, or one message.
  Listed Ask(int type, std::uint32_t flags, const std::string& body) {
    diag.SendTo(netlink::Kernel(), netlink::Message(type, flags, body)).value();
    Listed listed;
    while (true) {
      const std::vector<netlink::Answer> answers = netlink::Answers(diag.Receive(60'000).value());
      if (answers.empty()) throw Departure("the answer is no message", SourceLocation::Current());
      for (const netlink::Answer& answer : answers) {
        if (answer.type == netlink::kDoneMessage) {
          // The end of a list that failed has its negative errno.
          listed.error = -static_cast<int>(netlink::NumberAt(answer.body, 0).value_or(0));
          return listed;
        }
        if (answer.type == netlink::kErrorMessage) {
          listed.error = -static_cast<int>(netlink::NumberAt(answer.body, 0).value_or(0));
          return listed;
        }
        listed.entries.push_back(answer.body);
      }
      if ((flags & netlink::kDump) == 0) return listed;
    }
  }
  // NotReached() where the kernel has no list of these.
  std::vector<Entry> List(const std::string& body) {
    const Listed listed = Ask(kByFamily, netlink::kDump, body);
    if (listed.error == ENOENT) NotReached("the system lists no sockets of that family");
    if (listed.error != 0) {
      throw Departure("the list ends with " + ErrnoName(listed.error), SourceLocation::Current());
    }
    return listed.entries;
  }
};

}  // namespace sockproof
