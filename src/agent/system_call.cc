#include "src/agent/system_call.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/agent_protocol/base64.h"

namespace sockproof::agent {
namespace {

constexpr std::size_t kMostArguments = 6;
constexpr std::size_t kMostPieces = 1024;
constexpr std::int64_t kMostMemory = 8 << 20;  // octets, of all pieces together

#define SYSTEM_CALL(name) {#name, SYS_##name}
constexpr agent_protocol::Constant kSystemCalls[] = {
    SYSTEM_CALL(accept),      SYSTEM_CALL(accept4),     SYSTEM_CALL(bind),
    SYSTEM_CALL(close),       SYSTEM_CALL(connect),     SYSTEM_CALL(dup),
    SYSTEM_CALL(epoll_create1), SYSTEM_CALL(epoll_ctl), SYSTEM_CALL(epoll_pwait),
    SYSTEM_CALL(fcntl),       SYSTEM_CALL(getpeername), SYSTEM_CALL(getsockname),
    SYSTEM_CALL(getsockopt),  SYSTEM_CALL(ioctl),       SYSTEM_CALL(listen),
    SYSTEM_CALL(openat),      SYSTEM_CALL(pipe2),       SYSTEM_CALL(ppoll),
    SYSTEM_CALL(read),        SYSTEM_CALL(readv),       SYSTEM_CALL(recvfrom),
    SYSTEM_CALL(recvmsg),     SYSTEM_CALL(sendfile),    SYSTEM_CALL(sendmsg),
    SYSTEM_CALL(sendto),      SYSTEM_CALL(setsockopt),  SYSTEM_CALL(shutdown),
    SYSTEM_CALL(socket),      SYSTEM_CALL(splice),      SYSTEM_CALL(write),
    SYSTEM_CALL(writev),
};
#undef SYSTEM_CALL

// One piece of memory that a call is given.
struct Piece {
  std::vector<char> octets;
  bool returned = false;
};

// Pieces that the kernel may still read when the call has returned.
void KeepForEver(std::vector<Piece> pieces) {
  static auto* const kept = new std::vector<std::vector<Piece>>;
  kept->push_back(std::move(pieces));
}

class Memory {
 public:
  explicit Memory(Parameters& parameters) {
    if (!parameters.Has("memory")) return;
    const json& list = parameters.Any("memory");
    if (!list.is_array() || list.size() > kMostPieces) {
      parameters.Refuse("memory", "a list of at most 1024 pieces");
    }
    for (const json& entry : list) Add(Parameters("system_call: memory", entry));
    for (std::size_t piece = 0; piece < list.size(); ++piece) SetPointers(piece, list[piece]);
  }

  char* At(Parameters& parameters, const std::string& name) {
    const int piece = parameters.Integer(name, 0, static_cast<std::int64_t>(pieces_.size()) - 1);
    return pieces_[static_cast<std::size_t>(piece)].octets.data();
  }

  json Returned() const {
    json list = json::array();
    for (const Piece& piece : pieces_) {
      list.push_back(piece.returned ? json(agent_protocol::Base64Encode(
                                          {piece.octets.data(), piece.octets.size()}))
                                    : json());
    }
    return list;
  }

  void Keep() { KeepForEver(std::move(pieces_)); }

 private:
  void Add(Parameters parameters) {
    Piece& piece = pieces_.emplace_back();
    if (parameters.Has("data")) {
      const std::string data = parameters.Bytes("data");
      piece.octets.assign(data.begin(), data.end());
    } else {
      piece.octets.resize(
          static_cast<std::size_t>(parameters.Integer("length", 0, kMostMemory)));
    }
    total_ += static_cast<std::int64_t>(piece.octets.size());
    if (total_ > kMostMemory) parameters.Refuse("length", "8 MiB at most with all the others");
    piece.octets.reserve(1);  // an address even if it is empty
    piece.returned = parameters.Truth("returned");
    if (parameters.Has("pointers")) parameters.Any("pointers");
    parameters.CheckAllRead();
  }

  // {"pointers": [{"at": 16, "memory": 2}]}
  void SetPointers(std::size_t piece, const json& entry) {
    if (!entry.contains("pointers")) return;
    const json& list = entry["pointers"];
    std::vector<char>& octets = pieces_[piece].octets;
    for (const json& element : list) {
      Parameters pointer("system_call: pointers", element);
      const auto room = static_cast<std::int64_t>(octets.size()) -
                        static_cast<std::int64_t>(sizeof(char*));
      const int at = pointer.Integer("at", 0, room);
      char* const target = At(pointer, "memory");
      memcpy(octets.data() + at, &target, sizeof target);
      pointer.CheckAllRead();
    }
  }

  std::vector<Piece> pieces_;
  std::int64_t total_ = 0;
};

long NumberOf(const json& value, Parameters& parameters) {
  if (!value.is_number_integer()) parameters.Refuse("arguments", "integers or pieces of memory");
  return static_cast<long>(value.get<std::int64_t>());
}

}  // namespace

json SystemCall(Parameters& parameters, Call& call) {
  const int number = parameters.Constant("name", kSystemCalls);
  Memory memory(parameters);
  std::array<long, kMostArguments> arguments{};
  const json& list = parameters.Any("arguments");
  if (!list.is_array() || list.size() > kMostArguments) {
    parameters.Refuse("arguments", "a list of at most 6");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_object()) {
      Parameters piece("system_call: arguments", list[i]);
      arguments[i] = reinterpret_cast<long>(memory.At(piece, "memory"));
      piece.CheckAllRead();
    } else {
      arguments[i] = NumberOf(list[i], parameters);
    }
  }
  const bool keep = parameters.Truth("keep");
  const long result = call.Run([&] {
    return syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                   arguments[5]);
  });
  json value = {{"result", result}, {"memory", memory.Returned()}};
  if (keep) memory.Keep();
  return value;
}

}  // namespace sockproof::agent
