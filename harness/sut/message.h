// Messages with control data: what sendmsg() takes and recvmsg() gives (sendmsg(2), cmsg(3)).
//
//   here.SendMessage(Message("take it").With(Rights({reader})));
//   Received got = there.ReceiveMessage(64, RoomFor(Rights(1))).value();
//   Socket passed = got.Passed();
#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/sut/name.h"

namespace sockproof {

class Socket;

// struct ucred.
struct Credentials {
  int pid = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  auto operator<=>(const Credentials&) const = default;
};
void PrintTo(const Credentials& credentials, std::ostream* out);

// struct in_pktinfo and in6_pktinfo; `local` is of IPv4 alone.
struct PacketInfo {
  int ifindex = 0;
  std::optional<IpAddress> local;        // ipi_spec_dst
  std::optional<IpAddress> destination;  // ipi_addr, ipi6_addr
};

// struct sock_extended_err, and the address behind it.
struct ExtendedError {
  int error = 0;  // errno
  int origin = 0, type = 0, code = 0;
  std::uint32_t info = 0, data = 0;
  Name offender;
};

// One item of control data.
struct ControlItem {
  std::string level;  // "SOL_SOCKET"
  std::string type;   // "SCM_RIGHTS"
  // Numbers; descriptors; octets of a type that the agent protocol has no form for, or which are to
  // be sent as they are; and so on. Times are since the epoch.
  using Value = std::variant<std::int64_t, std::vector<int>, Credentials, PacketInfo, ExtendedError,
                             std::vector<Duration>, Name, std::string>;
  Value value;
  std::optional<int> length = std::nullopt;  // cmsg_len, if it is to be another than its own

  // The number; HarnessError for a value of another kind.
  std::int64_t number() const;
};

// SCM_RIGHTS of these sockets, in their order.
ControlItem Rights(const std::vector<Socket>& sockets);
// The same of descriptors that need not be open.
ControlItem RightsOf(std::vector<int> descriptors);
// As many, for RoomFor().
ControlItem Rights(int count);
// SCM_CREDENTIALS.
ControlItem SenderCredentials(const Credentials& credentials = {});
// IP_TTL or IPV6_HOPLIMIT.
ControlItem HopLimit(IpVersion version, int hops = 0);
// IP_TOS or IPV6_TCLASS.
ControlItem TrafficClass(IpVersion version, int octet = 0);
// IP_PKTINFO or IPV6_PKTINFO.
ControlItem ArrivedAt(IpVersion version, const PacketInfo& info = {});
// Any type whose data is a number: {"IPPROTO_UDP", "UDP_SEGMENT"}.
ControlItem NumberItem(std::string level, std::string type, std::int64_t number = 0);
// Any type, its data as octets.
ControlItem OctetsItem(std::string level, std::string type, std::string octets);

// Room for control data in recvmsg(): none, room for items like these, or so many octets.
class ControlRoom {
 public:
  ControlRoom() = default;
  static ControlRoom Octets(int octets);

  const std::vector<int>& data_sizes() const { return data_sizes_; }
  std::optional<int> octets() const { return octets_; }
  bool none() const { return data_sizes_.empty() && !octets_; }
  // "SCM_RIGHTS", "24 octets", "" for none.
  const std::string& text() const { return text_; }

 private:
  template <typename... Items>
  friend ControlRoom RoomFor(const Items&... items);
  void Add(const ControlItem& item);

  std::vector<int> data_sizes_;
  std::optional<int> octets_;
  std::string text_;
};

// Exactly that: RoomFor(Rights(1)), RoomFor(Rights(2), SenderCredentials()).
template <typename... Items>
ControlRoom RoomFor(const Items&... items) {
  ControlRoom room;
  (room.Add(items), ...);
  return room;
}

// What sendmsg() sends, as a value: each member gives a changed copy.
class Message {
 public:
  explicit Message(std::string data = "") : parts_{std::move(data)} {}
  // Data in as many parts as msg_iov is to have.
  static Message Of(std::vector<std::string> parts);

  Message To(Name name) const;
  Message With(ControlItem item) const;
  // These octets in place of control data.
  Message WithRawControl(std::string octets) const;
  // msg_controllen, another than that of the data; from -2^31.
  Message WithControlLength(int length) const;

  const std::vector<std::string>& parts() const { return parts_; }
  const std::optional<Name>& name() const { return name_; }
  const std::vector<ControlItem>& control() const { return control_; }
  const std::optional<std::string>& raw_control() const { return raw_control_; }
  std::optional<int> control_length() const { return control_length_; }
  std::string data() const;  // all parts
  // "take it" with SCM_RIGHTS, for ladders.
  std::string ToString() const;

 private:
  std::vector<std::string> parts_;
  std::optional<Name> name_;
  std::vector<ControlItem> control_;
  std::optional<std::string> raw_control_;
  std::optional<int> control_length_;
};

// What recvmsg() gave.
struct Received {
  std::string data;
  std::size_t length = 0;          // what the call returned
  Name from;                       // msg_name
  std::vector<std::string> flags;  // msg_flags: "MSG_CTRUNC"
  std::vector<ControlItem> control;
  std::size_t control_length = 0;  // msg_controllen after the call

  // The descriptors of all rights, in their order.
  const std::vector<Socket>& sockets() const { return sockets_; }
  // The one of that number, from 0. Throws Departure when there are not so many.
  const Socket& Passed(std::size_t index = 0,
                       SourceLocation where = SourceLocation::Current()) const;
  // Of the first item of that type; nothing without one.
  std::optional<Credentials> credentials() const;
  const ControlItem* Find(const std::string& type) const;  // nullptr: there is none
  // The number in the item of that type. Throws Departure when there is none.
  std::int64_t Number(const std::string& type,
                      SourceLocation where = SourceLocation::Current()) const;
  bool Has(const std::string& flag) const;

  std::vector<Socket> sockets_;  // NOLINT: filled by who reads the answer
};
void PrintTo(const Received& received, std::ostream* out);

}  // namespace sockproof
