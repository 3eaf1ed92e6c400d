// What every call of a script is made of: its arguments, the memory that they point to, and what is checked when
// it has returned. A group of calls is a class over this (socket_calls.cc, data_calls.cc, ...).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/packet/bytes.h"
#include "src/packetdrill/calls.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// The most that a call is given, or given back, in one piece.
inline constexpr std::int64_t kMostOctets = 8 << 20;

class CallBuilder {
 public:
  CallBuilder(const CallEvent& event, Position where, const CallSurroundings& around)
      : event_(event), where_(where), around_(around) {}

  // Whatever the methods below have put together.
  SystemCall Finish();

 protected:
  using Kind = Expression::Kind;

  // A piece of memory, which arguments and other pieces may point to.
  struct Piece {
    Bytes data;
    std::int64_t zeros = -1;  // in place of data
    bool returned = false;
    nlohmann::json pointers = nlohmann::json::array();

    nlohmann::json ToJson() const;
  };

  // --- What the script says ---

  const Expression& Argument(std::size_t index) const;
  void CheckCount(std::size_t least, std::size_t most) const;
  std::int64_t Number(std::size_t index) const { return NumberOf(Argument(index)); }
  bool IsEllipsis(std::size_t index) const {
    return Argument(index).kind == Kind::kEllipsis;
  }
  // The live descriptor; a number below 0 is no descriptor and is left as it is.
  std::int64_t Descriptor(std::int64_t number, Position where) const;
  std::int64_t Descriptor(std::size_t index) const {
    return Descriptor(Number(index), Argument(index).where);
  }

  // --- What the call is given ---

  void Add(std::int64_t number) { arguments_.push_back(number); }
  void AddPiece(std::size_t piece) { arguments_.push_back({{"memory", piece}}); }
  // Both give the number of the piece.
  std::size_t Octets(Bytes data, bool returned = false);
  std::size_t Zeros(std::int64_t count, bool returned = false);
  // At octet `at` of piece `from` comes the address of piece `to`.
  void Point(std::size_t from, std::size_t at, std::size_t to);
  // An address at `index`, its length behind it.
  void AddAddress(std::size_t index, const Endpoint& usual);
  // An array of iovec with its buffers; gives the piece and the number of elements.
  std::pair<std::size_t, std::size_t> Vector(const Expression& list, bool receives);

  // --- How it is shown ---

  template <typename... Parts>
  void Say(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_ = fmt::format(format, std::forward<Parts>(parts)...);
  }
  // As the script writes them, but for the descriptors, which come first.
  void SayArguments(std::size_t descriptors = 1);

  // --- What becomes of it ---

  // The memory of a call with MSG_ZEROCOPY is read after it has returned.
  void KeepIfZeroCopy(std::int64_t flags);
  // The script's name for a descriptor is the result.
  void CreatesResult();
  void Check(std::function<std::string(std::int64_t result, const SystemCall::Pieces& memory)> check) {
    call_.check = std::move(check);
  }

  const CallEvent& event_;
  const Position where_;
  const CallSurroundings& around_;
  std::string name_;  // of the system call
  std::vector<Piece> memory_;
  bool keep_ = false;  // the memory, after the return
  SystemCall call_;

 private:
  nlohmann::json arguments_ = nlohmann::json::array();
  std::string text_;
};

using MakeCall = SystemCall (*)(const CallEvent& event, Position where,
                                const CallSurroundings& around);
struct NamedCall {
  std::string_view name;
  MakeCall make;
};

// A call by a method of a class over CallBuilder.
template <typename Group, void (Group::*kMethod)()>
SystemCall MadeBy(const CallEvent& event, Position where, const CallSurroundings& around) {
  Group group(event, where, around);
  (group.*kMethod)();
  return group.Finish();
}

std::span<const NamedCall> SocketCalls();     // socket, bind, connect, listen, accept, close, shutdown
std::span<const NamedCall> DataCalls();       // read, write, send, recv and their like
std::span<const NamedCall> MessageCalls();    // sendmsg, recvmsg
std::span<const NamedCall> OptionCalls();     // setsockopt, getsockopt, fcntl, ioctl
std::span<const NamedCall> ReadinessCalls();  // poll, epoll
std::span<const NamedCall> FileCalls();       // open, sendfile, pipe, splice

}  // namespace sockproof::packetdrill
