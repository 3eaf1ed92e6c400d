// What sendmsg() and recvmsg() take, between JSON and the structures of the calls (README.md,
// "Messages").
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <string>
#include <vector>

#include "harness/agent_protocol/names.h"
#include "src/agent/address.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// Data in parts, of "data" or "vector". Throws RpcError.
class OutgoingData {
 public:
  explicit OutgoingData(Parameters& fields);
  OutgoingData(const OutgoingData&) = delete;
  OutgoingData& operator=(const OutgoingData&) = delete;

  std::vector<iovec>& vector() { return vector_; }

 private:
  std::vector<std::string> parts_;
  std::vector<iovec> vector_;
};

// Room in parts, of "length" or "lengths".
class RoomForData {
 public:
  explicit RoomForData(Parameters& fields);
  RoomForData(const RoomForData&) = delete;
  RoomForData& operator=(const RoomForData&) = delete;

  std::vector<iovec>& vector() { return vector_; }
  // {"length": count, "data": what came}. With MSG_TRUNC the count may be larger than the room.
  json ToJson(ssize_t count) const;

 private:
  std::string room_;
  std::vector<iovec> vector_;
};

// A message as sendmsg() takes it.
class OutgoingMessage {
 public:
  OutgoingMessage(Parameters& fields, agent_protocol::Constants families);

  msghdr& header() { return header_; }

 private:
  OutgoingData data_;
  SocketAddress address_;
  std::vector<char> control_;
  msghdr header_{};
};

// Room for one, as recvmsg() takes it.
class RoomForMessage {
 public:
  explicit RoomForMessage(Parameters& fields);

  msghdr& header() { return header_; }
  // After a call that returned `count`.
  json ToJson(ssize_t count) const;

 private:
  RoomForData data_;
  bool with_name_length_;
  SocketAddress address_;
  std::vector<char> control_;
  msghdr header_{};
};

}  // namespace sockproof::agent
